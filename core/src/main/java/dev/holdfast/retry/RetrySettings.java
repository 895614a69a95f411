/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.retry;

import dev.holdfast.internal.Options;
import dev.holdfast.internal.SafeLog;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.PolicyFactory.Option;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The settings of a {@link RetryPolicy}. Immutable. */
public final class RetrySettings {
    private static final Duration LONGEST = Duration.ofDays(1);
    /** How much a suggested wait is stretched at most, as a part of it. */
    private static final double STRETCH = 0.1;

    private static final SafeLog LOG = SafeLog.of(RetrySettings.class.getName());

    private static final Options<Builder> OPTIONS = new Options<>(
            "retry",
            Builder::new,
            List.of(
                    Option.integer("max-attempts", (Builder b) -> b.maxAttempts, Builder::maxAttempts)
                            .range(1, 1_000_000_000)
                            .means("number of attempts of a call, including the first"),
                    Option.duration("backoff.initial", (Builder b) -> b.initialBackoff, Builder::initialBackoff)
                            .range(Duration.ZERO, LONGEST)
                            .means("longest wait before the second attempt")
                            .inCode("initialBackoff"),
                    Option.decimal("backoff.multiplier", (Builder b) -> b.multiplier, Builder::multiplier)
                            .range(1.0, 100.0)
                            .means("the wait is multiplied by this from attempt to attempt")
                            .inCode("multiplier"),
                    Option.duration("backoff.max", (Builder b) -> b.maxBackoff, Builder::maxBackoff)
                            .range(Duration.ZERO, LONGEST)
                            .means("the wait does not grow beyond this")
                            .rangeIs("`backoff.initial` to 1d")
                            .inCode("maxBackoff"),
                    Option.of("backoff.jitter", Jitter.class, (Builder b) -> b.jitter, Builder::jitter)
                            .means("how waits are drawn")
                            .inCode("jitter"),
                    Option.of("interval", Function.class, (Builder b) -> b.interval, Builder::intervalOfAFile)
                            .means(
                                    "a function from the number of attempts so far to milliseconds, instead of the backoff"),
                    Option.duration("max-retry-after", (Builder b) -> b.maxRetryAfter, Builder::maxRetryAfter)
                            .range(Duration.ZERO, LONGEST)
                            .means(
                                    "cap of a server's suggestion, before jitter; a retry that the breaker or the gate holds"
                                            + " for longer is not made"),
                    Option.of(
                                    "budget",
                                    RetryBudget.class,
                                    (Builder b) -> b.givenBudget,
                                    (b, shared) -> b.budget(shared))
                            .means("a shared `RetryBudget`, instead of the policy's own"),
                    Option.flag("budget.enabled", (Builder b) -> b.budgetEnabled, Builder::budgetEnabled)
                            .means("whether there is a budget")
                            .inCode("budgetEnabled"),
                    RetryBudget.MAX_TOKENS.under("budget", (Builder b) -> b.budget),
                    RetryBudget.TOKEN_RATIO.under("budget", (Builder b) -> b.budget),
                    RetryBudget.MIN_RETRIES_PER_MINUTE.under("budget", (Builder b) -> b.budget),
                    RetryBudget.REPLICAS.under("budget", (Builder b) -> b.budget),
                    Option.flag("retry-rejections", (Builder b) -> b.retryRejections, Builder::retryRejections)
                            .means("whether to retry a call that another policy rejected"),
                    Option.flag(
                                    "retry-inside-retries",
                                    (Builder b) -> b.retryInsideRetries,
                                    Builder::retryInsideRetries)
                            .means("whether to retry inside the second or a later attempt of an outer pipeline")));

    private final Builder builder;
    private final AtomicBoolean intervalIsBroken = new AtomicBoolean();
    private final long initialNanos;
    private final long maxNanos;
    private final long maxRetryAfterNanos;

    private RetrySettings(Builder builder) {
        this.builder = builder;
        this.initialNanos = builder.initialBackoff.toNanos();
        this.maxNanos = builder.maxBackoff.toNanos();
        this.maxRetryAfterNanos = builder.maxRetryAfter.toNanos();
    }

