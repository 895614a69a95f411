/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling;

import dev.holdfast.internal.Checks;
import dev.holdfast.internal.Options;
import dev.holdfast.spi.InvalidSettingsException;
import dev.holdfast.spi.PolicyFactory.Option;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;

/** The settings of a gate: how long a pushback holds all callers, and how long they wait for it. Immutable. */
public final class GateSettings {
    private static final Options<Builder> OPTIONS = new Options<>(
            "gate",
            Builder::new,
            List.of(
                    Option.duration("max-hold", (Builder b) -> b.maxHold, Builder::maxHold)
                            .range(Duration.ZERO, Duration.ofDays(1))
                            .means("longest time for which a pushback holds all callers; 0s: the gate is off"),
                    Option.duration("max-wait", (Builder b) -> b.maxWait, Builder::maxWait)
                            .range(Duration.ZERO, Duration.ofHours(1))
                            .means(
                                    "a call waits for the gate if it opens within this time, up to `jitter` longer; 0s: it is rejected at once"),
                    Option.decimal("jitter", (Builder b) -> b.jitter, Builder::jitter)
                            .range(0.0, 1.0)
                            .means("up to this share of a hold is added for each caller, at random"),
                    Option.duration("default-hold", (Builder b) -> b.defaultHold, Builder::defaultHold)
                            .range(Duration.ZERO, Duration.ofDays(1))
                            .means("how long a pushback holds that says no time; 0s: not at all")));

    private final Builder builder;

    private GateSettings(Builder builder) {
        this.builder = builder;
    }

    /**
     * The defaults, changed by the function.
     *
     * @throws InvalidSettingsException if a value is out of range; the message names the option, the value and the range
     */
    public static GateSettings of(Consumer<? super Builder> changes) {
        Builder builder = builder();
        changes.accept(builder);
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

    /** The values by their names in a file. */
    public Map<String, Object> asMap() {
        return OPTIONS.values(builder);
    }

    /** The longest time for which a pushback holds all callers; zero if the gate is off. */
    public Duration maxHold() {
        return builder.maxHold;
    }

    /** A call waits for the gate if it opens within this time, up to {@link #jitter} longer. */
    public Duration maxWait() {
        return builder.maxWait;
    }

    /** Up to this share of a hold is added for each caller. */
    public double jitter() {
        return builder.jitter;
    }

    /** How long a pushback holds that says no time. */
    public Duration defaultHold() {
        return builder.defaultHold;
    }

    @Override
    public String toString() {
        return OPTIONS.text(builder);
    }

    /** Collects settings; all checks are made in {@link #build}. Not safe for several threads. */
    public static final class Builder {
        private Duration maxHold = Duration.ofSeconds(10);
        private Duration maxWait = Duration.ZERO;
        private double jitter = 0.1;
        private Duration defaultHold = Duration.ZERO;

        private Builder() {}

        private Builder(Builder other) {
            OPTIONS.copy(other, this);
        }

        /**
         * The longest time for which a pushback holds all callers, whatever the dependency says: 0 to one day; default 10 s. With
         * 0 the gate is off.
         */
        public Builder maxHold(Duration longest) {
            maxHold = Objects.requireNonNull(longest, "maxHold");
            return this;
        }

        /**
         * A call waits for the gate if it opens within this time: 0 to one hour; default 0. The wait is up to {@link #jitter}
         * longer. With 0 the call is rejected at once.
         */
        public Builder maxWait(Duration longest) {
            maxWait = Objects.requireNonNull(longest, "maxWait");
            return this;
        }

        /**
         * Each caller of a hold comes back later by a random time, at most this share of the hold: 0 to 1; default 0.1. With 0 all
         * that waited start at once.
         */
        public Builder jitter(double share) {
            jitter = share;
            return this;
        }

        /**
         * How long a pushback holds that says no time: 0 to one day, and no longer than {@link #maxHold} unless that is 0;
         * default 0.
         */
        public Builder defaultHold(Duration time) {
            defaultHold = Objects.requireNonNull(time, "defaultHold");
            return this;
        }

        /**
         * The settings.
         *
         * @throws InvalidSettingsException if a value is out of range; the message names the option, the value and the range
         */
        public GateSettings build() {
            Checks checks = OPTIONS.check(this);
            // A gate can be switched off by one option.
            if (!maxHold.isZero()) {
                checks.atLeast("maxHold", maxHold, "defaultHold", defaultHold);
            }
            checks.done();
            return new GateSettings(new Builder(this));
        }
    }
}
