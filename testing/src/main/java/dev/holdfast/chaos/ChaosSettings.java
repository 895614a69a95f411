/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.chaos;

import static dev.holdfast.internal.Checks.text;

import dev.holdfast.chaos.ChaosPolicy.ChaosException;
import dev.holdfast.internal.Options;
import dev.holdfast.spi.PolicyFactory.Option;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Which faults a {@link ChaosPolicy} injects, and how often. Immutable. */
public final class ChaosSettings {
    /** Set to {@code true}, this system property enables chaos where the settings do not say. */
    public static final String PROPERTY = "holdfast.chaos.enabled";

    private static final Duration LEAST = Duration.ofNanos(1);
    private static final Duration MOST = Duration.ofDays(1);

    @SuppressWarnings("unchecked") // a file gives functions by name, without their type arguments
    private static final Options<Builder> OPTIONS = new Options<>(
            "chaos",
            Builder::new,
            List.of(
                    Option.flag("enabled", (Builder b) -> b.enabled, Builder::enabled)
                            .means("confirms that you want faults")
                            .rangeIs("must be true")
                            .defaultIs("false, or the system property `holdfast.chaos.enabled`"),
                    Option.of("seed", Long.class, (Builder b) -> b.seed, Builder::seed)
                            .means("start of the random sequence"),
                    Option.decimal("latency-rate", (Builder b) -> b.latencyRate, Builder::latencyRate)
                            .range(0.0, 1.0)
                            .means("share of attempts that wait before their action runs"),
                    Option.duration("min-latency", (Builder b) -> b.minLatency, Builder::minLatency)
                            .range(LEAST, MOST)
                            .means("shortest wait; all waits up to the longest are equally likely"),
                    Option.duration("max-latency", (Builder b) -> b.maxLatency, Builder::maxLatency)
                            .range(LEAST, MOST)
                            .means("longest wait")
                            .rangeIs("`min-latency` to 1d"),
                    Option.decimal("error-rate", (Builder b) -> b.errorRate, Builder::errorRate)
                            .range(0.0, 1.0)
                            .means("share of attempts that fail; the action does not run"),
                    Option.of("error", Supplier.class, (Builder b) -> b.error, (b, error) -> b.error(error))
                            .means("the error that an attempt fails with")
                            .defaultIs("a `ChaosException`")
                            .rangeIs("a `Supplier<Throwable>`, bound in code"),
                    Option.decimal("result-rate", (Builder b) -> b.resultRate, Builder::resultRate)
                            .range(0.0, 1.0)
                            .means("share of attempts that answer `result`; the action does not run"),
                    Option.of("result", Supplier.class, (Builder b) -> b.result, (b, result) -> b.result(result))
                            .means("the answer, of the type that your calls return")
                            .rangeIs("a `Supplier`, bound in code; required for a `result-rate` above 0"),
                    Option.decimal("hang-rate", (Builder b) -> b.hangRate, Builder::hangRate)
                            .range(0.0, 1.0)
                            .means("share of attempts that do not end by themselves")));

    private final Builder builder;

    private ChaosSettings(Builder builder) {
        this.builder = builder;
    }

    /** The defaults, changed by this. */
    public static ChaosSettings of(Consumer<? super Builder> configure) {
        Builder builder = builder();
        configure.accept(builder);
        return builder.build();
    }

    /** A builder that holds the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** A builder that holds these settings. */
    public Builder toBuilder() {
        return new Builder(builder);
    }

    /** The options, for files and pages. */
    public static List<Option<Builder, ?>> options() {
        return OPTIONS.list();
    }

    /** The values by their names in a file; without those that are not set. */
    public Map<String, Object> asMap() {
        return OPTIONS.values(builder);
    }

    /** Where the draws begin. */
    public long seed() {
        return builder.seed;
    }

    /** The share of attempts that are slow. */
    public double latencyRate() {
        return builder.latencyRate;
    }

    /** The shortest latency. */
    public Duration minLatency() {
        return builder.minLatency;
    }

    /** The longest latency. */
    public Duration maxLatency() {
        return builder.maxLatency;
    }

    /** The share of attempts that fail. */
    public double errorRate() {
        return builder.errorRate;
    }

    /** The share of attempts that answer the injected result. */
    public double resultRate() {
        return builder.resultRate;
    }

