/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import dev.holdfast.Reason;
import dev.holdfast.internal.Checks;
import dev.holdfast.spi.InvalidSettingsException;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import java.time.Duration;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * A layer that injects faults by a seed: errors, delays, rejections, and methods of a policy that throw.
 *
 * <p>Put it outermost to trouble a pipeline's callers, or innermost to simulate an ill dependency. The n-th decision is the
 * same for the same seed, on any thread. Safe for any number of threads.
 *
 * <pre>{@code
 * FaultPolicy faults = FaultPolicy.of(f -> f.seed(42).errors(0.1).delays(0.2).longestDelay(Duration.ofMillis(50)));
 * }</pre>
 */
final class FaultPolicy extends Policy {
    // The question that a number is drawn for. One more draw of one kind does not move the faults of the other.
    private static final long ON_ENTER = 0x9E3779B97F4A7C15L;
    private static final long ON_SETTLE = 0xC2B2AE3D27D4EB4FL;

    /** How many different delays there are. Few, so that on virtual time many calls go on at the same instant. */
    private static final int DELAYS = 100;

    private final Builder settings;
    private final AtomicLong injected = new AtomicLong();
    private final AtomicLong entered = new AtomicLong();
    private final AtomicLong settled = new AtomicLong();

    private FaultPolicy(Builder settings) {
        super("fault", ENTER | SUCCESS | FAILURE);
        this.settings = settings;
    }

    /**
     * A layer with these faults.
     *
     * @throws InvalidSettingsException if a value is out of range; names the option, the value and the range
     */
    public static FaultPolicy of(Consumer<Builder> settings) {
        Builder builder = new Builder();
        settings.accept(builder);
        return new FaultPolicy(builder.checked());
    }

    /** How many faults have been injected. */
    public long injected() {
        return injected.get();
    }

    @Override
    public int enter(Passage passage) {
        SplittableRandom random = random(ON_ENTER, entered);
        double draw = random.nextDouble();
        if ((draw -= settings.throwing) < 0) {
            injected.incrementAndGet();
            throw new InjectedFault("enter");
        }
        if ((draw -= settings.errors) < 0) {
            injected.incrementAndGet();
            return passage.fail(new InjectedFault("error"));
        }
        if ((draw -= settings.rejections) < 0) {
            injected.incrementAndGet();
            return passage.reject(Reason.OTHER, -1, "fault of '" + passage.pipeline() + "' was drawn");
        }
        if (draw - settings.delays < 0) {
            injected.incrementAndGet();
            return passage.pause(delay(random));
        }
        return PROCEED;
    }

    @Override
    public int settle(Passage passage) {
        if (settings.throwing > 0 && random(ON_SETTLE, settled).nextDouble() < settings.throwing) {
            injected.incrementAndGet();
            throw new InjectedFault("settle");
        }
        return KEEP;
    }

    private long delay(SplittableRandom random) {
        long longest = settings.longestDelay.toNanos();
        return Math.max(1, longest / DELAYS * (1 + random.nextInt(DELAYS)));
    }

    private SplittableRandom random(long question, AtomicLong counter) {
        return new SplittableRandom(settings.seed ^ question * (counter.incrementAndGet() | 1L << 63));
    }

    /** The injected error. Has no stack trace. */
    public static final class InjectedFault extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private InjectedFault(String where) {
            super("injected: " + where, null, false, false);
        }
    }

    /** The rates of the faults: shares of all calls, 0 to 1, 0 at first; together at most 1. */
    public static final class Builder {
        private long seed;
        private double throwing;
        private double errors;
        private double rejections;
        private double delays;
        private Duration longestDelay = Duration.ofMillis(10);

        private Builder() {}

        /** Where the draws begin; 0 by default. */
        public Builder seed(long value) {
            seed = value;
            return this;
        }

        /** How often {@code enter} throws, and how often {@code settle} does. */
        public Builder throwing(double share) {
            throwing = share;
            return this;
        }

        /** How often the layer makes an error the outcome instead of letting the call go on. */
        public Builder errors(double share) {
            errors = share;
            return this;
        }

        /** How often the layer rejects a call. */
        public Builder rejections(double share) {
            rejections = share;
            return this;
        }

        /** How often the layer delays a call on its way in. */
        public Builder delays(double share) {
            delays = share;
            return this;
        }

        /** The longest delay; 1 ns to 1 day, 10 ms by default. */
        public Builder longestDelay(Duration value) {
            longestDelay = value;
            return this;
        }

        private Builder checked() {
            double sum = throwing + errors + rejections + delays;
            new Checks("fault")
                    .range("throwing", throwing, 0, 1)
                    .range("errors", errors, 0, 1)
                    .range("rejections", rejections, 0, 1)
                    .range("delays", delays, 0, 1)
                    .range("longestDelay", longestDelay, Duration.ofNanos(1), Duration.ofDays(1))
                    .that(!(sum > 1), "throwing + errors + rejections + delays", sum, "0 to 1")
                    .done();
            return this;
        }
    }
}
