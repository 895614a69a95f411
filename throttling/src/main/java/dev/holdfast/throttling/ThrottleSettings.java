/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling;

import dev.holdfast.internal.Checks;
import dev.holdfast.internal.Options;
import dev.holdfast.internal.Replicas;
import dev.holdfast.spi.InvalidSettingsException;
import dev.holdfast.spi.PolicyFactory.Option;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/** The settings of a throttle: how many calls may start in a time and at once, and the longest delay. Immutable. */
public final class ThrottleSettings {
    /** With a smaller burst, too many calls that arrive at random are rejected at half of the limit (RATIONALE.md). */
    private static final int LEAST_BURST = 5;

    private static final Duration SHORTEST = Duration.ofMillis(1);

    private static final Options<Builder> OPTIONS = new Options<>(
            "throttle",
            Builder::new,
            List.of(
                    Option.integer("limit", (Builder b) -> b.limit, Builder::limit)
                            .range(1, 1_000_000_000)
                            .means("how many calls may start in each `per`")
                            .rangeIs("1 to 1,000,000,000, at most one for each nanosecond of `per`"),
                    Option.duration("per", (Builder b) -> b.per, Builder::per)
                            .range(SHORTEST, Duration.ofDays(1))
                            .means("the time of the limit"),
                    Option.integer("burst", (Builder b) -> b.burst, Builder::burst)
                            .range(1, 1_000_000_000)
                            .means("how many calls may start at once after a quiet time")
                            .rangeIs("1 to the limit")
                            .defaultIs(
                                    "a tenth of the limit, at least 5 for each process (the limit, if that is less)"),
                    Option.duration("max-wait", (Builder b) -> b.maxWait, Builder::maxWait)
                            .range(Duration.ZERO, Duration.ofHours(1))
                            .means("longest delay of a call"),
                    Replicas.option((Builder b) -> b.replicas, (b, processes) -> b.replicas(processes))
                            .means("how many processes share the limit and the burst")));

    private final Builder builder;

    private ThrottleSettings(Builder builder) {
        this.builder = builder;
    }

    /**
     * The defaults, changed by the function.
     *
     * @throws InvalidSettingsException if a value is out of range; the message names the option, the value and the range
     */
    public static ThrottleSettings of(Consumer<? super Builder> changes) {
        Builder builder = builder();
        changes.accept(builder);
        return builder.build();
    }

    /**
     * The settings of a resilience4j config. Its cycles become a rate, with a burst of one cycle's permissions: calls are spaced
     * evenly, and the permissions of a cycle do not come all at once. Cycles shorter than 1 ms are joined until they fill 1 ms.
     * A rejection never has a stack trace. An option without a counterpart gives one of the {@link #warnings}
     * when the pipeline is built.
     *
     * @throws InvalidSettingsException if a value is out of range here, such as a {@code timeoutDuration} of more than an
     *     hour
     */
    public static ThrottleSettings from(RateLimiterConfig config) {
        Builder builder = builder().maxWait(config.getTimeoutDuration());
        cycles(builder, config.getLimitForPeriod(), config.getLimitRefreshPeriod());
        if (!neverDrains(config)) {
            builder.warnings =
                    List.of("resilience4j-predicates: drainPermissionsOnResult of resilience4j's config is not"
                            + " asked; results change no permissions");
        }
        return builder.build();
    }

    private static void cycles(Builder builder, int limit, Duration period) {
        long cycles = 1;
        if (period.compareTo(SHORTEST) < 0) {
            cycles = (SHORTEST.toNanos() + period.toNanos() - 1) / period.toNanos();
        }
        // A limit that an int cannot hold is out of range here, too, and refused in build().
        builder.limit((int) Math.min(Integer.MAX_VALUE, limit * cycles))
                .per(period.multipliedBy(cycles))
                .burst(limit);
    }

    /** The default predicate of a config is one object, which says no to everything. */
    private static boolean neverDrains(RateLimiterConfig config) {
        Object predicate = config.getDrainPermissionsOnResult();
        return predicate == null || predicate == RateLimiterConfig.ofDefaults().getDrainPermissionsOnResult();
    }

    /** A builder that holds the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** A builder that holds these settings. A burst that was not set still follows the limit. */
    public Builder toBuilder() {
        return new Builder(builder);
    }

    /** The options, for files and pages. */
    public static List<Option<Builder, ?>> options() {
        return OPTIONS.list();
    }

