/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/**
 * The simulation in Marc Brooker's <a href="https://brooker.co.za/blog/2022/02/28/retries.html">Fixing retries with token
 * buckets and circuit breakers</a>: how much load different rules of retrying make, and how many calls succeed, when a part of
 * all requests fails.
 */
final class RetryCurve {
    static final int CLIENTS = 100;
    static final double RATE_EACH = 10;
    static final List<Double> FAILURE_RATES = List.of(0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 1.0);

    private static final int SECONDS = 10;
    private static final double NETWORK = 0.01;
    private static final double PATIENCE = 60;

    /** What one rule made of one failure rate. */
    record Point(double failureRate, double load, double success) {}

    private RetryCurve() {}

    static Client none(World world) {
        return each(world, () -> Retries.upTo(1));
    }

    static Client threeRetries(World world) {
        return each(world, () -> Retries.upTo(4));
    }

    static Client tokenBucket(World world) {
        return each(world, () -> Retries.requestFunded(0.1, 5, Integer.MAX_VALUE));
    }

    static Client breaker(World world) {
        return each(world, () -> Retries.whileRareFailures(0.1, 4));
    }

    static Client holdfast(World world) {
        return Fleet.standard(world, CLIENTS);
    }

    private static Client each(World world, Supplier<Retries> retries) {
        List<Client> clients = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            clients.add(new NaiveClient(world, PATIENCE, retries.get()));
        }
        return (key, attempt) -> clients.get(world.random().nextInt(CLIENTS)).call(key, attempt);
    }

    static Findings findings(long seed) {
        Map<String, List<Point>> rules = new LinkedHashMap<>();
        rules.put("no retries", run(RetryCurve::none, seed));
        rules.put("three retries", run(RetryCurve::threeRetries, seed));
        rules.put("token bucket", run(RetryCurve::tokenBucket, seed));
        rules.put("breaker at 10 %", run(RetryCurve::breaker, seed));
        rules.put("holdfast", run(RetryCurve::holdfast, seed));
        Picture picture = new Picture();
        draw(picture.chart("attempts for each call", "% of the requests fail", ""), rules, Point::load);
        draw(picture.chart("calls that succeed", "% of the requests fail", "%"), rules, point -> 100 * point.success());
        return new Findings(table(rules), picture);
    }

    private static List<String> table(Map<String, List<Point>> rules) {
        List<String> lines = new ArrayList<>();
        lines.add("attempts for each call; share of the calls that succeed, in %");
        StringBuilder head = new StringBuilder(" fail %");
        rules.keySet().forEach(rule -> head.append(String.format(Locale.ROOT, "  %15s", rule)));
        lines.add(head.toString());
        for (int i = 0; i < FAILURE_RATES.size(); i++) {
            StringBuilder row = new StringBuilder(String.format(Locale.ROOT, "%7.0f", 100 * FAILURE_RATES.get(i)));
            for (List<Point> points : rules.values()) {
                Point point = points.get(i);
                row.append(String.format(Locale.ROOT, "  %6.2f  %7.1f", point.load(), 100 * point.success()));
            }
            lines.add(row.toString());
        }
        return lines;
    }

    private static void draw(Picture picture, Map<String, List<Point>> rules, ToDoubleFunction<Point> value) {
        double[] x = FAILURE_RATES.stream().mapToDouble(rate -> 100 * rate).toArray();
        int index = 0;
        for (Map.Entry<String, List<Point>> rule : rules.entrySet()) {
            double[] y = rule.getValue().stream().mapToDouble(value).toArray();
            picture.line(rule.getKey(), index++, rules.size(), x, y);
        }
    }

    static List<Point> run(Function<World, Client> clients, long seed) {
        return FAILURE_RATES.stream().map(rate -> point(rate, clients, seed)).toList();
    }

    private static Point point(double failureRate, Function<World, Client> clients, long seed) {
        try (World world = new World(seed)) {
            Ledger ledger = new Episode(SECONDS, SECONDS, SECONDS)
                    .play(world, now -> CLIENTS * RATE_EACH, clients.apply(world), until -> request(world, failureRate))
                    .ledger();
            return new Point(failureRate, ledger.amplification(), ledger.goodput(0, SECONDS));
        }
    }

    private static CompletableFuture<String> request(World world, double failureRate) {
        CompletableFuture<String> answer = new CompletableFuture<>();
        boolean fails = world.random().nextDouble() < failureRate;
        world.in(world.exponential(NETWORK) + world.exponential(NETWORK), () -> {
            if (fails) {
                answer.completeExceptionally(new IllegalStateException("failed by chance"));
            } else {
                answer.complete("done");
            }
        });
        return answer;
    }
}
