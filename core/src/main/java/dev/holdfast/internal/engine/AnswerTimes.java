/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.internal.AroundPolicy;
import dev.holdfast.internal.TimeBuckets;
import dev.holdfast.spi.Policy;
import java.util.Map;
import java.util.WeakHashMap;

/**
 * How long about the last 100 to 256 answers took that came through a policy, as a histogram with steps of an eighth. An
 * attempt that was ended earlier says nothing of the dependency.
 *
 * <p>Belongs to the policy and not to its pipeline: a policy that two pipelines share knows the answers of both.
 *
 * <p>Read and written by all threads without care: an answer that is lost to a race is followed by others.
 */
public final class AnswerTimes {
    /** At most one answer in this time is noted. */
    static final long SAMPLE_NANOS = 1_000_000;
    /** After so many attempts in a row that ran longer than the median without an answer, the next one counts as a hang. */
    private static final int HANG = 20;
    /** At this number the counts are halved: enough remain for a twentieth to count, few enough to follow a change. */
    private static final int MOST = 256;

    private static final Map<Policy, AnswerTimes> OF_POLICIES = new WeakHashMap<>();

    private final short[] counts = new short[TimeBuckets.COUNT];
    private int total;
    private long answeredAt;
    private int unanswered;

    /** The same for all pipelines of a policy, also while it is in shadow. */
    static AnswerTimes of(Policy policy) {
        synchronized (OF_POLICIES) {
            Policy known = policy;
            while (known instanceof AroundPolicy around) {
                known = around.policy();
            }
            return OF_POLICIES.computeIfAbsent(known, unused -> new AnswerTimes());
        }
    }

    public static void takeOver(Policy policy, Policy previous) {
        of(policy).become(of(previous));
    }

    private void become(AnswerTimes other) {
        System.arraycopy(other.counts, 0, counts, 0, counts.length);
        total = known();
        answeredAt = other.answeredAt;
        unanswered = other.unanswered;
    }

    /** Notes an answer, unless one was noted within the last millisecond. Returns how long ago that was; else 0. */
    long note(long nanos, long now) {
        long ago = now - answeredAt;
        if (ago >= 0 && ago < SAMPLE_NANOS && total > 0) {
            return ago;
        }
        answered(nanos, now);
        return 0;
    }

    void answered(long nanos, long now) {
        answeredAt = now;
        unanswered = 0;
        counts[TimeBuckets.of(nanos)]++;
        if (++total >= MOST) {
            forgetHalf();
        }
    }

    /** There are more answers than buckets, so some bucket holds two: something stays. */
    private void forgetHalf() {
        for (int i = 0; i < TimeBuckets.COUNT; i++) {
            counts[i] = (short) (counts[i] / 2);
        }
        total = known();
    }

    private int known() {
        int sum = 0;
        for (short count : counts) {
            sum += count;
        }
        return sum;
    }

    /**
     * Whether an attempt that a limit ended counts against the dependency.
     *
     * @param nanos how long the attempt ran
     * @param longNanos how long such an attempt must have run if no answer is known
     */
    boolean areOutlivedBy(long nanos, long now, long longNanos) {
        int known = known();
        if (known == 0) {
            return nanos >= longNanos;
        }
        return isLongAfter(known, nanos) || isInHang(known, nanos, now);
    }

    /**
     * Clearly longer than nearly all answers. By a quarter: where each caller's limit is the same, no answer is longer than
     * that limit, and the longest are just below it.
     */
    private boolean isLongAfter(int known, long nanos) {
        // A twentieth, but one of three already: an outlier must not hide a hang that follows it.
        long most = longestBut((known + 17) / 20);
        return nanos > most + most / 4;
    }

    /**
     * Whether nobody gets an answer any more. Half of the attempts that run for the median get one; if twenty get none, the
     * longer half of the answers, as they come before many a hang, no longer matters. An attempt that began before the last
     * answer says nothing: it may be one of many that began together.
     */
    private boolean isInHang(int known, long nanos, long now) {
        if (now - answeredAt < nanos + SAMPLE_NANOS || nanos <= longestBut(known / 2)) {
            return false;
        }
        int before = unanswered;
        if (before < HANG) {
            unanswered = before + 1;
        }
        return before >= HANG;
    }

    /** The longest time, without this many longer ones. */
    private long longestBut(int leftOut) {
        int left = leftOut;
        int bucket = TimeBuckets.COUNT - 1;
        while (bucket > 0 && (left -= counts[bucket]) >= 0) {
            bucket--;
        }
        return TimeBuckets.end(bucket);
    }
}
