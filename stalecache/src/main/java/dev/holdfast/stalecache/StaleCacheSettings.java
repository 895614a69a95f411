/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import dev.holdfast.internal.Checks;
import dev.holdfast.internal.Options;
import dev.holdfast.spi.Perishable;
import dev.holdfast.spi.Perishable.Freshness;
import dev.holdfast.spi.PolicyFactory.Option;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * How old a value may be, and for which purpose. Immutable.
 *
 * <p>The windows are those of RFC 5861, counted from the end of the fresh time. With the defaults every call goes to the
 * dependency, and a value of the last ten minutes is the answer only where there would be none.
 */
public final class StaleCacheSettings {
    private static final Duration TICK = Duration.ofMillis(1);
    private static final Duration HOUR = Duration.ofHours(1);
    private static final Duration YEAR = Duration.ofDays(365);
    private static final long HEAVIEST = 1_000_000_000_000L;

    private static final Options<Builder> OPTIONS = new Options<>(
            "stale-cache",
            Builder::new,
            List.of(
                    Option.duration("fresh", (Builder b) -> b.fresh, Builder::fresh)
                            .range(Duration.ZERO, YEAR)
                            .means("how long a value is the answer without a call; 0s: never"),
                    Option.duration(
                                    "stale-while-revalidate",
                                    (Builder b) -> b.staleWhileRevalidate,
                                    Builder::staleWhileRevalidate)
                            .range(Duration.ZERO, YEAR)
                            .means("how long after that it is the answer at once, and is refreshed; 0s: never"),
                    Option.duration("stale-if-error", (Builder b) -> b.staleIfError, Builder::staleIfError)
                            .range(Duration.ZERO, YEAR)
                            .means(
                                    "how long after the fresh time it is the answer to a failed or slow call; 0s: never"),
                    Option.duration("stale-if-slow", (Builder b) -> b.staleIfSlow, Builder::staleIfSlow)
                            .range(TICK, HOUR)
                            .means("after this time a call is slow, and the old value is the answer; 0s: never")
                            .orZero()
                            .defaultIs("measured"),
                    Option.flag("keep-if-ignored", (Builder b) -> b.keepIfIgnored, Builder::keepIfIgnored)
                            .means("whether an answer that the classifier calls IGNORED keeps the old value"),
                    Option.duration("fresh-if-ignored", (Builder b) -> b.freshIfIgnored, Builder::freshIfIgnored)
                            .range(Duration.ZERO, YEAR)
                            .means(
                                    "how long such an answer, if it is a value, is the answer without a call; 0s: never"),
                    Option.decimal("refresh-ahead", (Builder b) -> b.refreshAhead, Builder::refreshAhead)
                            .range(0.0, 0.9)
                            .means("the last part of its fresh time in which a value is refreshed; 0: never"),
                    Option.of("freshness", Function.class, (Builder b) -> b.freshness, Builder::freshnessOfAFile)
                            .means("a function from a value to its `Freshness`: its own times, age and weight"),
                    Option.integer("max-entries", (Builder b) -> b.maxEntries, Builder::maxEntries)
                            .range(1, 10_000_000)
                            .means("most values; the value that is least likely to be needed again is dropped"),
                    Option.of("max-weight", Long.class, (Builder b) -> b.maxWeight, Builder::maxWeight)
                            .range(1L, HEAVIEST)
                            .means("most weight of all values together, beside `max-entries`")
                            .defaultIs("no bound"),
                    Option.of("max-value-weight", Long.class, (Builder b) -> b.maxValueWeight, Builder::maxValueWeight)
                            .range(1L, HEAVIEST)
                            .means("a heavier value is delivered and not kept; at most `max-weight`")
                            .defaultIs("no bound"),
                    Option.of("weigher", ToLongFunction.class, (Builder b) -> b.weigher, Builder::weigherOfAFile)
                            .means("a function from a value to its weight, for values that do not say it"),
                    Option.integer("max-followers", (Builder b) -> b.maxFollowers, Builder::maxFollowers)
                            .range(0, 1_000_000)
                            .means("most calls that wait for one leader"),
                    Option.integer(
                                    "max-followers-if-slow",
                                    (Builder b) -> b.maxFollowersIfSlow,
                                    Builder::maxFollowersIfSlow)
                            .range(0, 1_000_000)
                            .means("the same while the leader is slow"),
                    Option.duration("refresh-timeout", (Builder b) -> b.refreshTimeout, Builder::refreshTimeout)
                            .range(TICK, HOUR)
                            .means("longest time of a load in the background, including retries and waits"),
                    Option.duration("refresh-backoff", (Builder b) -> b.refreshBackoff, Builder::refreshBackoff)
                            .range(TICK, HOUR)
                            .means("how long a key is not refreshed after a failed refresh")));

