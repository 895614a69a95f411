/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

/**
 * Where the limit of a bulkhead comes from. The adaptive ones are those of Netflix concurrency-limits, between the floor
 * {@link BulkheadSettings#minConcurrentCalls} and the ceiling {@link BulkheadSettings#maxConcurrentCalls}.
 */
public enum LimitAlgorithm {
    /** Always {@link BulkheadSettings#maxConcurrentCalls}, unless it is {@linkplain BulkheadPolicy#resize resized}. */
    FIXED,

    /**
     * Additive increase, multiplicative decrease: one more after each window, a tenth less after one with a timeout or a
     * pushback. Looks at no latency, so it needs a timeout further in.
     */
    AIMD,

    /**
     * Holds the queue that it infers inside the dependency, from the mean time of a call against the best one, at a twentieth
     * to a twelfth of the limit. For a dependency whose calls take about the same time (TCP Vegas).
     */
    VEGAS,

    /**
     * Shrinks as far as calls take longer than in a long mean of some ten minutes; for times that vary. A timeout or a pushback
     * counts as a call that took twice as long.
     */
    GRADIENT2
}