    /** The share of attempts that hang. */
    public double hangRate() {
        return builder.hangRate;
    }

    @Nullable
    Supplier<? extends Throwable> error() {
        return builder.error;
    }

    @Nullable
    Supplier<?> result() {
        return builder.result;
    }

    @Override
    public String toString() {
        return "latency " + builder.latencyRate + " (" + text(builder.minLatency) + " to " + text(builder.maxLatency)
                + "), error " + builder.errorRate + ", result " + builder.resultRate + ", hang " + builder.hangRate;
    }

    /** Collects settings. Rates are shares of the attempts: 0 to 1, 0 at first, together at most 1. */
    public static final class Builder {
        private boolean enabled = Boolean.getBoolean(PROPERTY);
        private long seed;
        /** Whether {@link #seed} was called, and not only copied. */
        boolean seeded;

        private double latencyRate;
        private Duration minLatency = Duration.ofMillis(100);
        private Duration maxLatency = Duration.ofSeconds(1);
        private double errorRate;
        private @Nullable Supplier<? extends Throwable> error;
        private double resultRate;
        private @Nullable Supplier<?> result;
        private double hangRate;

        private Builder() {}

        private Builder(Builder other) {
            OPTIONS.copy(other, this);
            seeded = false;
        }

        /** Must be said, since chaos does harm: without true there are no settings. Default: {@link #PROPERTY}. */
        public Builder enabled(boolean newEnabled) {
            enabled = newEnabled;
            return this;
        }

        /** Where the draws begin: the n-th attempt gets the same fault for the same seed and rates. Default 0. */
        public Builder seed(long newSeed) {
            seed = newSeed;
            seeded = true;
            return this;
        }

        /** How often an attempt is slow before its action runs. */
        public Builder latencyRate(double share) {
            latencyRate = share;
            return this;
        }

        /** The shortest latency; 1 ns to 1 day, default 100 ms. All between it and the longest are equally likely. */
        public Builder minLatency(Duration newMinLatency) {
            minLatency = Objects.requireNonNull(newMinLatency, "minLatency");
            return this;
        }

        /** The longest latency; from the shortest to 1 day, default 1 s. */
        public Builder maxLatency(Duration newMaxLatency) {
            maxLatency = Objects.requireNonNull(newMaxLatency, "maxLatency");
            return this;
        }

        /** How often an attempt fails and its action is not run. */
        public Builder errorRate(double share) {
            errorRate = share;
            return this;
        }

        /** What is thrown, checked or not, a new one each time; default a {@link ChaosException}. */
        public Builder error(Supplier<? extends Throwable> newError) {
            error = Objects.requireNonNull(newError, "error");
            return this;
        }

        /** How often an attempt answers the {@link #result} and its action is not run. */
        public Builder resultRate(double share) {
            resultRate = share;
            return this;
        }

        /** What is answered, of the type that the pipeline's calls return; needed for a {@link #resultRate} above 0. */
        public Builder result(Supplier<?> newResult) {
            result = Objects.requireNonNull(newResult, "result");
            return this;
        }

        /** How often an attempt does not end until its limit, its caller or the close of the pipeline ends it. */
        public Builder hangRate(double share) {
            hangRate = share;
            return this;
        }

        /**
         * Makes the settings.
         *
         * @throws dev.holdfast.spi.InvalidSettingsException if chaos is not enabled, a value is out of range, or a result is
         *     missing; names each option, its value and its range
         */
        public ChaosSettings build() {
            double sum = latencyRate + errorRate + resultRate + hangRate;
            // Shares that add up to 1 may be a little more as doubles.
            boolean tooMuch = sum > 1 + 1e-9;
            OPTIONS.check(this)
                    .that(
                            enabled,
                            "enabled",
                            enabled,
                            "true, said by you (or by -D" + PROPERTY + "=true): it does harm")
                    .atLeast("maxLatency", maxLatency, "minLatency", minLatency)
                    .that(!tooMuch, "latencyRate + errorRate + resultRate + hangRate", sum, "0 to 1")
                    .that(resultRate == 0 || result != null, "result", "missing", "given for a resultRate above 0")
                    .done();
            return new ChaosSettings(new Builder(this));
        }
    }
}
