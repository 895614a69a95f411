/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import dev.holdfast.Reason;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A layer that injects faults by a seed: errors, delays, rejections, and methods of a policy that throw.
 *
 * <p>Put it outermost to trouble a pipeline's callers, or innermost to simulate an ill dependency. The n-th decision is the
 * same for the same seed, on any thread. Safe for any number of threads.
 */
final class FaultPolicy extends Policy {
    // The question that a number is drawn for. One more draw of one kind does not move the faults of the other.
    private static final long ON_ENTER = 0x9E3779B97F4A7C15L;
    private static final long ON_SETTLE = 0xC2B2AE3D27D4EB4FL;

    /** How many different delays there are. Few, so that on virtual time many calls go on at the same instant. */
    private static final int DELAYS = 100;

    private static final long LONGEST_DELAY_NANOS = 10_000_000;

    private final long seed;
    private final double throwing;
    private final double errors;
    private final double rejections;
    private final double delays;
    private final AtomicLong entered = new AtomicLong();
    private final AtomicLong settled = new AtomicLong();

    /**
     * A layer with these faults, as shares of all calls, together at most 1.
     *
     * @param throwing how often {@code enter} throws, and how often {@code settle} does
     * @param errors how often the layer makes an error the outcome instead of letting the call go on
     * @param rejections how often the layer rejects a call
     * @param delays how often the layer delays a call on its way in, for at most 10 ms
     */
    FaultPolicy(long seed, double throwing, double errors, double rejections, double delays) {
        super("fault", ENTER | SUCCESS | FAILURE);
        this.seed = seed;
        this.throwing = throwing;
        this.errors = errors;
        this.rejections = rejections;
        this.delays = delays;
    }

    @Override
    public int enter(Passage passage) {
        SplittableRandom random = random(ON_ENTER, entered);
        double draw = random.nextDouble();
        if ((draw -= throwing) < 0) {
            throw new InjectedFault("enter");
        }
        if ((draw -= errors) < 0) {
            return passage.fail(new InjectedFault("error"));
        }
        if ((draw -= rejections) < 0) {
            return passage.reject(Reason.OTHER, -1, "fault of '" + passage.pipeline() + "' was drawn");
        }
        if (draw - delays < 0) {
            return passage.pause(delay(random));
        }
        return PROCEED;
    }

    @Override
    public int settle(Passage passage) {
        if (throwing > 0 && random(ON_SETTLE, settled).nextDouble() < throwing) {
            throw new InjectedFault("settle");
        }
        return KEEP;
    }

    private static long delay(SplittableRandom random) {
        return LONGEST_DELAY_NANOS / DELAYS * (1 + random.nextInt(DELAYS));
    }

    private SplittableRandom random(long question, AtomicLong counter) {
        return new SplittableRandom(seed ^ question * (counter.incrementAndGet() | 1L << 63));
    }

    /** The injected error. Has no stack trace. */
    public static final class InjectedFault extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private InjectedFault(String where) {
            super("injected: " + where, null, false, false);
        }
    }
}
