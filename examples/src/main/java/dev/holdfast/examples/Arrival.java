/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import java.util.stream.LongStream;

/**
 * A request of the load, fixed before the run begins.
 *
 * @param nanos when it is sent, since the start of the run
 * @param sku what it asks for
 */
record Arrival(long nanos, String sku) {
    static final int SKUS = 100;

    /**
     * Requests of many independent customers: exponential gaps, and some articles asked for far more often than others
     * (Zipf). The same seed gives the same list.
     */
    static List<Arrival> poisson(Duration length, int perSecond, long seed) {
        RandomGenerator random = new SplittableRandom(seed);
        double[] popularity = popularity();
        List<Arrival> arrivals = new ArrayList<>();
        double meanGap = 1e9 / perSecond;
        double now = random.nextExponential() * meanGap;
        while (now < length.toNanos()) {
            arrivals.add(new Arrival((long) now, "sku-" + draw(popularity, random.nextDouble())));
            now += random.nextExponential() * meanGap;
        }
        return List.copyOf(arrivals);
    }

    /** Requests in even gaps that go through all articles again and again. */
    static List<Arrival> throughAll(Duration length, int perSecond) {
        return throughAll(length, perSecond, 1);
    }

    /** The same, with so many requests for each article one after the other. */
    static List<Arrival> throughAll(Duration length, int perSecond, int each) {
        long count = length.toNanos() * perSecond / TimeUnit.SECONDS.toNanos(1);
        return LongStream.range(0, count)
                .mapToObj(i -> new Arrival(length.toNanos() * i / count, "sku-" + i / each % SKUS))
                .toList();
    }

    private static int draw(double[] popularity, double share) {
        for (int i = 0; i < SKUS; i++) {
            share -= popularity[i];
            if (share < 0) {
                return i;
            }
        }
        return SKUS - 1;
    }

    private static double[] popularity() {
        double[] weights = new double[SKUS];
        double sum = 0;
        for (int i = 0; i < SKUS; i++) {
            weights[i] = 1.0 / (i + 1);
            sum += weights[i];
        }
        for (int i = 0; i < SKUS; i++) {
            weights[i] /= sum;
        }
        return weights;
    }
}
