/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import dev.holdfast.bulkhead.internal.engine.Permits;
import dev.holdfast.bulkhead.internal.resilience4j.Resilience4jOptions;
import dev.holdfast.internal.Checks;
import dev.holdfast.internal.Options;
import dev.holdfast.spi.InvalidSettingsException;
import dev.holdfast.spi.PolicyFactory.Option;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** How many calls may run at once, and how many may wait for how long. Immutable. */
public final class BulkheadSettings {
    private static final Duration TICK = Duration.ofMillis(1);
    private static final Duration DAY = Duration.ofDays(1);

    private static final Options<Builder> OPTIONS = new Options<>(
            "bulkhead",
            Builder::new,
            List.of(
                    Option.integer(
                                    "max-concurrent-calls",
                                    (Builder b) -> b.maxConcurrentCalls,
                                    Builder::maxConcurrentCalls)
                            .range(1, Permits.MOST)
                            .means("number of permits; the maximum of a limit that adapts"),
                    Option.of("limit", LimitAlgorithm.class, (Builder b) -> b.limit, Builder::limit)
                            .means("whether and how the limit adapts"),
                    Option.integer(
                                    "min-concurrent-calls",
                                    (Builder b) -> b.minConcurrentCalls,
                                    Builder::minConcurrentCalls)
                            .range(1, Permits.MOST)
                            .means("minimum of a limit that adapts")
                            .rangeIs("1 to `max-concurrent-calls`"),
                    Option.integer(
                                    "initial-concurrent-calls",
                                    (Builder b) -> b.initialConcurrentCalls,
                                    Builder::initialConcurrentCalls)
                            .range(1, Permits.MOST)
                            .means("first value of a limit that adapts")
                            .rangeIs("`min-concurrent-calls` to `max-concurrent-calls`")
                            .defaultIs("20, or the nearest allowed value"),
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
                            .means("whether attempts run on threads of the bulkhead")));

    private final Builder builder;

    private BulkheadSettings(Builder builder) {
        this.builder = builder;
    }

    /**
     * Settings that differ from the defaults in what the function sets.
     *
     * @throws InvalidSettingsException if a value is out of range; the message names the option, the value and the range
     */
    public static BulkheadSettings of(Consumer<? super Builder> changes) {
        Builder builder = builder();
        changes.accept(builder);
        return builder.build();
    }

    /**
     * What a bulkhead of resilience4j is set to. An option that cannot be kept as it is meant there becomes one of the {@link
     * #warnings}, which the pipeline tells when it is built. A {@linkplain BulkheadPolicy#asResilience4j view} keeps its
     * {@code maxWaitDuration} and {@code writableStackTraceEnabled}.
     *
     * @throws InvalidSettingsException if a value is out of range here, such as {@code maxConcurrentCalls} of 0
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

    /** A builder that holds these settings. An initial limit that was not set goes on following the others. */
    public Builder toBuilder() {
        return new Builder(builder);
    }

    /** The options, for files and pages. */
    public static List<Option<Builder, ?>> options() {
        return OPTIONS.list();
    }

    /** How many calls may run at once; the ceiling of a limit that adapts. */
    public int maxConcurrentCalls() {
        return builder.maxConcurrentCalls;
    }

    /** Where the limit comes from. */
    public LimitAlgorithm limit() {
        return builder.limit;
    }

    /** The floor of a limit that adapts. */
    public int minConcurrentCalls() {
        return builder.minConcurrentCalls;
    }

    /** Where a limit that adapts starts. */
    public int initialConcurrentCalls() {
        return builder.effectiveInitial();
    }

    /** How many calls may wait for a permit; one more is turned away at once. */
    public int maxWaitingCalls() {
        return builder.maxWaitingCalls;
    }

    /** How long a call may wait for a permit. */
    public Duration maxWait() {
        return builder.maxWait;
    }

    /** Who is served first of those who wait. */
    public QueueOrder queueOrder() {
        return builder.queueOrder;
    }

