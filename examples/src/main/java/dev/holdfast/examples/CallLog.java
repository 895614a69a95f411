/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** When calls reached the stock service. Safe for threads. */
final class CallLog {
    private final Stopwatch stopwatch;
    private final Queue<Long> times = new ConcurrentLinkedQueue<>();

    CallLog(Stopwatch stopwatch) {
        this.stopwatch = stopwatch;
    }

    void add() {
        times.add(stopwatch.nanos());
    }

    /** Forgets all. */
    void clear() {
        times.clear();
    }

    /** How many calls came in this time. */
    int between(long fromNanos, long toNanos) {
        return (int) times.stream()
                .filter(nanos -> nanos >= fromNanos && nanos < toNanos)
                .count();
    }
}
