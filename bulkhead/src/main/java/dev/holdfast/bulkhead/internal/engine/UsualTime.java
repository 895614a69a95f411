/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

/**
 * The mean time of attempts in calm times and fine periods, and when an attempt is late by it. Follows slowly: what takes longer
 * now may be our own doing. Threads: the writer holds the lock of {@link LossLimit}; {@link #nanos}, {@link #isLate},
 * {@link #isTwice} and {@link #isSampled} can be asked without it.
 */
final class UsualTime {
    /** An attempt is late that takes more of its time than this, and so many times as long as usual. */
    private static final double LATE_SHARE = 0.25;

    private static final int LATE_TIMES = 2;

    /** At most half of all attempts take twice the mean time, and rarely more than a seventh do. */
    private static final int LATE_ONES = 3;

    private static final double FASTEST = 1.0 / 8;
    private static final double LEARNING_NANOS = 60e9;

    /** While nothing happens, about one attempt of so many tells how long attempts usually take. */
    private static final int SAMPLED = 16;

    /** Times the longest attempt. Slow ones come back last, and the mean of the first ones would leave them out. */
    private static final int LEARNING_ATTEMPTS = 2;

    private static final long LONGEST_LEARNING_NANOS = 10_000_000_000L;

    /** The most that an attempt may take; {@link Long#MAX_VALUE} if nothing limits it. */
    private volatile long attemptLimit = Long.MAX_VALUE;

    private volatile long lateNanos = Long.MAX_VALUE;
    private volatile long twice = Long.MAX_VALUE;
    private volatile long mean;
    private long learnedAt;
    /** How many the first mean was learned from; until it is known, no attempt is late. */
    private int learned;

    private long learningSince;
    private volatile boolean learning = true;

    void attemptLimit(long nanos) {
        attemptLimit = nanos;
        setLate();
    }

    long nanos() {
        return mean;
    }

    boolean isLate(long nanos) {
        return nanos >= lateNanos;
    }

    /** Whether it took twice the mean time, or more. */
    boolean isTwice(long nanos) {
        return nanos >= twice;
    }

    /** Whether attempts show the usual time, if so many of them are late. In a slow overload the mean would follow the queue. */
    static boolean isUsual(int late, int served) {
        return late * LATE_ONES <= served;
    }

    /** Whether it has been in a queue, perhaps. */
    boolean isLong(long nanos) {
        return nanos >= longNanos();
    }

    private long longNanos() {
        return attemptLimit == Long.MAX_VALUE
                ? Long.MAX_VALUE
                : Math.max(LATE_TIMES * mean, (long) (LATE_SHARE * attemptLimit));
    }

    /** Whether an attempt of a calm time is to be told. */
    boolean isSampled(long nanos) {
        return nanos != 0 && (learning || (nanos >>> 4) % SAMPLED == 0);
    }

    /** How many attempts of a calm time a sampled one stands for. */
    int each() {
        return learning ? 1 : SAMPLED;
    }

    /** So many attempts took this long on average. Both ways alike, or it would not be the mean. */
    void learn(long now, long nanos, int attempts) {
        double share = Math.min(FASTEST, (now - learnedAt) / LEARNING_NANOS);
        if (learning) {
            learningSince = learned == 0 ? now : learningSince;
            learned += attempts;
            share = (double) attempts / learned;
            long enough = attemptLimit == Long.MAX_VALUE
                    ? 0
                    : Math.min(LEARNING_ATTEMPTS * attemptLimit, LONGEST_LEARNING_NANOS);
            learning = learned < SAMPLED || now - learningSince < enough;
        }
        becomes(now, mean + (long) ((nanos - mean) * share));
    }

    /** From now on this is usual. */
    void becomes(long now, long nanos) {
        mean = nanos;
        learnedAt = now;
        setLate();
    }

    private void setLate() {
        twice = learning ? Long.MAX_VALUE : LATE_TIMES * mean;
        lateNanos = learning ? Long.MAX_VALUE : longNanos();
    }
}
