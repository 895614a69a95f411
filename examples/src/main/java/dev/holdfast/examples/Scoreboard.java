/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.ToLongFunction;

/** What the customers of one shop saw. Times count from the start of the run. Safe for threads. */
final class Scoreboard {
    /** What an answer was worth. */
    enum Kind {
        /** Right, and asked for just now. */
        LIVE,
        /** Right as it was some time ago: it came from the cache. */
        STALE,
        /** No answer, an error, or one that came after the customer had left. */
        ERROR
    }

    private record Entry(long arrivedNanos, long endedNanos, Kind kind) {}

    private final Queue<Entry> entries = new ConcurrentLinkedQueue<>();

    void add(long arrivedNanos, long endedNanos, Kind kind) {
        entries.add(new Entry(arrivedNanos, endedNanos, kind));
    }

    /** Forgets all. */
    void clear() {
        entries.clear();
    }

    /** Of the requests that were sent in this time. */
    Tally sentBetween(long fromNanos, long toNanos) {
        return tally(fromNanos, toNanos, Entry::arrivedNanos);
    }

    /** Of the answers that came in this time. */
    Tally answeredBetween(long fromNanos, long toNanos) {
        return tally(fromNanos, toNanos, Entry::endedNanos);
    }

    private Tally tally(long fromNanos, long toNanos, ToLongFunction<Entry> time) {
        Tally.Builder tally = new Tally.Builder();
        for (Entry entry : entries) {
            long nanos = time.applyAsLong(entry);
            if (nanos >= fromNanos && nanos < toNanos) {
                tally.add(entry.kind(), entry.endedNanos() - entry.arrivedNanos());
            }
        }
        return tally.build();
    }
}
