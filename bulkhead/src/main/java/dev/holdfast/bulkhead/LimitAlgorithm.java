/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

/**
 * Where the limit of a bulkhead comes from. The adaptive ones are those of Netflix concurrency-limits, between the floor
 * {@link BulkheadSettings#minConcurrentCalls} and the ceiling {@link BulkheadSettings#maxConcurrentCalls}.
 *
 * <p>Before a limit shrinks far it is tried whether that helps. A dependency that is slower or fails more for a reason that has
 * nothing to do with how many calls are in it keeps its limit.
 */
public enum LimitAlgorithm {
    /** Always {@link BulkheadSettings#maxConcurrentCalls}, unless it is {@linkplain BulkheadPolicy#resize resized}. */
    FIXED,

    /**
     * Additive increase, multiplicative decrease: one more after each window; a tenth less after one in which half of the calls
     * end in a timeout or a pushback, and as much less often as fewer do. Looks at no latency, so it needs a timeout further in.
     */
    AIMD,

    /**
     * Holds the queue that it infers inside the dependency, from what calls take against what they usually take, at a twentieth
     * to a twelfth of the limit (TCP Vegas). A timeout or a pushback counts as a call that took twice as long as usual.
     */
    VEGAS,

    /**
     * Shrinks as far as calls take longer than they usually do, in smaller steps than {@link #VEGAS} and to a steadier limit. A
     * timeout or a pushback counts as a call that took twice as long as usual.
     */
    GRADIENT2
}
