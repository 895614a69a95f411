/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import dev.holdfast.bulkhead.internal.engine.Permits;
import dev.holdfast.bulkhead.internal.resilience4j.Resilience4jOptions;
import dev.holdfast.internal.Checks;
import dev.holdfast.internal.Options;
import dev.holdfast.internal.Replicas;
import dev.holdfast.spi.InvalidSettingsException;
import dev.holdfast.spi.PolicyFactory.Option;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/** The settings of a bulkhead: limit, queue and lease. Immutable. */
public final class BulkheadSettings {
    private static final Duration TICK = Duration.ofMillis(1);
    private static final Duration DAY = Duration.ofDays(1);

    // The first value of a limit that heeds losses, for one process and for all.
    private static final int LEAST_FIRST = 3;
    private static final int MOST_FIRST = 10;
    private static final int FIRST_OF_ALL = 150;

    private static final Options<Builder> OPTIONS = new Options<>(
            "bulkhead",
            Builder::new,
            List.of(
                    Option.integer(
                                    "max-concurrent-calls",
                                    (Builder b) -> b.maxConcurrentCalls,
                                    Builder::maxConcurrentCalls)
                            .range(1, Permits.MOST)
                            .means("number of permits; the maximum of a limit that adapts")
                            .defaultIs("200 for `losses`, 25 for the others"),
                    Option.of("limit", LimitAlgorithm.class, (Builder b) -> b.limit, Builder::limit)
                            .means("whether and how the limit adapts")
                            .defaultIs("losses; fixed if `max-concurrent-calls` is given alone"),
                    Option.integer(
                                    "min-concurrent-calls",
                                    (Builder b) -> b.minConcurrentCalls,
                                    Builder::minConcurrentCalls)
                            .range(1, Permits.MOST)
                            .means("minimum of a limit that adapts")
                            .rangeIs("1 to `max-concurrent-calls`")
                            .defaultIs("1"),
                    Option.integer(
                                    "initial-concurrent-calls",
                                    (Builder b) -> b.initialConcurrentCalls,
                                    Builder::initialConcurrentCalls)
                            .range(1, Permits.MOST)
                            .means("first value of a limit that adapts")
                            .rangeIs("`min-concurrent-calls` to `max-concurrent-calls`")
                            .defaultIs(
                                    "for `losses` 10, or `max-concurrent-calls` if that is given, fewer with more than 15 `replicas`; for the others 20; or the nearest allowed value"),
                    Option.integer("max-waiting-calls", (Builder b) -> b.maxWaitingCalls, Builder::maxWaitingCalls)
                            .range(0, Permits.MOST)
                            .means("length of the queue"),
                    Option.duration("max-wait", (Builder b) -> b.maxWait, Builder::maxWait)
                            .range(Duration.ZERO, DAY)
                            .means("longest wait in the queue"),
                    Option.of("queue-order", QueueOrder.class, (Builder b) -> b.queueOrder, Builder::queueOrder)
                            .means("which of the waiting calls is served first"),
                    Option.duration("codel-target", (Builder b) -> b.codelTarget, Builder::codelTarget)
                            .range(Duration.ZERO, DAY)
                            .means("for `codel`: longest wait in a standing queue"),
                    Option.duration("codel-interval", (Builder b) -> b.codelInterval, Builder::codelInterval)
                            .range(TICK, DAY)
                            .means("for `codel`: a queue that was not empty for this long is a standing queue"),
                    Option.duration("lease", (Builder b) -> b.lease, Builder::lease)
                            .range(TICK, DAY)
                            .means("how long the work of an attempt may continue after its outcome was decided"),
                    Option.flag("dedicated-threads", (Builder b) -> b.dedicatedThreads, Builder::dedicatedThreads)
                            .means("whether attempts run on threads of the bulkhead"),
                    Replicas.option((Builder b) -> b.replicas, (b, processes) -> b.replicas(processes))
                            .means("how many processes call the dependency")));

    private final Builder builder;

    private BulkheadSettings(Builder builder) {
        this.builder = builder;
    }

    /**
     * The defaults, changed by the function.
     *
     * @throws InvalidSettingsException if a value is out of range; the message names the option, the value and the range
     */
    public static BulkheadSettings of(Consumer<? super Builder> changes) {
        Builder builder = builder();
        changes.accept(builder);
        return builder.build();
    }

