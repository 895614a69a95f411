/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import com.netflix.concurrency.limits.Limit;

/** What an algorithm of concurrency-limits looks at. Told of one window after the other, by one thread at a time. */
interface Law {
    /** As what a call counts, beside the base: what such calls count as while nothing queues because of us. */
    double cost(long nanos, boolean drop, double base);

    /** What is taken for the base before anything is known; {@link Double#NaN}: it must be measured. */
    double firstBase();

    /** Whether it keeps a queue itself in a dependency that is busy, and so takes its own queue for the base at length. */
    boolean keepsQueue();

    /** Whether so many calls tell their mean well enough to compare it with another. */
    boolean certain(Samples calls, double accuracy);

    /** Whether calls that cost so much are about as on a good day. */
    boolean isFine(double mean, double base);

    /** Tells the algorithm of a window in which the limit was in use. */
    void heed(Limit algorithm, Samples window, double base);

    /** Where the limit is to be once so much was in flight and the calls cost more because of it, not above what it is held at. */
    double bearable(Samples calls, double base, int held);

    /** Where the limit is to be once calls cost more for another reason, of what was fine before. */
    double needed(double fine, double before, double base);
}
