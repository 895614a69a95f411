/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

/**
 * From which rates on a window is bad enough, and how many calls it must hold for that to mean something. Immutable.
 *
 * <p>Rates are floats, computed as resilience4j computes them, so that both are on the same side of a threshold.
 */
record Thresholds(float failureRate, float slowRate, int minimumCalls) {
    /** The window holds too few calls, or nothing that matters has changed. */
    static final int UNDECIDED = 0;
    /** Enough calls, and neither rate has reached its threshold. */
    static final int BELOW = 1;
    /** The failure rate has reached its threshold; a bit. */
    static final int FAILING = 2;
    /** The slow call rate has reached its threshold; a bit. */
    static final int SLOW = 4;

    /** -1 while there are too few calls. */
    float rateOf(int part, int calls) {
        return calls < minimumCalls ? -1 : part * 100.0f / calls;
    }

    /**
     * What these numbers mean.
     *
     * @param overdue calls that still run and are slow already; part of the slow call rate alone
     */
    int judge(int calls, int failed, int slow, int overdue) {
        int judged = 0;
        if (calls >= minimumCalls && rateOf(failed, calls) >= failureRate) {
            judged = FAILING;
        }
        if (calls + overdue >= minimumCalls && rateOf(slow + overdue, calls + overdue) >= slowRate) {
            judged |= SLOW;
        }
        if (judged != 0) {
            return judged;
        }
        return calls >= minimumCalls ? BELOW : UNDECIDED;
    }

    static boolean exceeded(int judged) {
        return (judged & (FAILING | SLOW)) != 0;
    }
}
