/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/**
 * Answers, counted.
 *
 * @param p99Millis how long 99 % of the customers waited at most, for a right answer or for an error; -1 if there are none
 */
record Tally(int live, int stale, int errors, long p99Millis) {
    /** Right answers, live and stale together. */
    int right() {
        return live + stale;
    }

    int requests() {
        return live + stale + errors;
    }

    /** The share of live answers, from 0 to 1; 1 if nothing was asked. */
    double liveShare() {
        return requests() == 0 ? 1 : (double) live / requests();
    }

    /** Counts answers one by one. */
    static final class Builder {
        private final Map<Scoreboard.Kind, Integer> counts = new EnumMap<>(Scoreboard.Kind.class);
        private final Histogram waits = new Histogram(TimeUnit.MINUTES.toMicros(1), 3);

        void add(Scoreboard.Kind kind, long waitNanos) {
            counts.merge(kind, 1, Integer::sum);
            waits.recordValue(Math.min(TimeUnit.NANOSECONDS.toMicros(waitNanos), waits.getHighestTrackableValue()));
        }

        Tally build() {
            long p99 = waits.getTotalCount() == 0 ? -1 : TimeUnit.MICROSECONDS.toMillis(waits.getValueAtPercentile(99));
            return new Tally(
                    counts.getOrDefault(Scoreboard.Kind.LIVE, 0),
                    counts.getOrDefault(Scoreboard.Kind.STALE, 0),
                    counts.getOrDefault(Scoreboard.Kind.ERROR, 0),
                    p99);
        }
    }
}