    /**
     * The settings of a resilience4j config. An option without a counterpart gives one of the {@link #warnings} when the
     * pipeline is built. A {@linkplain BulkheadPolicy#asResilience4j view} keeps {@code maxWaitDuration} and {@code
     * writableStackTraceEnabled} of the config.
     *
     * @throws InvalidSettingsException if a value is out of range here, such as {@code maxConcurrentCalls} of 0, or a {@code
     *     maxWaitDuration} of more than a day, which the message calls {@code maxWait}
     */
    public static BulkheadSettings from(BulkheadConfig config) {
        Duration maxWait = config.getMaxWaitDuration();
        Builder builder = builder()
                .maxConcurrentCalls(config.getMaxConcurrentCalls())
                .maxWait(maxWait)
                .maxWaitingCalls(maxWait.isZero() ? 0 : Permits.MOST);
        builder.forViews = Resilience4jOptions.of(config);
        return builder.build();
    }

    /** A builder that holds the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** A builder that holds these settings. An initial limit that was not set still follows the minimum and the maximum. */
    public Builder toBuilder() {
        return new Builder(builder);
    }

    /** The options, for files and pages. */
    public static List<Option<Builder, ?>> options() {
        return OPTIONS.list();
    }

    /** The values by their names in a file, also those that follow others; without those that only code can give and has not. */
    public Map<String, Object> asMap() {
        return OPTIONS.values(toBuilder()
                .maxConcurrentCalls(maxConcurrentCalls())
                .limit(limit())
                .minConcurrentCalls(minConcurrentCalls())
                .initialConcurrentCalls(initialConcurrentCalls()));
    }

    /** The number of permits; the maximum of a limit that adapts. */
    public int maxConcurrentCalls() {
        return builder.effectiveMax();
    }

    /** Whether and how the limit adapts. */
    public LimitAlgorithm limit() {
        return builder.effectiveLimit();
    }

    /** The minimum of a limit that adapts. */
    public int minConcurrentCalls() {
        return builder.effectiveMin();
    }

    /** The first value of a limit that adapts. */
    public int initialConcurrentCalls() {
        return builder.effectiveInitial();
    }

    /** The length of the queue. A call beyond it is rejected at once. */
    public int maxWaitingCalls() {
        return builder.maxWaitingCalls;
    }

    /** The longest wait in the queue. */
    public Duration maxWait() {
        return builder.maxWait;
    }

    /** Which of the waiting calls gets a permit first. */
    public QueueOrder queueOrder() {
        return builder.queueOrder;
    }

    /** For {@link QueueOrder#CODEL}: the longest wait in a standing queue. */
    public Duration codelTarget() {
        return builder.codelTarget;
    }

    /** For {@link QueueOrder#CODEL}: a queue that was not empty for this long is a standing queue. */
    public Duration codelInterval() {
        return builder.codelInterval;
    }

    /** How long work may continue after its outcome was decided, before its permit is given to others. */
    public Duration lease() {
        return builder.lease;
    }

    /** Whether attempts run on threads of the bulkhead. */
    public boolean dedicatedThreads() {
        return builder.dedicatedThreads;
    }

    /** How many processes call the dependency; of a live number, how many they are now. */
    public int replicas() {
        return builder.replicas.getAsInt();
    }

    /** The options of the {@linkplain #from config} that could not be kept, one sentence each, after the name of the rule. */
    public List<String> warnings() {
        return builder.forViews.warnings();
    }

    /** The options for callers of a view. */
    Resilience4jOptions forViews() {
        return builder.forViews;
    }

    /** Whether the order of the queue is the same, and the limit is fixed in both or adapts in the same way. */
    boolean isQueuedAndAdaptsAs(BulkheadSettings other) {
        return limit() == other.limit()
                && queueOrder() == other.queueOrder()
                && codelInterval().equals(other.codelInterval())
                && switch (limit()) {
                    case FIXED -> true;
                    case LOSSES -> minConcurrentCalls() == other.minConcurrentCalls();
                    case AIMD, VEGAS, GRADIENT2 ->
                        maxConcurrentCalls() == other.maxConcurrentCalls()
                                && minConcurrentCalls() == other.minConcurrentCalls();
                };
    }

    @Override
    public String toString() {
        Builder b = builder;
        String adaptive = limit() == LimitAlgorithm.FIXED
                ? ""
                : ", limit=" + limit() + ", minConcurrentCalls=" + b.effectiveMin() + ", initialConcurrentCalls="
                        + b.effectiveInitial();
        String codel = b.queueOrder == QueueOrder.CODEL
                ? ", codelTarget=" + Checks.text(b.codelTarget) + ", codelInterval=" + Checks.text(b.codelInterval)
                : "";
        return "maxConcurrentCalls=" + b.effectiveMax() + adaptive + ", maxWaitingCalls=" + b.maxWaitingCalls
                + ", maxWait=" + Checks.text(b.maxWait) + ", queueOrder=" + b.queueOrder + codel + ", lease="
                + Checks.text(b.lease) + (b.dedicatedThreads ? ", dedicatedThreads" : "")
                + (b.replicas.equals(Replicas.ONE) ? "" : ", replicas=" + b.replicas);
    }

