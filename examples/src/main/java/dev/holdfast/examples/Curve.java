/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.function.LongBinaryOperator;
import java.util.stream.DoubleStream;

/**
 * How many times a second something happened: a moving average over one second.
 *
 * <p>The average is taken inside each phase alone, and at the edges of a phase over the part of the second that is in
 * it. So no value shows a fault before the fault begins, or after its end, and none counts time outside of the run.
 */
final class Curve {
    private static final double SECOND = TimeUnit.SECONDS.toNanos(1);
    private static final long HALF = TimeUnit.MILLISECONDS.toNanos(500);
    private static final long STEP = TimeUnit.MILLISECONDS.toNanos(250);

    private final DoubleStream.Builder seconds = DoubleStream.builder();
    private final DoubleStream.Builder rates = DoubleStream.builder();
    private final double[] x;
    private final double[] y;

    /** {@code count} says how often it happened from the first time, inclusive, to the second, exclusive. */
    Curve(Timeline timeline, LongBinaryOperator count) {
        for (Phase phase : timeline.phases()) {
            add(phase, count);
        }
        x = seconds.build().toArray();
        y = rates.build().toArray();
    }

    private void add(Phase phase, LongBinaryOperator count) {
        long steps = Math.max(1, phase.nanos() / STEP);
        for (long i = 0; i <= steps; i++) {
            long at = phase.startNanos() + phase.nanos() * i / steps;
            long from = Math.max(phase.startNanos(), at - HALF);
            long to = Math.min(phase.endNanos(), at + HALF);
            seconds.add(at / SECOND);
            rates.add(count.applyAsLong(from, to) * SECOND / (to - from));
        }
    }

    /** The times in seconds. The edge between two phases is there twice: the last of one, and the first of the next. */
    double[] seconds() {
        return x.clone();
    }

    /** The rate at each of the times. */
    double[] perSecond() {
        return y.clone();
    }

    double highest() {
        return Arrays.stream(y).max().orElse(0);
    }
}
