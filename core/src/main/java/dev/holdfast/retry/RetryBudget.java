/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.retry;

import dev.holdfast.spi.Checks;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;

/**
 * What retries are paid from: successes fill it, failures drain it, and in an outage there are none. Otherwise retries
 * multiply the load just when the dependency can bear it least.
 *
 * <p>The token bucket of gRPC's retry throttling (proposal A6, "Throttling Retry Attempts and Hedged RPCs"): it begins
 * full; each failed attempt takes one token, each success gives {@code tokenRatio}; a retry may be made only while more
 * than half of {@code maxTokens} is left. Beyond A6, a drained budget grants a few retries a minute by time alone, so that
 * a client with few calls can retry at all.
 *
 * <p>A {@link dev.holdfast.hedge.HedgePolicy hedge} is paid from it too: an attempt that is made beside another one takes a
 * token when it is started, whatever becomes of it.
 *
 * <p>A {@link RetryPolicy} has a budget of its own unless it is given one; one that is given to several policies is shared
 * by them. Never blocks; safe for any number of threads. A success writes nothing while the budget is full, and else
 * contends with no other.
 */
public final class RetryBudget {
    private static final int ONE_TOKEN = 1_000;
    private static final long MINUTE = 60_000_000_000L;

    /** One success in so many carries over what all have put in; the others only count. */
    private static final int CARRIES = 16;

    // The word: how many successes have been credited above, thousandths of a token below. Both are swapped together,
    // so
    // that no success is credited twice. It stands alone on its cache line: every success reads it.
    private static final int WORD = 16;
    private static final int TOKEN_BITS = 20;
    private static final long TOKEN_MASK = (1L << TOKEN_BITS) - 1;
    private static final long COUNT_MASK = -1L >>> TOKEN_BITS;

    private static final long NEVER_USED = 0;

    private final int max;
    private final int ratio;
    private final int threshold;
    private final long spareNanos;
    private final AtomicLongArray padded = new AtomicLongArray(2 * WORD);
    private final LongAdder successes = new LongAdder();
    private final AtomicLong nextSpare = new AtomicLong(NEVER_USED);

    private RetryBudget(Builder builder) {
        max = builder.maxTokens * ONE_TOKEN;
        threshold = max / 2;
        // Further decimals are cut off, as A6 says; not by a product, which is inexact.
        ratio = BigDecimal.valueOf(builder.tokenRatio)
                .movePointRight(3)
                .setScale(0, RoundingMode.DOWN)
                .intValueExact();
        spareNanos = builder.minRetriesPerMinute == 0 ? 0 : MINUTE / builder.minRetriesPerMinute;
        padded.set(WORD, max);
    }

    /** The defaults, changed by this. */
    public static RetryBudget of(Consumer<? super Builder> configure) {
        Builder builder = new Builder();
        configure.accept(builder);
        return builder.build();
    }

    /** With the defaults. */
    public static RetryBudget ofDefaults() {
        return new Builder().build();
    }

    /** An attempt has succeeded. */
    public void succeeded() {
        // Volatile, as every read of the word: a failure that happened before is seen, and its cost paid back.
        if ((padded.get(WORD) & TOKEN_MASK) == max) {
            return;
        }
        successes.increment();
        if (ThreadLocalRandom.current().nextInt(CARRIES) == 0) {
            pay(0);
        }
    }

    /** An attempt has failed in a way that is retried, or was pushed back; true if another one may be made. */
    public boolean failed() {
        return pay(ONE_TOKEN) > threshold;
    }

    /** Whether there are tokens for one more attempt, a hedge or a retry. */
    public boolean allows() {
        return credited(padded.get(WORD), successes.sum()) > threshold;
    }

    /** Takes a token for an attempt that is made beside another one, a hedge; false, and takes none, if it may not be made. */
    public boolean spend() {
        if (!allows()) {
            return false;
        }
        // Two at one moment may both have seen the last token: the next ones see that it is gone.
        pay(ONE_TOKEN);
        return true;
    }

    /** Whether time alone grants a retry now although the tokens do not; if so, it is used up. */
    boolean spare(long now) {
        long next = nextSpare.get();
        if (spareNanos == 0 || (next != NEVER_USED && now - next < 0)) {
            return false;
        }
        long after = now + spareNanos;
        // Whoever loses the swap has seen another one take the only grant there was.
        return nextSpare.compareAndSet(next, after == NEVER_USED ? 1 : after);
    }

    /** Credits all successes that are known, then takes the cost; what is left, in thousandths. */
    private long pay(int cost) {
        for (; ; ) {
            long seen = padded.get(WORD);
            // After the word: whatever had been credited when it was written is in the sum.
            long total = successes.sum() & COUNT_MASK;
            long left = Math.max(0, credited(seen, total) - cost);
            long next = total << TOKEN_BITS | left;
            if (next == seen || padded.compareAndSet(WORD, seen, next)) {
                return left;
            }
        }
    }

    private long credited(long word, long total) {
        long fresh = (total - (word >>> TOKEN_BITS)) & COUNT_MASK;
        // Within this bound the product cannot overflow, and beyond it the budget is full anyway.
        return Math.min(max, (word & TOKEN_MASK) + Math.min(fresh, max) * ratio);
    }

    /** How many tokens there are now, 0 to {@link #maxTokens}. */
    public double tokens() {
        return credited(padded.get(WORD), successes.sum()) / (double) ONE_TOKEN;
    }

    /** How many tokens there can be. */
    public int maxTokens() {
        return max / ONE_TOKEN;
    }

    @Override
    public String toString() {
        return "RetryBudget[" + tokens() + " of " + maxTokens() + "]";
    }

    /** Collects settings; the values are checked together in {@link #build}. */
    public static final class Builder {
        private int maxTokens = 10;
        private double tokenRatio = 0.1;
        private int minRetriesPerMinute = 3;

        Builder() {}

        Builder(Builder other) {
            maxTokens = other.maxTokens;
            tokenRatio = other.tokenRatio;
            minRetriesPerMinute = other.minRetriesPerMinute;
        }

        /** How many tokens there can be, and are at first: 1 to 1,000; default 10. With less than 3 nothing is retried. */
        public Builder maxTokens(int value) {
            maxTokens = value;
            return this;
        }

        /** What a success gives, in tokens, to three decimals: 0.001 to 1,000; default 0.1: ten successes pay a failure. */
        public Builder tokenRatio(double value) {
            tokenRatio = value;
            return this;
        }

        /** How many retries a minute are granted, evenly spaced, where the tokens grant none: 0 to 60; default 3. */
        public Builder minRetriesPerMinute(int value) {
            minRetriesPerMinute = value;
            return this;
        }

        Checks check(Checks checks, String prefix) {
            return checks.range(prefix + "maxTokens", maxTokens, 1, 1_000)
                    .range(prefix + "tokenRatio", tokenRatio, 0.001, 1_000)
                    .range(prefix + "minRetriesPerMinute", minRetriesPerMinute, 0, 60);
        }

        /**
         * Checks and makes the budget.
         *
         * @throws dev.holdfast.spi.InvalidSettingsException if a value is out of range
         */
        public RetryBudget build() {
            check(new Checks("retry budget"), "").done();
            return new RetryBudget(this);
        }
    }
}
