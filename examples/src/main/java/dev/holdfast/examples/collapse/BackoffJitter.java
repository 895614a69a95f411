/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import dev.holdfast.Pipeline;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.ToDoubleFunction;

/**
 * The simulation in <a href="https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/">Exponential Backoff And
 * Jitter</a>: clients that all want to update the same row at the same moment, with optimistic locking. Only one of those
 * that have read the same version can write it; the others wait and begin again.
 */
final class BackoffJitter {
    static final List<Integer> CLIENTS = List.of(10, 20, 30, 40, 50);

    static final int RUNS = 100;

    private static final Duration BASE = Duration.ofMillis(5);
    /** The simulation counts the first failure as one: it has doubled once by then. */
    private static final Duration FIRST = BASE.multipliedBy(2);

    private static final Duration CAP = Duration.ofSeconds(2);
    private static final double NETWORK_MILLIS = 10;
    private static final double NETWORK_DEVIATION = 2;

    /** How the wait before the next try is drawn. */
    enum Wait {
        /** There is none. */
        NO_BACKOFF(Duration.ZERO, Jitter.NONE),
        NO_JITTER(FIRST, Jitter.NONE),
        EQUAL(FIRST, Jitter.EQUAL),
        DECORRELATED(BASE, Jitter.DECORRELATED),
        FULL(FIRST, Jitter.FULL);

        private final Duration first;
        private final Jitter jitter;

        Wait(Duration first, Jitter jitter) {
            this.first = first;
            this.jitter = jitter;
        }

        RetryPolicy policy(long seed) {
            return RetryPolicy.of(settings -> settings.maxAttempts(1_000_000)
                    .initialBackoff(first)
                    .maxBackoff(CAP)
                    .jitter(jitter)
                    .budgetEnabled(false)
                    .seed(seed));
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', ' ');
        }
    }

    /** The mean over all runs. */
    record Point(int clients, double writes, double millis) {}

    private final World world;
    private int version;
    private int writes;
    private double doneAt;

    private BackoffJitter(World world) {
        this.world = world;
    }

    static Findings findings(long seed) {
        Map<Wait, List<Point>> waits = new LinkedHashMap<>();
        for (Wait wait : Wait.values()) {
            waits.put(
                    wait,
                    CLIENTS.stream()
                            .map(clients -> run(wait, clients, RUNS, seed))
                            .toList());
        }
        Picture picture = new Picture();
        draw(picture.chart("writes that were tried", "clients", "writes"), waits, Point::writes);
        // Without jitter it takes so long that the others could not be told apart.
        Map<Wait, List<Point>> quick = new LinkedHashMap<>(waits);
        quick.remove(Wait.NO_JITTER);
        draw(picture.chart("time until all have written", "clients", "ms"), quick, Point::millis);
        return new Findings(table(waits), picture);
    }

    private static List<String> table(Map<Wait, List<Point>> waits) {
        List<String> lines = new ArrayList<>();
        lines.add("writes that were tried; milliseconds until all had written; mean of " + RUNS + " runs");
        StringBuilder head = new StringBuilder("clients");
        waits.keySet().forEach(wait -> head.append(String.format(Locale.ROOT, "  %15s", wait)));
        lines.add(head.toString());
        for (int i = 0; i < CLIENTS.size(); i++) {
            StringBuilder row = new StringBuilder(String.format(Locale.ROOT, "%7d", CLIENTS.get(i)));
            for (List<Point> points : waits.values()) {
                Point point = points.get(i);
                row.append(String.format(Locale.ROOT, "  %7.1f %7.0f", point.writes(), point.millis()));
            }
            lines.add(row.toString());
        }
        return lines;
    }

    private static void draw(Picture picture, Map<Wait, List<Point>> waits, ToDoubleFunction<Point> value) {
        List<Wait> all = List.of(Wait.values());
        double[] x = CLIENTS.stream().mapToDouble(Integer::doubleValue).toArray();
        waits.forEach((wait, points) -> {
            double[] y = points.stream().mapToDouble(value).toArray();
            picture.line(wait.toString(), all.indexOf(wait), all.size(), x, y);
        });
    }

    static Point run(Wait wait, int clients, int runs, long seed) {
        long writes = 0;
        double millis = 0;
        for (int i = 0; i < runs; i++) {
            try (World world = new World(seed * 1_000 + i)) {
                BackoffJitter row = new BackoffJitter(world);
                row.update(clients, wait.policy(world.random().nextLong()));
                writes += row.writes;
                millis += row.doneAt * 1_000;
            }
        }
        return new Point(clients, (double) writes / runs, millis / runs);
    }

    private void update(int clients, RetryPolicy retry) {
        Pipeline pipeline =
                Pipeline.builder("row").time(world.time()).policies(retry).build();
        List<CompletableFuture<Boolean>> updates = new ArrayList<>();
        for (int i = 0; i < clients; i++) {
            updates.add(pipeline.callAsync(this::readAndWrite));
        }
        world.run();
        updates.forEach(CompletableFuture::join);
    }

    private CompletableFuture<Boolean> readAndWrite() {
        CompletableFuture<Boolean> written = new CompletableFuture<>();
        world.in(network(), () -> {
            int read = version;
            world.in(network() + network(), () -> write(read, written));
        });
        return written;
    }

    private void write(int read, CompletableFuture<Boolean> written) {
        writes++;
        boolean current = read == version;
        if (current) {
            version++;
        }
        world.in(network(), () -> {
            if (current) {
                doneAt = world.now();
                written.complete(true);
            } else {
                written.completeExceptionally(new IllegalStateException("somebody else has written it meanwhile"));
            }
        });
    }

    /** In seconds. */
    private double network() {
        return Math.abs(NETWORK_MILLIS + NETWORK_DEVIATION * world.random().nextGaussian()) / 1_000;
    }
}
