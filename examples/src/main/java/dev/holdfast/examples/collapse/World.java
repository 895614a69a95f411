/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import dev.holdfast.time.VirtualTime;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;

/**
 * Virtual time in seconds since its start, and seeded chance. Arrivals have chance of their own, so that all clients that
 * are tried with one seed meet the same ones.
 */
final class World implements AutoCloseable {
    private static final double NANOS = 1e9;

    private final VirtualTime time = new VirtualTime();
    private final long startNanos = time.nanos();
    private final Variation variation;
    private final Random arrivals;
    private final Random random;

    World(long seed) {
        this(seed, Variation.NONE);
    }

    World(long seed, Variation variation) {
        this.variation = variation;
        arrivals = new Random(seed);
        random = new Random(~seed);
    }

    VirtualTime time() {
        return time;
    }

    /** In what it differs from the experiment's source. */
    Variation variation() {
        return variation;
    }

    /** Seconds since the start. */
    double now() {
        return (time.nanos() - startNanos) / NANOS;
    }

    /** The chance of everything but arrivals. */
    Random random() {
        return random;
    }

    double exponential(double mean) {
        return -mean * Math.log(1 - random.nextDouble());
    }

    /** Runs this so many seconds from now. */
    void in(double seconds, Runnable task) {
        time.schedule((long) (seconds * NANOS), task);
    }

    /**
     * Makes something happen again and again as a Poisson process, from now on until the given second. It is open-loop: nobody
     * waits for an answer before asking the next time.
     *
     * @param perSecond the rate at an instant
     */
    void poisson(double until, DoubleUnaryOperator perSecond, Runnable arrival) {
        double gap = -Math.log(1 - arrivals.nextDouble()) / perSecond.applyAsDouble(now());
        if (now() + gap < until) {
            in(gap, () -> {
                arrival.run();
                poisson(until, perSecond, arrival);
            });
        }
    }

    /** Lets everything happen that is still to happen. */
    void run() {
        time.run();
    }

    @Override
    public void close() {
        time.close();
    }
}
