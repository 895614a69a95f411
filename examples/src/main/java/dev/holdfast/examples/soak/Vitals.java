/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.soak;

import java.lang.management.ManagementFactory;

/** What must not grow: the heap that is in use after a collection, and the threads that are alive. */
record Vitals(long heapBytes, int threads) {
    private static final long HEAP_SLACK = 16L << 20;
    private static final double HEAP_GROWTH = 1.1;
    /** What the JVM may start by itself. */
    private static final int THREAD_SLACK = 2;
    /** A pipeline's own pool on a JVM without virtual threads: its threads come with the work, and end when they idle. */
    private static final int POOL = Math.max(16, 4 * Runtime.getRuntime().availableProcessors());

    static Vitals take() {
        System.gc();
        return new Vitals(
                ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed(),
                ManagementFactory.getThreadMXBean().getThreadCount());
    }

    boolean isHeapFlatSince(Vitals earlier) {
        return heapBytes <= earlier.heapBytes * HEAP_GROWTH + HEAP_SLACK;
    }

    boolean areThreadsFlatSince(Vitals earlier) {
        return threads <= earlier.threads + THREAD_SLACK + POOL;
    }

    boolean haveThreadsEndedSince(Vitals earlier) {
        return threads <= earlier.threads + THREAD_SLACK;
    }

    @Override
    public String toString() {
        return (heapBytes >> 20) + " MB, " + threads + " threads";
    }
}