    /** For {@link QueueOrder#CODEL}: how long a call may wait in a queue that stands. */
    public Duration codelTarget() {
        return builder.codelTarget;
    }

    /** For {@link QueueOrder#CODEL}: after which time without an empty moment a queue stands. */
    public Duration codelInterval() {
        return builder.codelInterval;
    }

    /** After which time the permit of work that never ends is given to others. */
    public Duration lease() {
        return builder.lease;
    }

    /** Whether attempts run on threads of their own, as many as there are permits. */
    public boolean dedicatedThreads() {
        return builder.dedicatedThreads;
    }

    /** What could not be kept of the settings that these were made {@linkplain #from from}, one sentence each. */
    public List<String> warnings() {
        return builder.forViews.warnings();
    }

    /** What callers of a view are to have. */
    Resilience4jOptions forViews() {
        return builder.forViews;
    }

    /** Whether calls wait in the same order, and the limit is fixed, or adapts in the same way. */
    boolean isQueuedAndAdaptsAs(BulkheadSettings other) {
        boolean fixed = limit() == LimitAlgorithm.FIXED;
        return limit() == other.limit()
                && queueOrder() == other.queueOrder()
                && codelInterval().equals(other.codelInterval())
                && (fixed
                        || (maxConcurrentCalls() == other.maxConcurrentCalls()
                                && minConcurrentCalls() == other.minConcurrentCalls()));
    }

    @Override
    public String toString() {
        Builder b = builder;
        String adaptive = b.limit == LimitAlgorithm.FIXED
                ? ""
                : ", limit=" + b.limit + ", minConcurrentCalls=" + b.minConcurrentCalls + ", initialConcurrentCalls="
                        + b.effectiveInitial();
        String codel = b.queueOrder == QueueOrder.CODEL
                ? ", codelTarget=" + Checks.text(b.codelTarget) + ", codelInterval=" + Checks.text(b.codelInterval)
                : "";
        return "maxConcurrentCalls=" + b.maxConcurrentCalls + adaptive + ", maxWaitingCalls=" + b.maxWaitingCalls
                + ", maxWait=" + Checks.text(b.maxWait) + ", queueOrder=" + b.queueOrder + codel + ", lease="
                + Checks.text(b.lease) + (b.dedicatedThreads ? ", dedicatedThreads" : "");
    }

    /** Collects settings; all checks are made in {@link #build}. Not safe for several threads. */
    public static final class Builder {
        private int maxConcurrentCalls = 25;
        private LimitAlgorithm limit = LimitAlgorithm.FIXED;
        private int minConcurrentCalls = 1;
        private @Nullable Integer initialConcurrentCalls;
        private int maxWaitingCalls = 100;
        private Duration maxWait = Duration.ofMillis(100);
        private QueueOrder queueOrder = QueueOrder.FIFO;
        private Duration codelTarget = Duration.ofMillis(5);
        private Duration codelInterval = Duration.ofMillis(100);
        private Duration lease = Duration.ofMinutes(1);
        private boolean dedicatedThreads;
        private Resilience4jOptions forViews = Resilience4jOptions.DEFAULTS;

        private Builder() {}

        private Builder(Builder other) {
            OPTIONS.copy(other, this);
            forViews = other.forViews;
        }

        /** How many calls may run at once, the ceiling of a limit that adapts: 1 to 1,000,000; default 25. */
        public Builder maxConcurrentCalls(int calls) {
            maxConcurrentCalls = calls;
            return this;
        }

        /** Where the limit comes from; default {@link LimitAlgorithm#FIXED}. */
        public Builder limit(LimitAlgorithm algorithm) {
            limit = Objects.requireNonNull(algorithm, "limit");
            return this;
        }

        /** The floor of a limit that adapts: 1 to {@link #maxConcurrentCalls}; default 1. */
        public Builder minConcurrentCalls(int calls) {
            minConcurrentCalls = calls;
            return this;
        }