    /** Collects settings; all checks are made in {@link #build}. Not safe for several threads. */
    public static final class Builder {
        private @Nullable Integer maxConcurrentCalls;
        private @Nullable LimitAlgorithm limit;
        private @Nullable Integer minConcurrentCalls;
        private @Nullable Integer initialConcurrentCalls;
        private int maxWaitingCalls = 100;
        private Duration maxWait = Duration.ofMillis(100);
        private QueueOrder queueOrder = QueueOrder.FIFO;
        private Duration codelTarget = Duration.ofMillis(5);
        private Duration codelInterval = Duration.ofMillis(100);
        private Duration lease = Duration.ofMinutes(1);
        private boolean dedicatedThreads;
        private Replicas replicas = Replicas.ONE;
        private Resilience4jOptions forViews = Resilience4jOptions.DEFAULTS;

        private Builder() {}

        private Builder(Builder other) {
            OPTIONS.copy(other, this);
            forViews = other.forViews;
        }

        /** The number of permits; the maximum of a limit that adapts: 1 to 1,000,000; default 200 for {@link
         * LimitAlgorithm#LOSSES}, 25 for the others. */
        public Builder maxConcurrentCalls(int calls) {
            maxConcurrentCalls = calls;
            return this;
        }

        /**
         * Whether and how the limit adapts; default {@link LimitAlgorithm#LOSSES}. But {@link LimitAlgorithm#FIXED} if {@link
         * #maxConcurrentCalls} is given, and neither minimum nor first value: then this number is meant.
         */
        public Builder limit(LimitAlgorithm algorithm) {
            limit = Objects.requireNonNull(algorithm, "limit");
            return this;
        }

        /** The minimum of a limit that adapts: 1 to {@link #maxConcurrentCalls}; default 1. */
        public Builder minConcurrentCalls(int calls) {
            minConcurrentCalls = calls;
            return this;
        }

        /**
         * The first value of a limit that adapts: minimum to maximum; default for {@link LimitAlgorithm#LOSSES} 10, or {@link
         * #maxConcurrentCalls} if that is given; for the others 20; or the nearest allowed value.
         */
        public Builder initialConcurrentCalls(int calls) {
            initialConcurrentCalls = calls;
            return this;
        }

        /** The length of the queue: 0 to 1,000,000; default 100. A call beyond it is rejected at once. With 0 no call waits. */
        public Builder maxWaitingCalls(int calls) {
            maxWaitingCalls = calls;
            return this;
        }

        /** The longest wait in the queue: 0 to one day; default 100 ms. With 0 no call waits. */
        public Builder maxWait(Duration longest) {
            maxWait = Objects.requireNonNull(longest, "maxWait");
            return this;
        }

        /** Which of the waiting calls gets a permit first; default {@link QueueOrder#FIFO}. */
        public Builder queueOrder(QueueOrder order) {
            queueOrder = Objects.requireNonNull(order, "queueOrder");
            return this;
        }

        /** For {@link QueueOrder#CODEL}, the longest wait in a standing queue: 0 to one day; default 5 ms. */
        public Builder codelTarget(Duration longest) {
            codelTarget = Objects.requireNonNull(longest, "codelTarget");
            return this;
        }

        /** For {@link QueueOrder#CODEL}, a queue that was not empty for this long stands: 1 ms to one day; default 100 ms. */
        public Builder codelInterval(Duration time) {
            codelInterval = Objects.requireNonNull(time, "codelInterval");
            return this;
        }

        /**
         * How long work may continue after its outcome was decided (for example by a timeout), before its permit is given to
         * others: 1 ms to one day; default 1 minute.
         */
        public Builder lease(Duration longest) {
            lease = Objects.requireNonNull(longest, "lease");
            return this;
        }

        /**
         * Whether attempts run on threads of the bulkhead: one for each permit that is out. Then work that ignores its interrupt
         * does not hold its caller. Default false: attempts run on the caller's thread, which costs much less. Work that was
         * written off after the lease still holds its thread, which comes on top.
         */
        public Builder dedicatedThreads(boolean value) {
            dedicatedThreads = value;
            return this;
        }

        /**
         * How many processes call the dependency: 1 to 10,000; default 1. For {@link LimitAlgorithm#LOSSES}: if you give neither a
         * maximum nor a first value, a process starts with 150 / replicas permits, at least 3, at most 10.
         */
        public Builder replicas(int processes) {
            replicas = Replicas.of(processes);
            return this;
        }

        /**
         * The same, for a number that changes: asked now and then while there are calls, on any thread; must not block. What is
         * beyond the range counts as its nearest end; if it throws, the last number holds.
         */
        public Builder replicas(IntSupplier processes) {
            replicas = Replicas.of(processes);
            return this;
        }

