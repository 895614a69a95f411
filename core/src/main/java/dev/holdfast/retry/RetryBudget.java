/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.retry;

import dev.holdfast.internal.Options;
import dev.holdfast.internal.Replicas;
import dev.holdfast.internal.Stripes;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.PolicyFactory.Option;
import dev.holdfast.spi.TimeSource;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.IntSupplier;

/**
 * Limits retries: successes fill it, failures drain it, and in an outage there are no retries. Without it, retries multiply
 * the load just when the dependency can bear it least.
 *
 * <p>It is the token bucket of gRPC's retry throttling (proposal A6, "Throttling Retry Attempts and Hedged RPCs"). It begins
 * full. Each failed attempt takes one token, and each success gives {@code tokenRatio}. A retry needs more than half of the
 * tokens.
 *
 * <p>Three rules are added to A6. A busy client has more tokens than {@code maxTokens}: a tenth of its successes of the last five
 * seconds, or {@code tokenRatio} of them if that is less. Half of these, the calls of a quarter of a second, can be retried in a
 * row. A client that has only failures soon has {@code maxTokens} again. And a low budget allows a few retries a minute by time
 * alone, so that a client with few calls can retry at all. And after a second of nothing but failures, of more than one call,
 * there are no retries until an attempt succeeds.
 *
 * <p>A {@link dev.holdfast.hedge.HedgePolicy hedge} takes a token for each attempt that it starts.
 *
 * <p>A {@link RetryPolicy} has a budget of its own unless it is given one. Several policies can share one. Times are nanoseconds
 * of one {@link dev.holdfast.spi.TimeSource}. Never blocks; safe for any number of threads. While the budget is full, threads do
 * not contend; the first 10,000 successes of a second are counted.
 */
public final class RetryBudget {
    static final Option<Builder, Integer> MAX_TOKENS = Option.integer(
                    "max-tokens", (Builder b) -> b.maxTokens, Builder::maxTokens)
            .range(1, 1_000)
            .means("tokens at the start, and the most there can be at low traffic");
    static final Option<Builder, Double> TOKEN_RATIO = Option.decimal(
                    "token-ratio", (Builder b) -> b.tokenRatio, Builder::tokenRatio)
            .range(0.001, 1_000.0)
            .means("tokens for a success, rounded down to three decimals");
    static final Option<Builder, Integer> MIN_RETRIES_PER_MINUTE = Option.integer(
                    "min-retries-per-minute", (Builder b) -> b.minRetriesPerMinute, Builder::minRetriesPerMinute)
            .range(0, 60)
            .means("retries that are allowed by time alone, evenly spaced, none while nothing succeeds");
    static final Option<Builder, IntSupplier> REPLICAS = Replicas.option(
                    (Builder b) -> b.replicas, (b, processes) -> b.replicas(processes))
            .means("how many processes share the retries by time alone");
    private static final Options<Builder> OPTIONS = new Options<>(
            "retry budget", Builder::new, List.of(MAX_TOKENS, TOKEN_RATIO, MIN_RETRIES_PER_MINUTE, REPLICAS));

    private static final int ONE_TOKEN = 1_000;
    private static final long MINUTE = 60_000_000_000L;

    /** What a busy client has for each of its latest successes, in thousandths of a token. */
    private static final int MOST_RATIO = 100;

    /** About one success in so many credits all that were counted. */
    private static final int CARRIES = 16;

    // The word: credited successes in the upper bits, missing thousandths of a token in the lower. One swap writes
    // both, so that no success is credited twice. The word has its own cache line: every success reads it.
    private static final int WORD = 16;
    private static final int MISSING_BITS = 24;
    private static final long MISSING_MASK = (1L << MISSING_BITS) - 1;
    private static final long COUNT_MASK = -1L >>> MISSING_BITS;

    private static final long NEVER_USED = 0;

    private static final int STRIPES = Stripes.count();
    private static final int TOGETHER = 8;
    /** In all stripes: no success waits to be counted. As many as never wait. */
    private static final long AT_ONCE = TOGETHER;

    private final int leastFull;
    private final int ratio;
    /** Between two spare retries of all processes. */
    private final long spareNanos;

    private final Replicas replicas;
    private final AtomicLongArray padded = new AtomicLongArray(2 * WORD);
    private final RecentSuccesses recent = new RecentSuccesses();
    private final AtomicLongArray uncounted = Stripes.words(STRIPES);
    private final LongAdder successes = new LongAdder();
    private final AtomicLong lastSpare = new AtomicLong(NEVER_USED);
    private volatile long successesAtSpare = -1;
    private final FailureStreak outage = new FailureStreak();

