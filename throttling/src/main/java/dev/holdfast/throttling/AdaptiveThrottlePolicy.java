/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling;

import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.internal.Checks;
import dev.holdfast.internal.Options;
import dev.holdfast.internal.Ranks;
import dev.holdfast.internal.Refused;
import dev.holdfast.spi.InvalidSettingsException;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory.Option;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.throttling.internal.engine.Accepts;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Rejects a share of the calls while the dependency accepts too few of them: the adaptive client throttling of Google's book on
 * site reliability engineering, chapter 21.
 *
 * <p>It counts the attempts of the last {@code window}, and those of them that were accepted: answered with a success, or with an
 * error that the classifier ignores. A call is rejected at random, with the probability (requests - multiplier * accepts) /
 * (requests + padding), with {@link Reason#THROTTLED}. A rejected call counts as a request, so the share grows. If the dependency
 * accepts so many calls in a time, it grows until about {@code multiplier} calls are sent for each one that is accepted; if the
 * dependency accepts a share that does not grow when less is sent, up to {@code maxRejected}. At least one tenth of the calls is
 * always sent, by {@code maxRejected}, so that a dependency that is well again is noticed.
 *
 * <p>Attempts whose end says nothing of the dependency are not counted: cancelled ones, those that an outer limit cut short, and
 * those that an inner policy rejected. By their {@linkplain Passage#rank rank}, sheddable calls and retries are rejected first: for
 * them half of what the multiplier is above one counts, and to reject them costs the others nothing.
 *
 * <p>Safe for any number of threads; one instance for each dependency. Allocates nothing for a call that is let through.
 */
public final class AdaptiveThrottlePolicy extends Policy {
    private final Settings settings;
    private Accepts accepts;
    private LongAdder rejected = new LongAdder();
    /** The time source of the pipeline that was built last with it; null before that. */
    private volatile @Nullable TimeSource time;

    private AdaptiveThrottlePolicy(Settings settings) {
        super("adaptive-throttle", ENTER | SUCCESS | FAILURE);
        this.settings = settings;
        accepts = new Accepts(settings.window().toNanos());
    }

    /**
     * With the defaults, changed by the function.
     *
     * @throws InvalidSettingsException if a value is out of range
     */
    public static AdaptiveThrottlePolicy of(Consumer<? super Settings.Builder> changes) {
        Settings.Builder builder = Settings.builder();
        changes.accept(builder);
        return of(builder.build());
    }

    /** With these settings. */
    public static AdaptiveThrottlePolicy of(Settings settings) {
        return new AdaptiveThrottlePolicy(settings);
    }

    /** Twice as many calls as were accepted in the last 30 s. */
    public static AdaptiveThrottlePolicy ofDefaults() {
        return of(Settings.builder().build());
    }

    @Override
    public Timing timing() {
        return Timing.NONE;
    }

    @Override
    public int enter(Passage passage) {
        boolean late = passage.rank() >= Ranks.LATE;
        if (share(late) <= 0) {
            return PROCEED;
        }
        long now = passage.now();
        accepts.moveOn(now);
        double share = Math.min(settings.maxRejected(), share(late));
        return share > 0 && passage.random() < share ? turnAway(passage, now, late, share) : PROCEED;
    }

    private double share(boolean late) {
        double usual = settings.multiplier();
        return late ? accepts.lateShare((1 + usual) / 2, settings.padding()) : accepts.share(usual, settings.padding());
    }

    private int turnAway(Passage passage, long now, boolean late, double share) {
        // Those that the share is computed from.
        long accepted = accepts.accepts();
        long requests = late ? accepts.lateRequests() : accepts.requests();
        if (late) {
            accepts.refusedLate(now);
        } else {
            accepts.refused(now);
        }
        Refused.count(passage, rejected);
        String pipeline = passage.pipeline();
        return passage.reject(
                Reason.THROTTLED,
                -1,
                () -> String.format(
                        Locale.ROOT,
                        "adaptive throttle of '%s' rejects %.0f %% of the %s, since %d of %d were accepted in %s",
                        pipeline,
                        100 * share,
                        late ? "sheddable calls and retries" : "calls",
                        accepted,
                        requests,
                        Checks.text(settings.window())),
                null);
    }

    @Override
    public int settle(Passage passage) {
        if (passage.started() && !passage.cutShort() && !passage.personal()) {
            Outcome outcome = passage.outcome();
            switch (outcome) {
                case SUCCESS, IGNORED -> accepts.accepted(passage.now());
                case FAILURE, TIMEOUT, PUSHBACK -> accepts.refused(passage.now());
                default -> {}
            }
        }
        return KEEP;
    }

    /** The window, while calls are rejected; else a new one would do the same. */
    @Override
    public long remembers() {
        return rejectedShare() > 0 ? settings.window().toNanos() : 0;
    }

    @Override
    public void bind(String pipeline, TimeSource pipelineTime) {
        time = pipelineTime;
    }

    /** Takes over the totals, and what was counted if the window is as long. */
    @Override
    public void takeOver(Policy previous) {
        if (previous instanceof AdaptiveThrottlePolicy other) {
            rejected = other.rejected;
            if (settings.window().equals(other.settings.window())) {
                accepts = other.accepts;
            }
        }
    }

    @Override
    public void meters(Meters meters) {
        meters.gauge(
                "adaptivethrottle.share",
                "Share of the calls of ranks 0 and 1 that is rejected now",
                this::rejectedShare);
        meters.counter("adaptivethrottle.rejected", "Calls that were turned away", this::rejected);
    }

    /**
     * The share of the calls that is rejected now: 0 to {@code maxRejected}. Uses the clock of the pipeline that was built last
     * with it.
     */
    public double rejectedShare() {
        TimeSource bound = time;
        accepts.moveOn((bound == null ? TimeSource.system() : bound).nanos());
        return Math.max(0, Math.min(settings.maxRejected(), share(false)));
    }

    /** How many calls were rejected so far. */
    public long rejected() {
        return rejected.sum();
    }

    /** The settings that this policy was made with. */
    public Settings settings() {
        return settings;
    }

    @Override
    public Map<String, Object> settingsMap() {
        return settings.asMap();
    }

    /** How many calls may be sent for each one that is accepted, and what is looked at. Immutable. */
    public static final class Settings {
        private static final Options<Builder> OPTIONS = new Options<>(
                "adaptive throttle",
                Builder::new,
                List.of(
                        Option.decimal("multiplier", (Builder b) -> b.multiplier, Builder::multiplier)
                                .range(1.1, 100.0)
                                .means("how many calls may be sent for each one that was accepted"),
                        Option.duration("window", (Builder b) -> b.window, Builder::window)
                                .range(Duration.ofSeconds(1), Duration.ofHours(1))
                                .means("the time whose calls are counted"),
                        Option.decimal("max-rejected", (Builder b) -> b.maxRejected, Builder::maxRejected)
                                .range(0.0, 0.99)
                                .means("the most of the calls that are rejected; with 0 none is"),
                        Option.integer("padding", (Builder b) -> b.padding, Builder::padding)
                                .range(1, 1_000_000)
                                .means(
                                        "so many requests more in the divisor, so that a few failures of few calls reject little")));

        private final Builder builder;

        private Settings(Builder builder) {
            this.builder = builder;
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

        /** How many calls may be sent for each one that was accepted. */
        public double multiplier() {
            return builder.multiplier;
        }

        /** The time whose calls are counted. */
        public Duration window() {
            return builder.window;
        }

        /** The most of the calls that are rejected. */
        public double maxRejected() {
            return builder.maxRejected;
        }

        /** So many requests more in the divisor. */
        public int padding() {
            return builder.padding;
        }

        @Override
        public String toString() {
            return OPTIONS.text(builder);
        }

        /** Collects settings; all checks are made in {@link #build}. Not safe for several threads. */
        public static final class Builder {
            private double multiplier = 2;
            private Duration window = Duration.ofSeconds(30);
            private double maxRejected = 0.9;
            private int padding = 8;

            private Builder() {}

            private Builder(Builder other) {
                OPTIONS.copy(other, this);
            }

            /**
             * How many calls may be sent for each one that was accepted: 1.1 to 100; default 2. A smaller one spares the dependency
             * more, and notices later that it is well again: with 1, what it has rejected would be reason enough to reject as much
             * again.
             */
            public Builder multiplier(double value) {
                multiplier = value;
                return this;
            }

            /** The time whose calls are counted: 1 s to 1 h; default 30 s. */
            public Builder window(Duration time) {
                window = Objects.requireNonNull(time, "window");
                return this;
            }

            /** The most of the calls that are rejected: 0 to 0.99; default 0.9. With 0 none is. */
            public Builder maxRejected(double share) {
                maxRejected = share;
                return this;
            }

            /** So many requests more in the divisor, so that a few failures of few calls reject little: 1 to 1,000,000; default 8. */
            public Builder padding(int requests) {
                padding = requests;
                return this;
            }

            /**
             * The settings.
             *
             * @throws InvalidSettingsException if a value is out of range; the message names the option, the value and the range
             */
            public Settings build() {
                OPTIONS.check(this).done();
                return new Settings(new Builder(this));
            }
        }
    }
}
