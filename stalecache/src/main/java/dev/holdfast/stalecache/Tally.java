/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import dev.holdfast.Outcome;
import dev.holdfast.spi.Meters;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;

/** Counts what the cache did for calls. Safe for any number of threads. */
final class Tally {

    /** What the cache did for a call. Each call is counted once, when that is known. */
    enum Kind {
        FRESH,
        STALE_REVALIDATING,
        STALE_ON_ERROR,
        STALE_IF_SLOW,
        MISS,
        JOINED,
        FLIGHT_FULL,
        NO_KEY,
        NOT_IDEMPOTENT
    }

    private final Map<Kind, LongAdder> requests = new EnumMap<>(Kind.class);
    private final Map<Outcome, LongAdder> refreshes = new EnumMap<>(Outcome.class);

    Tally() {
        for (Kind kind : Kind.values()) {
            requests.put(kind, new LongAdder());
        }
        for (Outcome outcome : Outcome.values()) {
            refreshes.put(outcome, new LongAdder());
        }
    }

    void request(Kind kind) {
        count(requests, kind);
    }

    void refresh(Outcome outcome) {
        count(refreshes, outcome);
    }

    private static <K> void count(Map<K, LongAdder> counters, K which) {
        LongAdder counter = counters.get(which);
        if (counter != null) {
            counter.increment();
        }
    }

    /** Of the tally that the cache has when they are read: it may take over another one's. */
    static void meters(Meters meters, Supplier<Tally> tally) {
        for (Kind kind : Kind.values()) {
            meters.counter(
                    "stalecache.requests",
                    "Calls by what the cache did for them.",
                    "kind",
                    tag(kind),
                    () -> sum(tally.get().requests, kind));
        }
        for (Outcome outcome : Outcome.values()) {
            meters.counter(
                    "stalecache.refreshes",
                    "Refreshes in the background that ended.",
                    "outcome",
                    tag(outcome),
                    () -> sum(tally.get().refreshes, outcome));
        }
    }

    private static <K> long sum(Map<K, LongAdder> counters, K which) {
        LongAdder counter = counters.get(which);
        return counter == null ? 0 : counter.sum();
    }

    private static String tag(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