    private final Builder builder;

    private StaleCacheSettings(Builder builder) {
        this.builder = builder;
    }

    /**
     * Settings made by a builder that starts with the defaults.
     *
     * @throws dev.holdfast.spi.InvalidSettingsException if a value is out of its range
     */
    public static StaleCacheSettings of(Consumer<? super Builder> options) {
        Builder builder = builder();
        options.accept(builder);
        return builder.build();
    }

    /** A builder that holds the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** A builder that holds these values. */
    public Builder toBuilder() {
        return new Builder(builder);
    }

    /** The options, for files and pages. */
    public static List<Option<Builder, ?>> options() {
        return OPTIONS.list();
    }

    /** The values by their names in a file; without those that are not set. A measured {@code stale-if-slow} is the word {@code measured}. */
    public Map<String, Object> asMap() {
        return OPTIONS.values(builder, Map.of("stale-if-slow", "measured"));
    }

    /** For how long a value is the answer without asking the dependency. */
    public Duration fresh() {
        return builder.fresh;
    }

    /** For how long after that it is the answer at once, while it is refreshed in the background. */
    public Duration staleWhileRevalidate() {
        return builder.staleWhileRevalidate;
    }

    /** For how long after the fresh time it is the answer to a call that failed or was turned away. */
    public Duration staleIfError() {
        return builder.staleIfError;
    }

    /** After which time an old value is the answer to a call that is slow; zero: never; empty: it is measured. */
    public Optional<Duration> staleIfSlow() {
        return Optional.ofNullable(builder.staleIfSlow);
    }

    /** Whether an old value is kept although the dependency's last answer was an ignored one. */
    public boolean keepIfIgnored() {
        return builder.keepIfIgnored;
    }

    /** For how long an answer that is a value, and that the classifier ignores, is the answer without a call. */
    public Duration freshIfIgnored() {
        return builder.freshIfIgnored;
    }

    /** The last part of its fresh time in which a value is refreshed; 0: it is not. */
    public double refreshAhead() {
        return builder.refreshAhead;
    }

    /**
     * What a value says of itself, or what the functions say of it. Runs code of the user.
     *
     * @param tookNanos how long it took to come
     */
    Freshness freshnessOf(Object value, long tookNanos) {
        Function<? super Object, ? extends @Nullable Freshness> function = builder.freshness;
        Freshness said = function == null ? null : function.apply(value);
        if (said == null && value instanceof Perishable perishable) {
            said = perishable.freshness(Duration.ofNanos(tookNanos));
        }
        if (said == null) {
            said = Freshness.usual();
        }
        ToLongFunction<? super Object> weigher = builder.weigher;
        if (weigher == null || !said.kept() || said.weight() >= 0) {
            return said;
        }
        return said.weight(weigher.applyAsLong(value));
    }

    /** Whether these settings have a function that may say another weight of a value than the functions of others did. */
    boolean weighsOtherwise(StaleCacheSettings others) {
        return (builder.freshness != null && builder.freshness != others.builder.freshness)
                || (builder.weigher != null && builder.weigher != others.builder.weigher);
    }

    /** How many values are kept. */
    public int maxEntries() {
        return builder.maxEntries;
    }

    /** How much they may weigh together; empty: their weight does not matter. */
    public OptionalLong maxWeight() {
        return builder.maxWeight == null ? OptionalLong.empty() : OptionalLong.of(builder.maxWeight);
    }

    /** How much one value may weigh that is kept; empty: as much as all together. */
    public OptionalLong maxValueWeight() {
        return builder.maxValueWeight == null ? OptionalLong.empty() : OptionalLong.of(builder.maxValueWeight);
    }

