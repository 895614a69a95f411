/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.micrometer;

import java.util.concurrent.atomic.LongAdder;

/** The number of events and their total time. Striped: threads that count do not wait for each other. */
final class Timing {
    private final LongAdder count = new LongAdder();
    private final LongAdder nanos = new LongAdder();

    void add(long took) {
        count.increment();
        nanos.add(took);
    }

    long count() {
        return count.sum();
    }

    double nanos() {
        return nanos.sum();
    }
}
