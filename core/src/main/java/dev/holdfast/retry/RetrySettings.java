/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.retry;

import dev.holdfast.internal.Checks;
import dev.holdfast.internal.SafeLog;
import dev.holdfast.spi.Passage;
import java.time.Duration;
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

    /** The wait that a server suggests, at most {@code maxRetryAfter}. */
    long capped(long retryAfterNanos) {
        return Math.min(retryAfterNanos, maxRetryAfterNanos);
    }

    /**
     * The wait if the server suggested one: that, plus up to a tenth of it, or up to the backoff if that is more. So clients
     * that were told the same do not come back together.
     */
    long stretchedNanos(long told, int attempts, double drawn) {
        if (builder.jitter == Jitter.NONE) {
            return told;
        }
        return told + (long) (drawn * Math.max(told * STRETCH, wholeNanos(attempts)));
    }

    /**
     * The wait before the next attempt.
     *
     * @param attempts how many there have been, from 1
     * @param lastNanos the wait before the last one; 0 if there was none
     * @param drawn from 0 to below 1
     */
    long backoffNanos(int attempts, long lastNanos, double drawn) {
        Function<? super Integer, Long> given = builder.interval;
        if (given != null) {
            try {
                return Math.max(0, TimeUnit.MILLISECONDS.toNanos(given.apply(attempts)));
            } catch (Throwable broken) {
                // Null too. The call ends with its own outcome, whatever a function of the user's does.
                tellOnce(broken);
            }
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
        Builder b = builder;
        String waits = b.interval != null
                ? "interval=given"
                : "initialBackoff=" + Checks.text(b.initialBackoff) + ", multiplier=" + b.multiplier + ", maxBackoff="
                        + Checks.text(b.maxBackoff) + ", jitter=" + b.jitter;
        return "RetrySettings[maxAttempts=" + b.maxAttempts + ", " + waits + ", maxRetryAfter="
                + Checks.text(b.maxRetryAfter) + ", budgetEnabled=" + b.budgetEnabled + ", retryRejections="
                + b.retryRejections + ", retryInsideRetries=" + b.retryInsideRetries + "]";
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
        private RetryBudget.Builder budget = new RetryBudget.Builder();
        private @Nullable RetryBudget givenBudget;

        private Builder() {}

        private Builder(Builder other) {
            maxAttempts = other.maxAttempts;
            initialBackoff = other.initialBackoff;
            multiplier = other.multiplier;
            maxBackoff = other.maxBackoff;
            jitter = other.jitter;
            random = other.random;
            interval = other.interval;
            retryRejections = other.retryRejections;
            retryInsideRetries = other.retryInsideRetries;
            maxRetryAfter = other.maxRetryAfter;
            budgetEnabled = other.budgetEnabled;
            budget = new RetryBudget.Builder(other.budget);
            givenBudget = other.givenBudget;
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
         * The cap of a server's suggestion, before jitter: 0 to 1 day; default 30 s.
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
            Checks checks = new Checks("retry")
                    .range("maxAttempts", maxAttempts, 1, 1_000_000_000)
                    .range("initialBackoff", initialBackoff, Duration.ZERO, LONGEST)
                    .range("multiplier", multiplier, 1, 100)
                    .range("maxBackoff", maxBackoff, initialBackoff, LONGEST)
                    .range("maxRetryAfter", maxRetryAfter, Duration.ZERO, LONGEST);
            budget.check(checks, "budget.").done();
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