    /** How many calls may wait for another one of the same key. */
    public int maxFollowers() {
        return builder.maxFollowers;
    }

    /** How many may while that one is slow. */
    public int maxFollowersIfSlow() {
        return builder.maxFollowersIfSlow;
    }

    /** How long a refresh in the background may take. */
    public Duration refreshTimeout() {
        return builder.refreshTimeout;
    }

    /** How long a key is not refreshed after a refresh has failed. */
    public Duration refreshBackoff() {
        return builder.refreshBackoff;
    }

    @Override
    public String toString() {
        return "StaleCacheSettings[" + OPTIONS.text(builder) + "]";
    }

    /** Collects the options; checks them all in {@link #build}. Not for several threads. */
    public static final class Builder {
        private Duration fresh = Duration.ZERO;
        private Duration staleWhileRevalidate = Duration.ZERO;
        private Duration staleIfError = Duration.ofMinutes(10);
        private @Nullable Duration staleIfSlow;
        private boolean keepIfIgnored;
        private Duration freshIfIgnored = Duration.ZERO;
        private double refreshAhead;
        private @Nullable Function<? super Object, ? extends @Nullable Freshness> freshness;
        private int maxEntries = 10_000;
        private @Nullable Long maxWeight;
        private @Nullable Long maxValueWeight;
        private @Nullable ToLongFunction<? super Object> weigher;
        private int maxFollowers = 1_000;
        private int maxFollowersIfSlow = 100;
        private Duration refreshTimeout = Duration.ofSeconds(10);
        private Duration refreshBackoff = Duration.ofSeconds(1);

        private Builder() {}

        private Builder(Builder other) {
            OPTIONS.copy(other, this);
        }

        /** For how long a value is the answer without asking the dependency. From 0 to 365 days; default 0: never. */
        public Builder fresh(Duration time) {
            fresh = Objects.requireNonNull(time, "fresh");
            return this;
        }

        /**
         * For how long after its fresh time a value is the answer at once, while it is refreshed in the background. Only
         * for calls of a decorated function; others go to the dependency. From 0 to 365 days; default 0: never.
         */
        public Builder staleWhileRevalidate(Duration time) {
            staleWhileRevalidate = Objects.requireNonNull(time, "staleWhileRevalidate");
            return this;
        }

        /**
         * For how long after its fresh time a value is the answer to a call that failed, timed out, was slow or was turned
         * away. From 0 to 365 days; default 10 minutes.
         */
        public Builder staleIfError(Duration time) {
            staleIfError = Objects.requireNonNull(time, "staleIfError");
            return this;
        }

        /**
         * After which time a value that {@link #staleIfError} allows is the answer to a call that is still under way (a soft
         * timeout). A load that a decorated function can do again goes on in the background. 0: never; else from 1 ms to 1
         * hour. Default: measured, about twice as long as 95 of 100 of the last loads of the operation took and at least 100 ms;
         * 1 s while fewer than eight are known.
         */
        public Builder staleIfSlow(Duration time) {
            staleIfSlow = Objects.requireNonNull(time, "staleIfSlow");
            return this;
        }

        /**
         * Whether an old value is kept when the dependency answers with what the classifier ignores, such as a 404 or a 403.
         * Default false: what is gone, or no longer allowed, is not served when the next call fails.
         */
        public Builder keepIfIgnored(boolean keep) {
            keepIfIgnored = keep;
            return this;
        }

        /**
         * For how long an answer that is a value, and that the classifier ignores, such as a 404, is the answer without a
         * call. It ends as {@link dev.holdfast.Outcome#IGNORED} again, and is never used afterwards. A value that says a fresh
         * time itself is kept for that one. From 0 to 365 days; default 0: never. Not together with {@link #keepIfIgnored}.
         */
        public Builder freshIfIgnored(Duration time) {
            freshIfIgnored = Objects.requireNonNull(time, "freshIfIgnored");
            return this;
        }

        /**
         * The last part of its fresh time in which a value that is asked for is also refreshed in the background: 0.2 is the
         * last fifth. Counted from when the value came, if it was not new then. Only for calls of a decorated function. From 0
         * to 0.9; default 0: never.
         */
        public Builder refreshAhead(double part) {
            refreshAhead = part;
            return this;
        }

