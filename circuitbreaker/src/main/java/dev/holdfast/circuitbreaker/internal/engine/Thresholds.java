/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.engine;

/**
 * The rates from which on a window is bad, and the number of calls that it must hold before its rates count. Immutable.
 *
 * <p>Rates are floats, computed as in resilience4j, so that both are on the same side of a threshold.
 *
 * @param foresees whether to give the verdict as soon as the calls missing to the minimum cannot change it
 * @param slowNanos a call is slow if it ran for longer. Also: if enough calls hang and nothing returns for this time, older
 *     results no longer count
 */
public record Thresholds(float failureRate, float slowRate, int minimumCalls, boolean foresees, long slowNanos) {
    /** The window holds too few calls, or nothing that matters has changed. */
    static final int UNDECIDED = 0;
    /** Enough calls, and neither rate has reached its threshold. */
    static final int BELOW = 1;
    /** The failure rate has reached its threshold; a bit. */
    public static final int FAILING = 2;
    /** The slow call rate has reached its threshold; a bit. */
    public static final int SLOW = 4;
    /** There was nothing but failures for too long; a bit. */
    static final int LASTING = 8;

    /** -1 while there are too few calls. */
    float rateOf(int part, int calls) {
        return calls < minimumCalls ? -1 : part * 100.0f / calls;
    }

    /**
     * The verdict on these numbers.
     *
     * @param calls all calls that have ended
     * @param timed those of them that count for the slow call rate
     * @param slow how many of the timed calls are slow
     * @param overdue running calls that are slow already; they count for the slow call rate only
     */
    int judge(int calls, int failed, int timed, int slow, int overdue) {
        // Good calls that are still missing lower a rate: if it is reached with them, it is reached.
        int ended = foresees ? Math.max(calls, minimumCalls) : calls;
        int known = foresees ? Math.max(timed + overdue, minimumCalls) : timed + overdue;
        int judged = 0;
        if (rateOf(failed, ended) >= failureRate) {
            judged = FAILING;
        }
        if (rateOf(slow + overdue, known) >= slowRate) {
            judged |= SLOW;
        }
        if (judged != 0) {
            return judged;
        }
        return calls >= minimumCalls || (foresees && staysBelow(calls, failed, slow)) ? BELOW : UNDECIDED;
    }

    /** Whether the rates stay below even if all missing calls, including the running ones, fail and are slow. */
    private boolean staysBelow(int calls, int failed, int slow) {
        int missing = minimumCalls - calls;
        return rateOf(failed + missing, minimumCalls) < failureRate && rateOf(slow + missing, minimumCalls) < slowRate;
    }

    static boolean exceeded(int judged) {
        return (judged & (FAILING | SLOW | LASTING)) != 0;
    }
}
