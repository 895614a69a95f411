/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.micrometer;

import io.micrometer.core.instrument.Tags;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What one meter polls. It is usually one source. A filter of the user's may drop a tag, so that several become one meter: then
 * totals are added, and a gauge shows the latest. A source may be exchanged for another one while the registry polls.
 *
 * <p>Changed under the lock of {@link Shared}, polled without one.
 */
final class Sum {
    /** A meter as it was asked for, before filters. */
    record Asked(String name, Tags tags) {
        // By hand: see CallObserver.Histograms.
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Asked asked && asked.name.equals(name) && asked.tags.equals(tags);
        }

        @Override
        public int hashCode() {
            return 31 * name.hashCode() + tags.hashCode();
        }
    }

    /** What is polled. */
    interface Source {
        /** A gauge's value, a counter's total, or a timing's nanoseconds. */
        double value();

        /** A timing's number of events. */
        default long count() {
            return 0;
        }
    }

    private static final int TRIES = 10;

    private record Part(Asked asked, Source source) {}

    /** The parts, and what those had counted that are gone: a total never goes down while its meter stays. */
    private record Parts(List<Part> all, long goneCount, double goneValue) {}

    // Volatile, and exchanged as a whole: a poll sees each part once.
    private volatile Parts parts = new Parts(List.of(), 0, 0);

    long count() {
        Parts now = parts;
        long sum = now.goneCount;
        for (Part part : now.all) {
            sum += part.source.count();
        }
        return sum;
    }

    double total() {
        Parts now = parts;
        double sum = now.goneValue;
        for (Part part : now.all) {
            sum += part.source.value();
        }
        return sum;
    }

    double latest() {
        List<Part> now = parts.all;
        return now.isEmpty() ? Double.NaN : now.get(now.size() - 1).source.value();
    }

    int size() {
        return parts.all.size();
    }

    /** Adds the source, or puts it in the place of the one that was asked for in the same words. */
    void put(Asked asked, Source source) {
        Parts before = parts;
        List<Part> all = new ArrayList<>(before.all);
        Part part = new Part(asked, source);
        for (int i = 0; i < all.size(); i++) {
            if (all.get(i).asked.equals(asked)) {
                Source old = all.set(i, part).source;
                // A total never falls, and one that was there before is not counted twice.
                parts = new Parts(
                        all,
                        (long) Math.max(0, before.goneCount + difference(old::count, source::count)),
                        Math.max(0, before.goneValue + difference(old::value, source::value)));
                return;
            }
        }
        all.add(part);
        parts = new Parts(all, before.goneCount, before.goneValue);
    }

    /**
     * By how much the old one has more. Both may be of the same adder, which counts meanwhile: so this is exact only if the other one
     * has not moved. If it always does, the other one is asked first: the total rises by what came between, and cannot fall.
     */
    private static double difference(DoubleSupplier old, DoubleSupplier other) {
        return known(() -> {
            double difference = 0;
            for (int i = 0; i < TRIES; i++) {
                double asked = other.getAsDouble();
                difference = old.getAsDouble() - asked;
                if (other.getAsDouble() == asked) {
                    break;
                }
            }
            return difference;
        });
    }

    /** Of a policy that throws nothing is known. Its meters are exchanged, and go, all the same. */
    private static double known(DoubleSupplier asked) {
        try {
            double value = asked.getAsDouble();
            return Double.isFinite(value) ? value : 0;
        } catch (Throwable thrown) {
            return 0;
        }
    }

    /** Takes the source away. Returns in what words it was asked for; null if another one has its place. */
    @Nullable
    Asked leave(Source source) {
        Parts before = parts;
        for (int i = 0; i < before.all.size(); i++) {
            Part part = before.all.get(i);
            if (Objects.equals(part.source, source)) {
                List<Part> all = new ArrayList<>(before.all);
                all.remove(i);
                parts = new Parts(
                        all, before.goneCount + (long) known(source::count), before.goneValue + known(source::value));
                return part.asked;
            }
        }
        return null;
    }
}