    /** The defaults, changed by this function. */
    public static RetrySettings of(Consumer<? super Builder> configure) {
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

    /** The number of attempts of a call, including the first. */
    public int maxAttempts() {
        return builder.maxAttempts;
    }

    /** Whether a local rejection is retried. */
    public boolean retryRejections() {
        return builder.retryRejections;
    }

    /** Whether a call inside a retry of an outer pipeline is retried. */
    public boolean retryInsideRetries() {
        return builder.retryInsideRetries;
    }

    /** The budget that the retries are paid from: the given one, else a new one; null without any. */
    @Nullable
    RetryBudget budget() {
        if (!builder.budgetEnabled || builder.maxAttempts == 1) {
            return null;
        }
        RetryBudget given = builder.givenBudget;
        return given != null ? given : builder.budget.build();
    }

    /** Whether policies with these settings have the same kind of budget. */
    boolean hasBudgetOf(RetrySettings other) {
        return builder.budgetEnabled == other.builder.budgetEnabled
                && builder.givenBudget == other.builder.givenBudget
                && (builder.maxAttempts == 1) == (other.builder.maxAttempts == 1)
                && builder.budget.isSameAs(other.builder.budget);
    }

    /** The wait that a server suggests, at most {@code maxRetryAfter}. */
    long capped(long retryAfterNanos) {
        return Math.min(retryAfterNanos, maxRetryAfterNanos);
    }

    /** Whether no retry waits for so long. A tenth more is allowed, as for a suggestion: a gate's hold has its jitter already. */
    boolean isTooLong(long heldNanos) {
        return heldNanos > maxRetryAfterNanos * (1 + STRETCH);
    }

    /**
     * The wait if the server suggested one: that, plus up to a tenth of it, or up to the backoff or the {@code interval} if that is
     * more. So clients that were told the same do not come back together.
     */
    long stretchedNanos(long told, int attempts, double drawn) {
        if (builder.jitter == Jitter.NONE) {
            return told;
        }
        long given = intervalNanos(attempts);
        return (long) (told + drawn * Math.max(told * STRETCH, given < 0 ? wholeNanos(attempts) : given));
    }

    /**
     * The wait before the next attempt.
     *
     * @param attempts how many there have been, from 1
     * @param lastNanos the wait before the last one; 0 if there was none
     * @param drawn from 0 to below 1
     */
    long backoffNanos(int attempts, long lastNanos, double drawn) {
        long given = intervalNanos(attempts);
        if (given >= 0) {
            return given;
        }
        if (builder.jitter == Jitter.DECORRELATED) {
            double most = Math.max((double) initialNanos, 3.0 * (lastNanos == 0 ? initialNanos : lastNanos));
            return (long) Math.min((double) maxNanos, initialNanos + drawn * (most - initialNanos));
        }
        double whole = wholeNanos(attempts);
        switch (builder.jitter) {
            case FULL:
                return (long) (drawn * whole);
            case EQUAL:
                return (long) (whole / 2 + drawn * whole / 2);
            default:
                return (long) whole;
        }
    }

    /** The wait of the user's function; -1: there is none, or it says nothing useful. */
    private long intervalNanos(int attempts) {
        Function<? super Integer, Long> given = builder.interval;
        if (given != null) {
            try {
                return Math.max(0, TimeUnit.MILLISECONDS.toNanos(given.apply(attempts)));
            } catch (Throwable broken) {
                // Null too. The call ends with its own outcome, whatever a function of the user's does.
                tellOnce(broken);
            }
        }
        return -1;
    }

    private void tellOnce(Throwable broken) {
        if (intervalIsBroken.compareAndSet(false, true)) {
            LOG.warn("interval of a retry threw or returned null; the backoff is used; told once", broken);
        }
    }

    private double wholeNanos(int attempts) {
        return Math.min((double) maxNanos, initialNanos * Math.pow(builder.multiplier, attempts - 1.0));
    }

    /** The next number for the jitter: of these settings' own seed, else of the time on which the pipeline runs. */
    double draw(Passage passage) {
        DoubleSupplier random = builder.random;
        return random == null ? passage.random() : random.getAsDouble();
    }

    @Override
    public String toString() {
        return "RetrySettings[" + OPTIONS.text(builder) + "]";
    }

    /** Collects settings; the values are checked together in {@link #build}. */
    public static final class Builder {
        private int maxAttempts = 3;
        private Duration initialBackoff = Duration.ofMillis(50);
        private double multiplier = 2;
        private Duration maxBackoff = Duration.ofSeconds(1);
        private Jitter jitter = Jitter.FULL;
        private @Nullable DoubleSupplier random;
        private @Nullable Function<? super Integer, Long> interval;
        private boolean retryRejections;
        private boolean retryInsideRetries;
        private Duration maxRetryAfter = Duration.ofSeconds(30);
        private boolean budgetEnabled = true;
        private RetryBudget.Builder budget = RetryBudget.builder();
        private @Nullable RetryBudget givenBudget;

        private Builder() {}

        private Builder(Builder other) {
            OPTIONS.copy(other, this);
            random = other.random;
        }

        /** The number of attempts of a call, including the first: 1 to 1,000,000,000; default 3. */
        public Builder maxAttempts(int value) {
            maxAttempts = value;
            return this;
        }

        /** The longest wait before the second attempt, before jitter: 0 to 1 day; default 50 ms. */
        public Builder initialBackoff(Duration value) {
            initialBackoff = Objects.requireNonNull(value, "initialBackoff");
            return this;
        }

        /** The wait is multiplied by this from attempt to attempt: 1 to 100; default 2. */
        public Builder multiplier(double value) {
            multiplier = value;
            return this;
        }

        /** The wait does not grow beyond this: the initial wait to 1 day; default 1 s. */
        public Builder maxBackoff(Duration value) {
            maxBackoff = Objects.requireNonNull(value, "maxBackoff");
            return this;
        }

        /** How waits are drawn; default {@link Jitter#FULL}. */
        public Builder jitter(Jitter value) {
            jitter = Objects.requireNonNull(value, "jitter");
            return this;
        }

        /**
         * The seed of the jitter, so that a pipeline waits as long each time; default: other waits each time, and
         * the same ones on {@link dev.holdfast.time.VirtualTime}.
         */
        public Builder seed(long value) {
            Random seeded = new Random(value);
            random = seeded::nextDouble;
            return this;
        }

        /**
         * Returns the wait in milliseconds after this number of attempts, from 1, instead of backoff and jitter. resilience4j's
         * {@code IntervalFunction} is such a function.
         */
        public Builder interval(Function<? super Integer, Long> value) {
            interval = Objects.requireNonNull(value, "interval");
            return this;
        }

        /** A file gives a function by name, without its type arguments. */
        @SuppressWarnings("unchecked")
        private void intervalOfAFile(Function<?, ?> value) {
            interval((Function<? super Integer, Long>) value);
        }

        /** Whether to retry a call that another policy rejected; default false, because it only makes the caller wait. */
        public Builder retryRejections(boolean value) {
            retryRejections = value;
            return this;
        }

        /** Whether to retry a call that runs inside a second or later attempt of another pipeline; default false. */
        public Builder retryInsideRetries(boolean value) {
            retryInsideRetries = value;
            return this;
        }

        /**
         * The cap of a server's suggestion, before jitter: 0 to 1 day; default 30 s. A retry that the breaker, the gate or a
         * rejection holds for longer, by more than a tenth, is not made.
         */
        public Builder maxRetryAfter(Duration value) {
            maxRetryAfter = Objects.requireNonNull(value, "maxRetryAfter");
            return this;
        }

        /** Whether a budget limits the retries; default true. Without a budget, retries multiply the load of an outage. */
        public Builder budgetEnabled(boolean value) {
            budgetEnabled = value;
            return this;
        }

        /** Changes the budget that each policy with these settings makes for itself. */
        public Builder budget(Consumer<? super RetryBudget.Builder> configure) {
            Objects.requireNonNull(configure, "budget").accept(budget);
            return this;
        }

        /** A budget that several policies share, instead of the policy's own. */
        public Builder budget(RetryBudget shared) {
            givenBudget = Objects.requireNonNull(shared, "budget");
            return this;
        }

        /**
         * Checks and makes the settings.
         *
         * @throws dev.holdfast.spi.InvalidSettingsException if a value is out of range
         */
        public RetrySettings build() {
            OPTIONS.check(this)
                    .atLeast("maxBackoff", maxBackoff, "initialBackoff", initialBackoff)
                    .done();
            return new RetrySettings(new Builder(this));
        }
    }

    /** How waits between attempts are drawn, so that callers that failed together do not come back together. */
    public enum Jitter {
        /** From zero to the exponential wait; the least load for the dependency. */
        FULL,
        /** From half the exponential wait to the whole. */
        EQUAL,
        /** From the initial wait to three times the last one (AWS architecture blog, "Exponential backoff and jitter"). */
        DECORRELATED,
        /** The exponential wait itself. */
        NONE
    }
}
