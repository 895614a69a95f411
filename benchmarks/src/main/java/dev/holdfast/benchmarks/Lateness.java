/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import java.util.Collection;
import java.util.Locale;

/** By how much limits were late, in nanoseconds; a negative one struck too early. */
final class Lateness {
    private static final long ALLOWED_NANOS = 5_000_000;

    static final String HEADER = "| late, ms | busy threads | calls | first | p50 | p99 | p99.9 | max | beyond 5 ms |\n"
            + "|---|--:|--:|--:|--:|--:|--:|--:|--:|";

    private final long[] sorted;

    Lateness(Collection<Long> nanos) {
        sorted = nanos.stream().mapToLong(Long::longValue).sorted().toArray();
    }

    int calls() {
        return sorted.length;
    }

    /** What that share of the calls did not exceed: 0 is the earliest, 1 the latest. */
    long quantile(double share) {
        return sorted[Math.max(0, (int) Math.ceil(share * sorted.length) - 1)];
    }

    /** How many were later than they may be. */
    int beyond() {
        int within = 0;
        while (within < sorted.length && sorted[within] <= ALLOWED_NANOS) {
            within++;
        }
        return sorted.length - within;
    }

    /** A row below the {@link #HEADER}. */
    String row(String name, int busyThreads) {
        return String.format(
                Locale.ROOT,
                "| %s | %d | %d | %.2f | %.2f | %.2f | %.2f | %.2f | %d |",
                name,
                busyThreads,
                calls(),
                quantile(0) / 1e6,
                quantile(0.5) / 1e6,
                quantile(0.99) / 1e6,
                quantile(0.999) / 1e6,
                quantile(1) / 1e6,
                beyond());
    }
}