        private LimitAlgorithm effectiveLimit() {
            if (limit != null) {
                return limit;
            }
            boolean alone = maxConcurrentCalls != null && minConcurrentCalls == null && initialConcurrentCalls == null;
            return alone ? LimitAlgorithm.FIXED : LimitAlgorithm.LOSSES;
        }

        private int effectiveMax() {
            return maxConcurrentCalls != null
                    ? maxConcurrentCalls
                    : effectiveLimit() == LimitAlgorithm.LOSSES ? 200 : 25;
        }

        private int effectiveMin() {
            return minConcurrentCalls != null ? minConcurrentCalls : 1;
        }

        private int effectiveInitial() {
            if (initialConcurrentCalls != null) {
                return initialConcurrentCalls;
            }
            // Who gives a maximum knows how many the dependency bears on a good day.
            boolean losses = effectiveLimit() == LimitAlgorithm.LOSSES;
            boolean known = losses && maxConcurrentCalls != null;
            int usual = known ? effectiveMax() : losses ? firstOf(replicas.getAsInt()) : 20;
            return Math.max(effectiveMin(), Math.min(effectiveMax(), usual));
        }

        /** Below three, a start with many calls takes too long; above ten, one process alone would begin with too many. */
        private static int firstOf(int processes) {
            return Math.max(LEAST_FIRST, Math.min(MOST_FIRST, FIRST_OF_ALL / Math.max(1, processes)));
        }

        /**
         * The settings.
         *
         * @throws InvalidSettingsException if a value is out of range; the message names the option, the value and the range
         */
        public BulkheadSettings build() {
            Checks checks = OPTIONS.check(this)
                    .atMost("minConcurrentCalls", effectiveMin(), "maxConcurrentCalls", effectiveMax());
            Integer initial = initialConcurrentCalls;
            if (initial != null) {
                checks.atLeast("initialConcurrentCalls", initial, "minConcurrentCalls", effectiveMin())
                        .atMost("initialConcurrentCalls", initial, "maxConcurrentCalls", effectiveMax());
            }
            checks.done();
            return new BulkheadSettings(new Builder(this));
        }
    }

    /**
     * Whether and how the limit of a bulkhead adapts. It stays between {@link BulkheadSettings#minConcurrentCalls} and {@link
     * BulkheadSettings#maxConcurrentCalls}.
     *
     * <p>Before the limit shrinks far, the algorithm tests whether a smaller limit helps. If a dependency is slower or fails
     * more, but not because too many calls are in it, its limit stays.
     */
    public enum LimitAlgorithm {
        /** Always {@link BulkheadSettings#maxConcurrentCalls}, unless it is {@linkplain BulkheadPolicy#resize resized}. */
        FIXED,

        /**
         * Heeds losses, whatever share of the limit is in use: shrinks if more than a fifth of the attempts are lost (timeouts,
         * pushbacks, an outage), or nearly all are lost or late, and grows back carefully. With a minimum of one it goes
         * below one: after losses alone there are pauses without any call. A process knows only itself, and the dependency has
         * to bear the sum of all; this limit is for that.
         */
        LOSSES,

        /**
         * Of Netflix concurrency-limits, as the two below: additive increase, multiplicative decrease. The limit grows by one with
         * each window. It shrinks by a tenth if half of a window's calls end in a timeout or a pushback; less often in proportion
         * if fewer do. Ignores latency, so it needs a timeout inside.
         */
        AIMD,

        /**
         * Compares the time of calls with their usual time, and infers how many of them are in a queue in the dependency.
         * Keeps that queue at a twentieth to a twelfth of the limit (TCP Vegas). A timeout or a pushback counts as a call
         * that took twice as long as usual.
         */
        VEGAS,

        /**
         * Shrinks in proportion to how much longer calls take than usual, in smaller steps than {@link #VEGAS} and to a
         * steadier limit. A timeout or a pushback counts as a call that took twice as long as usual.
         */
        GRADIENT2
    }

    /** Which of the waiting calls gets a permit first, and which call is rejected. */
    public enum QueueOrder {
        /** First come, first served. A call that finds the queue full is rejected. */
        FIFO,

        /**
         * Last come, first served: under overload the caller of the newest call is still there. If the queue is full, a new
         * call takes the place of the oldest.
         */
        LIFO,

        /**
         * First come, first served, with a short wait in a standing queue. If the queue was not empty for {@link
         * BulkheadSettings#codelInterval}, a new call waits for at most {@link BulkheadSettings#codelTarget}. So the queue
         * absorbs a burst, but does not stand for long (Nichols and Jacobson's CoDel as Facebook uses it in "Fail at Scale",
         * ACM Queue 13(8), 2015).
         */
        CODEL
    }
}