    /** The values by their names in a file, also those that follow others; without those that only code can give and has not. */
    public Map<String, Object> asMap() {
        return OPTIONS.values(toBuilder().burst(burst()));
    }

    /** How many calls of all processes may start in each {@link #per}. */
    public int limit() {
        return builder.limit;
    }

    /** The time of the {@link #limit}. */
    public Duration per() {
        return builder.per;
    }

    /** How many calls of all processes may start at once after a quiet time; without a number of yours, of as many as there are now. */
    public int burst() {
        return builder.effectiveBurst(replicas());
    }

    /** The part of one of so many processes. */
    int burstOf(int processes) {
        return Math.max(1, builder.effectiveBurst(processes) / processes);
    }

    /** The longest delay of a call. */
    public Duration maxWait() {
        return builder.maxWait;
    }

    /** How many processes share the limit and the burst; of a live number, how many they are now. */
    public int replicas() {
        return builder.replicas.getAsInt();
    }

    boolean replicasChange() {
        return !builder.replicas.isFixed();
    }

    /** The options of the {@linkplain #from config} that could not be kept, one sentence each, after the name of the rule. */
    public List<String> warnings() {
        return builder.warnings;
    }

    @Override
    public String toString() {
        Builder b = builder;
        return "limit=" + b.limit + ", per=" + Checks.text(b.per) + ", burst=" + burst() + ", maxWait="
                + Checks.text(b.maxWait) + (b.replicas.equals(Replicas.ONE) ? "" : ", replicas=" + b.replicas);
    }

    /** Collects settings; all checks are made in {@link #build}. Not safe for several threads. */
    public static final class Builder {
        private int limit = 50;
        private Duration per = Duration.ofSeconds(1);
        private @Nullable Integer burst;
        private Duration maxWait = Duration.ZERO;
        private Replicas replicas = Replicas.ONE;
        private List<String> warnings = List.of();

        private Builder() {}

        private Builder(Builder other) {
            OPTIONS.copy(other, this);
            warnings = other.warnings;
        }

        /** How many calls may start in each {@link #per}: 1 to 1,000,000,000, at most one a nanosecond; default 50. */
        public Builder limit(int calls) {
            limit = calls;
            return this;
        }

        /** The time of the {@link #limit}: 1 ms to one day; default 1 s. */
        public Builder per(Duration time) {
            per = Objects.requireNonNull(time, "per");
            return this;
        }

        /**
         * How many calls may start at once after a quiet time: 1 to the limit; default a tenth of the limit, at least 5 for each
         * process, at most the limit.
         */
        public Builder burst(int calls) {
            burst = calls;
            return this;
        }

        /**
         * The longest delay of a usual call: 0 to one hour; default 0. With 0 a call starts or is rejected at once. A {@linkplain
         * dev.holdfast.Call.Priority critical} call may wait twice as long, a sheddable one half as long.
         */
        public Builder maxWait(Duration longest) {
            maxWait = Objects.requireNonNull(longest, "maxWait");
            return this;
        }

        /**
         * How many processes share the limit and the burst, each with an equal part: 1 to 10,000; default 1. A part of the burst
         * is at least one call.
         */
        public Builder replicas(int processes) {
            replicas = Replicas.of(processes);
            return this;
        }

        /**
         * The same, for a number that changes: asked about every 100 ms while there are calls, on any thread; must not block. What
         * is beyond the range counts as its nearest end; if it throws, the last number holds.
         */
        public Builder replicas(IntSupplier processes) {
            replicas = Replicas.of(processes);
            return this;
        }

        private int effectiveBurst(int processes) {
            return burst != null
                    ? burst
                    : (int) Math.min(Math.max(1, limit), Math.max((long) LEAST_BURST * processes, limit / 10));
        }

        /**
         * The settings.
         *
         * @throws InvalidSettingsException if a value is out of range; the message names the option, the value and the range
         */
        public ThrottleSettings build() {
            // Compared as durations: a time that is out of range may not fit into nanoseconds.
            boolean tooFast = per.compareTo(SHORTEST) >= 0 && per.compareTo(Duration.ofNanos(limit)) < 0;
            OPTIONS.check(this)
                    .that(!tooFast, "limit", limit, "at most one for each nanosecond of per")
                    .atMost("burst", effectiveBurst(1), "limit", limit)
                    .done();
            return new ThrottleSettings(new Builder(this));
        }
    }
}