        /** Where a limit that adapts starts: floor to ceiling; default 20, or the nearer of the two. */
        public Builder initialConcurrentCalls(int calls) {
            initialConcurrentCalls = calls;
            return this;
        }

        /** How many calls may wait for a permit: 0 to 1,000,000; default 100. With 0 none ever waits. */
        public Builder maxWaitingCalls(int calls) {
            maxWaitingCalls = calls;
            return this;
        }

        /** How long a call may wait for a permit: 0 to one day; default 100 ms. With 0 none ever waits. */
        public Builder maxWait(Duration longest) {
            maxWait = Objects.requireNonNull(longest, "maxWait");
            return this;
        }

        /** Who is served first of those who wait; default {@link QueueOrder#FIFO}. */
        public Builder queueOrder(QueueOrder order) {
            queueOrder = Objects.requireNonNull(order, "queueOrder");
            return this;
        }

        /** For {@link QueueOrder#CODEL}, how long a call may wait in a queue that stands: 0 to one day; default 5 ms. */
        public Builder codelTarget(Duration longest) {
            codelTarget = Objects.requireNonNull(longest, "codelTarget");
            return this;
        }

        /** For {@link QueueOrder#CODEL}, after which time a queue stands: 1 ms to one day; default 100 ms. */
        public Builder codelInterval(Duration time) {
            codelInterval = Objects.requireNonNull(time, "codelInterval");
            return this;
        }

        /**
         * After which time work that goes on although its outcome was decided (a timeout that it ignores) is written off, so
         * that its permit is free again: 1 ms to one day; default 1 minute.
         */
        public Builder lease(Duration longest) {
            lease = Objects.requireNonNull(longest, "lease");
            return this;
        }

        /**
         * Whether attempts run on threads of their own, at most {@link #maxConcurrentCalls} of them, so that work which ignores
         * its interrupt holds no caller; default false: on the thread of the caller, which is cheaper by far. Work that was
         * written off after the lease still holds its thread: where all are held, a call is turned away.
         */
        public Builder dedicatedThreads(boolean value) {
            dedicatedThreads = value;
            return this;
        }

        private int effectiveInitial() {
            return initialConcurrentCalls != null
                    ? initialConcurrentCalls
                    : Math.max(minConcurrentCalls, Math.min(maxConcurrentCalls, 20));
        }

        /**
         * The settings.
         *
         * @throws InvalidSettingsException if a value is out of range; the message names the option, the value and the range
         */
        public BulkheadSettings build() {
            Checks checks = OPTIONS.check(this)
                    .atMost("minConcurrentCalls", minConcurrentCalls, "maxConcurrentCalls", maxConcurrentCalls);
            Integer initial = initialConcurrentCalls;
            if (initial != null) {
                checks.atLeast("initialConcurrentCalls", initial, "minConcurrentCalls", minConcurrentCalls)
                        .atMost("initialConcurrentCalls", initial, "maxConcurrentCalls", maxConcurrentCalls);
            }
            checks.done();
            return new BulkheadSettings(new Builder(this));
        }
    }

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

    /** Who is served first of the calls that wait for a permit, and who is turned away. */
    public enum QueueOrder {
        /** First come, first served. Whoever finds the queue full is turned away. */
        FIFO,

        /**
         * Last come, first served: under overload the newest call is the one whose caller is still there. A newcomer takes the
         * place of the oldest when the queue is full.
         */
        LIFO,

        /**
         * First come, first served, with a controlled delay: once calls have been waiting without a pause for {@link
         * BulkheadSettings#codelInterval}, a newcomer waits for no more than {@link BulkheadSettings#codelTarget}. So a burst is
         * absorbed, and a queue that stands is not (Nichols and Jacobson's CoDel as Facebook uses it in "Fail at Scale", ACM
         * Queue 13(8), 2015).
         */
        CODEL
    }
}