    private RetryBudget(Builder builder) {
        this(
                builder.maxTokens * ONE_TOKEN,
                // Further decimals are cut off, as A6 says; not by a product, which is inexact.
                BigDecimal.valueOf(builder.tokenRatio)
                        .movePointRight(3)
                        .setScale(0, RoundingMode.DOWN)
                        .intValueExact(),
                builder.minRetriesPerMinute == 0 ? 0 : MINUTE / builder.minRetriesPerMinute,
                builder.replicas);
    }

    private RetryBudget(int leastFull, int ratio, long spareNanos, Replicas replicas) {
        this.leastFull = leastFull;
        this.ratio = ratio;
        this.spareNanos = spareNanos;
        this.replicas = replicas;
    }

    /** The defaults, changed by this function. */
    public static RetryBudget of(Consumer<? super Builder> configure) {
        Builder builder = new Builder();
        configure.accept(builder);
        return builder.build();
    }

    /** Another budget with the same settings. It has all its tokens. */
    public RetryBudget fresh() {
        return new RetryBudget(leastFull, ratio, spareNanos, replicas);
    }

    /** A builder that holds the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** The options, for files and pages. */
    public static List<Option<Builder, ?>> options() {
        return OPTIONS.list();
    }

    /** A budget with the defaults. */
    public static RetryBudget ofDefaults() {
        return new Builder().build();
    }

    /**
     * Notes a success. Returns true if the caller must call {@link #succeeded}: after {@link #TOGETHER} successes of a thread,
     * or while tokens are missing. Otherwise it need not read the clock.
     */
    boolean needsTimeOfSuccess() {
        if ((padded.get(WORD) & MISSING_MASK) != 0) {
            return true;
        }
        // Without care: what two threads of one stripe lose makes the budget smaller by as much.
        int cell = Stripes.index(Stripes.current(), STRIPES);
        long waiting = uncounted.getPlain(cell) + 1;
        if (waiting < TOGETHER) {
            uncounted.setPlain(cell, waiting);
        }
        return waiting >= TOGETHER;
    }

    /**
     * On virtual time each success is counted at once: how many wait to be counted depends on which threads they are of, and a
     * test must not.
     */
    void bind(TimeSource time) {
        if (time.executor() != null) { // virtual time alone has one
            for (int stripe = 0; stripe < STRIPES; stripe++) {
                uncounted.set(Stripes.index(stripe, STRIPES), AT_ONCE);
            }
        }
    }

    /** Those that wait to be counted, and this one. */
    private int takeUncounted() {
        int cell = Stripes.index(Stripes.current(), STRIPES);
        long waiting = uncounted.getPlain(cell);
        if (waiting == 0 || waiting == AT_ONCE) {
            return 1;
        }
        uncounted.setPlain(cell, 0);
        return (int) waiting + 1;
    }

    /** An attempt of this call has succeeded. */
    public void succeeded(Passage passage) {
        if (counts(passage.now())) {
            credit(passage.random());
        }
    }

    /** An attempt has succeeded, of a call without a pipeline. */
    public void succeeded(long now) {
        if (counts(now)) {
            credit(ThreadLocalRandom.current().nextDouble());
        }
    }

    /** Counts a success; true if tokens are missing. */
    private boolean counts(long now) {
        boolean firstOfSecond = recent.count(now, takeUncounted());
        // Volatile, as every read of the word: a failure that happened before is seen, and its cost paid back.
        if ((padded.get(WORD) & MISSING_MASK) == 0) {
            return false;
        }
        if (firstOfSecond) {
            // A new second begins, and the maximum may be smaller now. Debt above it is dropped.
            pay(0, full(now));
        }
        return true;
    }

    private void credit(double random) {
        successes.increment();
        if (random * CARRIES < 1) {
            pay(0, Long.MAX_VALUE);
        }
    }

    /**
     * An attempt has failed or was pushed back; true if another one may be made.
     *
     * @param attempts how many attempts its call has made
     */
    public boolean failed(long now, int attempts) {
        long full = full(now);
        long missing = pay(ONE_TOKEN, full);
        long known = successes.sum();
        outage.failed(now, known);
        return isEnough(missing, full) && !outage.lasts(now, known, attempts);
    }

    /** Whether there are tokens for one more attempt, a hedge or a retry. */
    public boolean allows(long now) {
        long full = full(now);
        return isEnough(missing(padded.get(WORD), successes.sum(), full), full);
    }

    /** Takes a token for a hedge; false, and takes none, if the hedge must not be made: there are too few, or it is an outage. */
    public boolean spend(long now) {
        // Two of the failures may be those of its own call, with the attempts that are usual.
        if (!allows(now) || outage.lasts(now, successes.sum(), 2)) {
            return false;
        }
        // Two at one moment may both have seen the last token: the next ones see that it is gone.
        pay(ONE_TOKEN, full(now));
        return true;
    }

