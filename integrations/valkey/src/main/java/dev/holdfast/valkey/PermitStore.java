/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

/**
 * The permits of one limit, where all processes find them. Gets new ones with the rate of the limit, up to the burst. Safe for
 * any number of threads.
 */
interface PermitStore {

    /**
     * Takes as many permits as there are. Does not block.
     *
     * @param most at most so many; 1 to the burst
     */
    void take(long most, Answer answer);

    /**
     * Runs a task later, on the thread that receives the answers, and after the answers that have arrived by then. Its process
     * may have had no processor: then the task is late, and so were the answers.
     */
    void later(long nanos, Runnable task);

    /** For messages: {@code store at valkey.example:6379}. */
    @Override
    String toString();

    /**
     * Is told what the store has done: at most once for each time that it was asked, on any thread, also before {@link #take}
     * returns.
     */
    interface Answer {
        /**
         * The permits that were taken.
         *
         * @param permits 0 or more
         * @param nanosUntilNext after which there will be another one; 0 if there is one now
         */
        void taken(long permits, long nanosUntilNext);

        /** The store did not do it, or it is not known whether it did. */
        void failed(Throwable why);
    }
}
