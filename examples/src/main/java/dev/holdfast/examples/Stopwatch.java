/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import java.util.concurrent.TimeUnit;

/** The time since the start of the run, the same for all who take part. Safe for threads. */
final class Stopwatch {
    private volatile long start = System.nanoTime();

    /** Lets the run start now. */
    void start() {
        start = System.nanoTime();
    }

    /** Nanoseconds since the start. */
    long nanos() {
        return System.nanoTime() - start;
    }

    /** Waits until this time since the start; returns at once if it is past. */
    void await(long nanos) throws InterruptedException {
        TimeUnit.NANOSECONDS.sleep(nanos - nanos());
    }
}