        /**
         * What the function says of a value: its own times, its age, its weight, and whether it may be kept and shared. For
         * values that are not {@link Perishable}; if it returns null, the value's own word holds, then these settings. Called
         * once for each load, also for values that the classifier calls a failure, on the thread on which the load ends; must
         * not block. If it throws, the load fails with that exception, and nothing is stored. Default: none.
         */
        public Builder freshness(Function<? super Object, ? extends @Nullable Freshness> function) {
            freshness = Objects.requireNonNull(function, "freshness");
            return this;
        }

        @SuppressWarnings("unchecked") // a file can only name it; its result is checked where it is used
        private void freshnessOfAFile(Function<?, ?> function) {
            freshness((Function<? super Object, ? extends @Nullable Freshness>) function);
        }

        /** How many values are kept; those that are least likely to be asked for again go. From 1 to 10,000,000; default 10,000. */
        public Builder maxEntries(int entries) {
            maxEntries = entries;
            return this;
        }

        /**
         * How much the values that are kept may weigh together, in any unit: for example bytes. A value weighs what {@link
         * Freshness#weight} or {@link #weigher} says, else nothing. {@link #maxEntries} holds as well: so a value counts at least
         * the {@code maxEntries}th part of this. From 1 to 1,000,000,000,000; default: their weight does not matter.
         */
        public Builder maxWeight(long units) {
            maxWeight = units;
            return this;
        }

        /**
         * How much one value may weigh that is kept. A heavier one is delivered, to the calls that wait for it, too, and is not
         * stored. From 1 to {@link #maxWeight}; default: as much as that, if it is set.
         */
        public Builder maxValueWeight(long units) {
            maxValueWeight = units;
            return this;
        }

        /**
         * The weight of a value that does not say it itself. Less than 0 counts as 0. Called, and may throw, like {@link
         * #freshness}. Default: none, a value that says nothing weighs 0.
         */
        public Builder weigher(ToLongFunction<? super Object> function) {
            weigher = Objects.requireNonNull(function, "weigher");
            return this;
        }

        @SuppressWarnings("unchecked") // a file can only name it
        private void weigherOfAFile(ToLongFunction<?> function) {
            weigher((ToLongFunction<? super Object>) function);
        }

        /**
         * How many calls may wait for another one of the same key; more are answered with an old value, or rejected with
         * {@link dev.holdfast.Reason#FLIGHT_FULL}. From 0 to 1,000,000; default 1,000.
         */
        public Builder maxFollowers(int calls) {
            maxFollowers = calls;
            return this;
        }

        /**
         * How many of them may go on waiting when that call is slow, as said by {@link #staleIfSlow}; where that is 0, as
         * measured. From 0 to 1,000,000; default 100. More than {@link #maxFollowers} is as many as those.
         */
        public Builder maxFollowersIfSlow(int calls) {
            maxFollowersIfSlow = calls;
            return this;
        }

        /** How long a refresh in the background may take, its retries and waits included. From 1 ms to 1 hour; default 10 s. */
        public Builder refreshTimeout(Duration time) {
            refreshTimeout = Objects.requireNonNull(time, "refreshTimeout");
            return this;
        }

        /**
         * How long a key is not refreshed after a refresh has failed; doubles with each further failure up to a minute, or this
         * time if it is longer.
         * From 1 ms to 1 hour; default 1 s.
         */
        public Builder refreshBackoff(Duration time) {
            refreshBackoff = Objects.requireNonNull(time, "refreshBackoff");
            return this;
        }

        /**
         * The settings.
         *
         * @throws dev.holdfast.spi.InvalidSettingsException if a value is out of its range, or if two contradict each other
         */
        public StaleCacheSettings build() {
            Checks checks = OPTIONS.check(this);
            if (maxWeight != null && maxValueWeight != null) {
                checks.atMost("maxValueWeight", maxValueWeight, "maxWeight", maxWeight);
            }
            // The answer would take the place of the old value.
            checks.that(
                            freshIfIgnored.isZero() || !keepIfIgnored,
                            "freshIfIgnored",
                            Checks.text(freshIfIgnored),
                            "0s where keepIfIgnored is true")
                    .done();
            return new StaleCacheSettings(new Builder(this));
        }
    }
}
