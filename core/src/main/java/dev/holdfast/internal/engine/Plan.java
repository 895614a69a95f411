/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.internal.Numbered;
import dev.holdfast.spi.Policy;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The policies of a pipeline in their order, and which of them hears what. Immutable. */
final class Plan {
    private static final long LONGEST_RESERVE = TimeUnit.MILLISECONDS.toNanos(25);
    private static final int RESERVED_PART = 8;

    final int layers;
    /** Whether a layer hedges: then another thread may have to run what a call runs. */
    final boolean hedges;
    /** Whether a layer may answer in place of what failed inside it. */
    private final boolean answers;
    // A bit for each layer.
    final long onSuccess;
    final long onFailure;
    final long onEnd;
    final long onAdmission;
    final long onAttempt;
    final long onOverdue;

    private final Policy[] policies;
    private final String[] names;
    private final int[] nextEnter;

    /** @throws IllegalArgumentException if the policies can never work together */
    Plan(String pipeline, List<Policy> outermostFirst) {
        policies = outermostFirst.toArray(new Policy[0]);
        names = Numbered.names(outermostFirst).toArray(new String[0]);
        layers = policies.length;
        answers = outermostFirst.stream().anyMatch(Policy::mayAnswer);
        nextEnter = new int[layers + 1];
        nextEnter[layers] = layers;
        for (int i = layers - 1; i >= 0; i--) {
            nextEnter[i] = hears(i, Policy.ENTER) ? i : nextEnter[i + 1];
        }
        onSuccess = mask(Policy.SUCCESS);
        onFailure = mask(Policy.FAILURE);
        onEnd = mask(Policy.ENDED);
        onAdmission = mask(Policy.STILL_ADMITS);
        onAttempt = mask(Policy.ATTEMPTS);
        onOverdue = mask(Policy.OVERDUE);
        long hedging = mask(Policy.HEDGE);
        hedges = hedging != 0;
        if (Long.bitCount(hedging) > 1) {
            throw new IllegalArgumentException("pipeline '" + pipeline + "' has " + Long.bitCount(hedging)
                    + " policies that hedge, but at most 1 can");
        }
        if (hedging < 0) {
            throw new IllegalArgumentException(
                    "pipeline '" + pipeline + "' hedges in its 64th policy, but at most the 63rd can");
        }
        int watching = Long.bitCount(onOverdue);
        if (watching > Alarms.MOST) {
            throw new IllegalArgumentException("pipeline '" + pipeline + "' has " + watching
                    + " policies that watch running calls, but at most " + Alarms.MOST + " can");
        }
    }

    /**
     * By how much a call ends before its inherited limit, if a layer may answer in place of a failure. Otherwise the outer
     * calls would end at the same instant and lose the answer.
     */
    long reserve(long inherited, boolean answersItself) {
        return (answers || answersItself) && inherited != Long.MAX_VALUE && inherited > 0
                ? Math.min(inherited / RESERVED_PART, LONGEST_RESERVE)
                : 0;
    }

    private boolean hears(int layer, int what) {
        return (policies[layer].hears() & what) != 0;
    }

    private long mask(int what) {
        long mask = 0;
        for (int i = 0; i < layers; i++) {
            if (hears(i, what)) {
                mask |= 1L << i;
            }
        }
        return mask;
    }

    Policy policy(int layer) {
        return policies[layer];
    }

    String policyName(int layer) {
        return names[layer];
    }

    /** Whether it has this very policy under this name. */
    boolean has(Policy policy, String name) {
        for (int i = 0; i < layers; i++) {
            if (policies[i] == policy && names[i].equals(name)) {
                return true;
            }
        }
        return false;
    }

    /** The next layer from this one inward that is to be entered; {@link #layers} if there is none. */
    int nextEnter(int layer) {
        return nextEnter[layer];
    }

    /** The layers that the call is inside of, a bit for each. */
    long entered(CallState call) {
        return below(call.cursor) & -1L << call.base;
    }

    /** The layers further out than this one, of which there may be 64. */
    static long below(int layer) {
        return layer >= Long.SIZE ? -1L : (1L << layer) - 1;
    }
}
