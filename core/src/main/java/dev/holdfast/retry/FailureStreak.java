/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.retry;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Failures without a success between them. A client with few calls needs minutes to drain its tokens, and hundreds of such clients
 * would double the load of a dependency that is down, each within its budget. Safe for any number of threads; of two failures at one
 * moment, either may be the first one.
 */
final class FailureStreak {
    private static final long LEAST_NANOS = 1_000_000_000;

    private final AtomicInteger failures = new AtomicInteger();
    private volatile long since;
    /** How many successes there were before the first of the failures. */
    private volatile long successes = -1;

    /** An attempt has failed, after so many successes. */
    void failed(long now, long successesSoFar) {
        if (successesSoFar != successes) {
            since = now;
            failures.set(0);
            successes = successesSoFar;
        }
        failures.incrementAndGet();
    }

    /**
     * Whether it lasts for a second already, and more calls than one have seen it: how long a call waits between its own attempts
     * is for its settings to say.
     *
     * @param own how many attempts this call has made
     */
    boolean lasts(long now, long successesSoFar, int own) {
        return successesSoFar == successes && failures.get() > own && now - since >= LEAST_NANOS;
    }
}
