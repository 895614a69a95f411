/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * A service of 16 workers, half of them busy, in which for ten seconds a quarter of the requests hang for four seconds. Whoever
 * gives such a request up does not free the worker: each call during the hang is paid for after it.
 */
final class Hang {
    static final Episode EPISODE = new Episode(20, 30, 60);
    static final double RATE = 160;
    static final double TIMEOUT = 0.5;

    private static final int WORKERS = 16;
    private static final double SERVICE_TIME = 0.05;
    private static final double HANG_TIME = 4;
    private static final double HANGING = 0.25;

    private record Request(CompletableFuture<String> answer, double until) {}

    private final World world;
    private final Variation variation;
    private final Queue<Request> queue = new ArrayDeque<>();
    private double free;

    private Hang(World world) {
        this.world = world;
        variation = world.variation();
        free = Math.ceil(WORKERS * variation.load() * variation.times());
    }

    static Client naive(World world) {
        return new NaiveClient(world, TIMEOUT, Retries.upTo(3));
    }

    static Findings findings(long seed, Function<World, Client> holdfast) {
        return new Comparison()
                .add("naive", run(Hang::naive, seed))
                .add("holdfast", run(holdfast, seed))
                .findings();
    }

    static Trial run(Function<World, Client> clients, long seed) {
        return run(clients, seed, Variation.NONE);
    }

    static Trial run(Function<World, Client> clients, long seed, Variation variation) {
        try (World world = new World(seed, variation)) {
            Hang service = new Hang(world);
            return EPISODE.play(world, now -> RATE * variation.load(), clients.apply(world), service::ask);
        }
    }

    private CompletableFuture<String> ask(double until) {
        Request request = new Request(new CompletableFuture<>(), until);
        queue.add(request);
        work();
        return request.answer;
    }

    private void work() {
        while (free > 0 && !queue.isEmpty()) {
            Request request = queue.remove();
            if (variation.drops() && request.until < world.now() + SERVICE_TIME * variation.times()) {
                continue;
            }
            free--;
            boolean hangs = EPISODE.isTriggered(world.now()) && world.random().nextDouble() < HANGING;
            world.in(hangs ? HANG_TIME : SERVICE_TIME * variation.times(), () -> {
                free++;
                request.answer.complete("done");
                work();
            });
        }
    }
}
