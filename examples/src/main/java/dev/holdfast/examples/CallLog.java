/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.LongSupplier;

/** When calls reached the stock service. Safe for threads. */
final class CallLog {
    private final LongSupplier now;
    private final Queue<Long> times = new ConcurrentLinkedQueue<>();

    /** {@code now}: nanoseconds since the start of the run. */
    CallLog(LongSupplier now) {
        this.now = now;
    }

    void add() {
        times.add(now.getAsLong());
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
