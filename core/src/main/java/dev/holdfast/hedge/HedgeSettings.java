/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.hedge;

import dev.holdfast.internal.Options;
import dev.holdfast.retry.RetryBudget;
import dev.holdfast.spi.PolicyFactory.Option;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The settings of a {@link HedgePolicy}. Immutable. */
public final class HedgeSettings {
    private static final Duration LEAST_DELAY = Duration.ofMillis(1);
    private static final Duration MOST_DELAY = Duration.ofHours(1);

    private static final Options<Builder> OPTIONS = new Options<>(
            "hedge",
            Builder::new,
            List.of(
                    Option.duration("delay", (Builder b) -> b.delay, Builder::delay)
                            .range(LEAST_DELAY, MOST_DELAY)
                            .means("a fixed delay")
                            .defaultIs("none: it is measured"),
                    Option.decimal("percentile", (Builder b) -> b.percentile, Builder::percentile)
                            .range(50.0, 99.9)
                            .means("an attempt is slow if it takes longer than this percentile of the recent ones"),
                    Option.duration("window", (Builder b) -> b.window, Builder::window)
                            .range(Duration.ofSeconds(1), Duration.ofHours(1))
                            .means("attempts of this time are recent; at least the newer half of it is used"),
                    Option.integer("minimum-calls", (Builder b) -> b.minimumCalls, Builder::minimumCalls)
                            .range(1, 1_000_000)
                            .means("how many attempts the window must hold before the delay is measured"),
                    Option.duration("initial-delay", (Builder b) -> b.initialDelay, Builder::initialDelay)
                            .range(LEAST_DELAY, MOST_DELAY)
                            .means("the delay until then"),
                    Option.integer("max-hedges", (Builder b) -> b.maxHedges, Builder::maxHedges)
                            .range(1, 10)
                            .means("how many attempts may be started beside one, each after the same delay"),
                    Option.of("budget", RetryBudget.class, (Builder b) -> b.budget, Builder::budget)
                            .means("a shared `RetryBudget`")
                            .defaultIs("the retry's, else its own"),
                    Option.flag("budget.enabled", (Builder b) -> b.budgetEnabled, Builder::budgetEnabled)
                            .means("whether hedges take tokens at all")
                            .inCode("budgetEnabled")));

    private final Builder builder;

    private HedgeSettings(Builder builder) {
        this.builder = builder;
    }

    /** The defaults, changed by this function. */
    public static HedgeSettings of(Consumer<? super Builder> configure) {
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

    /** The values by their names in a file; without those that are not set. A measured {@code delay} is the word {@code measured}. */
    public Map<String, Object> asMap() {
        return OPTIONS.values(builder, Map.of("delay", "measured"));
    }

    /** The fixed delay; empty if it is measured. */
    public Optional<Duration> delay() {
        return Optional.ofNullable(builder.delay);
    }

    /** The percentile of the recent attempts above which an attempt is slow. */
    public double percentile() {
        return builder.percentile;
    }

    /** How far back attempts are measured. */
    public Duration window() {
        return builder.window;
    }

    /** The number of attempts that the window must hold before the delay is measured. */
    public int minimumCalls() {
        return builder.minimumCalls;
    }

    /** The delay until then. */
    public Duration initialDelay() {
        return builder.initialDelay;
    }

    /** How many attempts may be started beside one. */
    public int maxHedges() {
        return builder.maxHedges;
    }

    boolean budgetEnabled() {
        return builder.budgetEnabled;
    }

    @Nullable
    RetryBudget givenBudget() {
        return builder.budget;
    }

    /** Collects settings; the values are checked together in {@link #build}. */
    public static final class Builder {
        private @Nullable Duration delay;
        private double percentile = 95;
        private Duration window = Duration.ofSeconds(30);
        private int minimumCalls = 100;
        private Duration initialDelay = Duration.ofMillis(500);
        private int maxHedges = 1;
        private boolean budgetEnabled = true;
        private @Nullable RetryBudget budget;

        private Builder() {}

        private Builder(Builder other) {
            OPTIONS.copy(other, this);
        }

        /** A fixed delay, in place of a measured one: 1 ms to 1 hour; default: it is measured. */
        public Builder delay(Duration value) {
            delay = Objects.requireNonNull(value, "delay");
            return this;
        }

        /** The attempt is slow if it takes longer than this percentile of the recent ones: 50 to 99.9; default 95. */
        public Builder percentile(double value) {
            percentile = value;
            return this;
        }

        /** Attempts of this time are recent: 1 s to 1 hour; default 30 s. At least the newer half of it is used. */
        public Builder window(Duration value) {
            window = Objects.requireNonNull(value, "window");
            return this;
        }

        /** The number of attempts that the window must hold before the delay is measured: 1 to 1,000,000; default 100. */
        public Builder minimumCalls(int value) {
            minimumCalls = value;
            return this;
        }

        /** The delay while the window holds fewer attempts: 1 ms to 1 hour; default 500 ms. */
        public Builder initialDelay(Duration value) {
            initialDelay = Objects.requireNonNull(value, "initialDelay");
            return this;
        }

        /** How many attempts may be started beside one, each after the same delay: 1 to 10; default 1. */
        public Builder maxHedges(int value) {
            maxHedges = value;
            return this;
        }

        /** Whether a budget limits the hedges; default true. Without a budget, a slow dependency gets twice its load. */
        public Builder budgetEnabled(boolean value) {
            budgetEnabled = value;
            return this;
        }

        /**
         * The budget that limits the hedges. Default: the one of the {@linkplain dev.holdfast.retry.RetryPolicy retry} in the
         * same pipeline, else one of its own.
         */
        public Builder budget(RetryBudget shared) {
            budget = Objects.requireNonNull(shared, "budget");
            return this;
        }

        /**
         * Checks and makes the settings.
         *
         * @throws dev.holdfast.spi.InvalidSettingsException if a value is out of range
         */
        public HedgeSettings build() {
            OPTIONS.check(this).done();
            return new HedgeSettings(new Builder(this));
        }
    }

    @Override
    public String toString() {
        return "HedgeSettings[" + OPTIONS.text(builder) + "]";
    }
}
