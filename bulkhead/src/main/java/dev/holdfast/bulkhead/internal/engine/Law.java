/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import com.netflix.concurrency.limits.Limit;

/** The measure that an algorithm of concurrency-limits uses. Gets one window after the other, from one thread at a time. */
interface Law {
    /** The cost of a call. The base is the cost of such calls while our load causes no queue. */
    double cost(long nanos, boolean drop, double base);

    /** The base before anything is known; {@link Double#NaN}: it must be measured. */
    double firstBase();

    /** Whether the algorithm keeps a queue in a busy dependency. Over time it would take this queue for the base. */
    boolean keepsQueue();

    /** Whether the mean of these calls is certain enough to compare it with another. */
    boolean certain(Samples calls, double accuracy);

    /** Whether this cost is about that of a good day. */
    boolean isFine(double mean, double base);

    /** Gives the algorithm a window in which the limit was in use. */
    void heed(Limit algorithm, Samples window, double base);

    /** The limit if calls cost more because so many of them were in flight; at most {@code held}. */
    double bearable(Samples calls, double base, int held);

    /** The limit if calls cost more for another reason, computed from the limit that was fine before. */
    double needed(double fine, double before, double base);
}
