/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

/** Whether a naive client tries again: the rules that Holdfast's is compared with. One for each client. */
interface Retries {
    /** A call has begun. */
    default void started() {}

    /** A try has failed, and it was the so many'th of its call; true: there is another one. */
    boolean again(int tries);

    /** As long as a call has not had so many tries. */
    static Retries upTo(int tries) {
        return tried -> tried < tries;
    }

    /**
     * A token bucket that is funded by calls: each gives a part of a token, each retry takes one.
     *
     * @param tries how many a call has at most
     */
    static Retries requestFunded(double ratio, double size, int tries) {
        return new Retries() {
            private double tokens = size;

            @Override
            public void started() {
                tokens = Math.min(size, tokens + ratio);
            }

            @Override
            public boolean again(int tried) {
                if (tried >= tries || tokens <= 1) {
                    return false;
                }
                tokens--;
                return true;
            }
        };
    }

    /** Up to so many tries while no more than this share of all has failed. */
    static Retries whileRareFailures(double most, int tries) {
        return new Retries() {
            private double calls;
            private double failures;

            @Override
            public void started() {
                calls++;
            }

            @Override
            public boolean again(int tried) {
                failures++;
                return tried < tries && failures <= most * calls;
            }
        };
    }
}