    /** Gives back a token that was {@linkplain #spend spent} on an attempt that was not made. */
    public void giveBack(long now) {
        long full = full(now);
        long seen;
        long next;
        do {
            seen = padded.get(WORD);
            long total = successes.sum() & COUNT_MASK;
            next = total << MISSING_BITS | Math.max(0, missing(seen, total, full) - ONE_TOKEN);
        } while (!padded.compareAndSet(WORD, seen, next));
    }

    private static boolean isEnough(long missing, long full) {
        return full - missing > full / 2;
    }

    /**
     * Whether time alone grants a retry now although the tokens do not; if so, it is used up. After the first one there must
     * have been a success, or it is an outage, in which these would be the only retries and help nobody.
     */
    boolean spare(long now, int attempts) {
        long last = lastSpare.get();
        if (spareNanos == 0 || (last != NEVER_USED && now - last < spareNanos * replicas.getAsInt())) {
            return false;
        }
        long known = successes.sum();
        if (known == successesAtSpare || outage.lasts(now, known, attempts)) {
            return false;
        }
        // Whoever loses the swap has seen another one take the only grant there was.
        if (!lastSpare.compareAndSet(last, now == NEVER_USED ? 1 : now)) {
            return false;
        }
        successesAtSpare = known;
        return true;
    }

    /** All tokens that there can be now, in thousandths. */
    private long full(long now) {
        return fullFor(recent.latest(now));
    }

    private long fullFor(long latestSuccesses) {
        return Math.max(leastFull, latestSuccesses * Math.min(ratio, MOST_RATIO));
    }

    /** Credits all successes that are known, then takes the cost; how much is missing then, at most the whole. */
    private long pay(int cost, long full) {
        for (; ; ) {
            long seen = padded.get(WORD);
            // After the word: whatever had been credited when it was written is in the sum.
            long total = successes.sum() & COUNT_MASK;
            long missing = Math.min(full, missing(seen, total, full) + cost);
            long next = total << MISSING_BITS | missing;
            if (next == seen || padded.compareAndSet(WORD, seen, next)) {
                return missing;
            }
        }
    }

    private long missing(long word, long total, long full) {
        long fresh = (total - (word >>> MISSING_BITS)) & COUNT_MASK;
        // Within this bound the product cannot overflow, and beyond it nothing is missing anyway.
        long credit = Math.min(fresh, MISSING_MASK) * ratio;
        return Math.min(full, Math.max(0, (word & MISSING_MASK) - credit));
    }

    /** The number of tokens at the time of the latest call: 0 to {@link #maxTokens}. */
    public double tokens() {
        long full = fullFor(recent.latest());
        return (full - missing(padded.get(WORD), successes.sum(), full)) / (double) ONE_TOKEN;
    }

    /** The most tokens at the time of the latest call: the setting, or more for a busy client. */
    public double maxTokens() {
        return fullFor(recent.latest()) / (double) ONE_TOKEN;
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
        private Replicas replicas = Replicas.ONE;

        private Builder() {}

        boolean isSameAs(Builder other) {
            return OPTIONS.same(this, other);
        }

        /**
         * The tokens at the start, and the most there can be at low traffic: 1 to 1,000; default 10. With less than 3 there
         * are only the retries of {@link #minRetriesPerMinute}.
         */
        public Builder maxTokens(int value) {
            maxTokens = value;
            return this;
        }

        /** The tokens that a success gives, rounded down to three decimals: 0.001 to 1,000; default 0.1. */
        public Builder tokenRatio(double value) {
            tokenRatio = value;
            return this;
        }

        /** The retries a minute that are allowed without tokens, evenly spaced: 0 to 60; default 3. */
        public Builder minRetriesPerMinute(int value) {
            minRetriesPerMinute = value;
            return this;
        }

        /**
         * How many processes share {@link #minRetriesPerMinute}: 1 to 10,000; default 1. Each process has its part of them, after
         * a first one of its own. Tokens are for each process.
         */
        public Builder replicas(int processes) {
            replicas = Replicas.of(processes);
            return this;
        }

        /** The same, for a number that changes: asked before each spare retry, on any thread; must not block. */
        public Builder replicas(IntSupplier processes) {
            replicas = Replicas.of(processes);
            return this;
        }

        /**
         * Checks and makes the budget.
         *
         * @throws dev.holdfast.spi.InvalidSettingsException if a value is out of range
         */
        public RetryBudget build() {
            OPTIONS.check(this).done();
            return new RetryBudget(this);
        }
    }
}
