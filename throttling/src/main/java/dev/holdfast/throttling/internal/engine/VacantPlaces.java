/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling.internal.engine;

import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongUnaryOperator;

/**
 * Places that were given back after later places were taken. A later call takes the first of them for which it is not too late.
 * Kept in runs of places that follow one another. Not safe for several threads.
 */
final class VacantPlaces {
    /** Looked at for one call, because others wait for the lock meanwhile: the rest may be too short for a heavy call. */
    private static final int MOST_RUNS = 64;

    private final long cost;
    /** The beginning of each run by its end. Compared by the difference, as the line may wrap around. */
    private final TreeMap<Long, Long> runs = new TreeMap<>((a, b) -> Long.compare(a - b, 0));

    VacantPlaces(long cost) {
        this.cost = cost;
    }

    boolean isEmpty() {
        return runs.isEmpty();
    }

    /** Adds a run, and joins it with those that it touches. */
    void add(long begin, long end) {
        Long before = runs.remove(begin);
        Map.Entry<Long, Long> after = runs.higherEntry(end);
        boolean touches = after != null && after.getValue() == end;
        runs.put(touches ? after.getKey() : end, before == null ? begin : before);
    }

    /** Gives all places to another line, where each begins and ends elsewhere. */
    void moveTo(VacantPlaces other, LongUnaryOperator place) {
        runs.forEach((end, begin) -> other.add(place.applyAsLong(begin), place.applyAsLong(end)));
        runs.clear();
    }

    /** Forgets the places that have begun: a call that starts after that would be too close to the next one. */
    void forgetPast(long units) {
        while (!runs.isEmpty()) {
            Map.Entry<Long, Long> first = runs.firstEntry();
            long past = units - first.getValue();
            if (past <= 0) {
                return;
            }
            shorten(first, ((past - 1) / cost + 1) * cost);
        }
    }

    /**
     * The end of the first places of this length that begin there or later; {@link Gcra#NONE} if none of the first runs is long
     * enough.
     */
    long first(long length, long from) {
        int runsLeft = MOST_RUNS;
        for (Map.Entry<Long, Long> run : runs.tailMap(from, false).entrySet()) {
            if (runsLeft-- == 0) {
                break;
            }
            long end = from + Math.max(0, run.getValue() - from) + length;
            // Ends near zero have another meaning.
            if (run.getKey() - end >= 0 && end == Gcra.notNone(end)) {
                return end;
            }
        }
        return Gcra.NONE;
    }

    /** Removes the places of this length that end there, which {@link #first} has found. */
    void take(long end, long length) {
        Map.Entry<Long, Long> run = runs.ceilingEntry(end);
        long begin = end - length;
        runs.remove(run.getKey());
        if (begin - run.getValue() > 0) {
            runs.put(begin, run.getValue());
        }
        if (run.getKey() - end > 0) {
            runs.put(run.getKey(), end);
        }
    }

    private void shorten(Map.Entry<Long, Long> run, long length) {
        long begin = run.getValue() + length;
        if (run.getKey() - begin > 0) {
            runs.put(run.getKey(), begin);
        } else {
            runs.remove(run.getKey());
        }
    }

    long lastEnd() {
        return runs.lastKey();
    }

    long lastBegin() {
        return runs.lastEntry().getValue();
    }

    void removeLast() {
        runs.pollLastEntry();
    }
}
