/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.micrometer;

import io.micrometer.core.instrument.Timer;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/**
 * The number of events and their total time. Striped: threads that count do not wait for each other. If there are histograms,
 * their timers are given each event, too.
 */
final class Timing implements Sum.Source {
    private static final Timer[] NONE = {};

    private final LongAdder count = new LongAdder();
    private final LongAdder nanos = new LongAdder();
    // Volatile: a reload exchanges it while calls are counted.
    private volatile Timer[] histograms = NONE;

    void add(long took) {
        count.increment();
        nanos.add(took);
        for (Timer histogram : histograms) {
            histogram.record(took, TimeUnit.NANOSECONDS);
        }
    }

    void histograms(List<Timer> timers) {
        histograms = timers.toArray(NONE);
    }

    @Override
    public long count() {
        return count.sum();
    }

    /** The total time in nanoseconds. */
    @Override
    public double value() {
        return nanos.sum();
    }
}
