/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;

/**
 * The database of the HotOS paper: below 300 queries a second it answers in less than 100 ms, above that queries queue, and
 * soon it takes ten times as long. First come, first served. It does not know which of the
 * queries are still waited for, unless {@linkplain Variation#drops it is told}.
 */
final class Database {
    static final double PER_SECOND = 300;

    private static final double LATENCY = 0.06;

    private record Query(CompletableFuture<String> answer, double until) {}

    private final World world;
    private final List<Query> lost = new ArrayList<>();
    private boolean connected = true;
    private final List<Server> servers = new ArrayList<>();
    private final Variation variation;

    Database(World world) {
        this.world = world;
        variation = world.variation();
        for (int i = 0; i < variation.servers(); i++) {
            servers.add(new Server());
        }
    }

    /** The network between it and its clients is gone. What is sent meanwhile waits to be sent again, as TCP does. */
    void disconnect() {
        connected = false;
    }

    /** The network is back, and all that was lost arrives. */
    void reconnect() {
        connected = true;
        lost.forEach(this::serve);
        lost.clear();
    }

    CompletableFuture<String> query(double until) {
        Query query = new Query(new CompletableFuture<>(), until);
        if (connected) {
            serve(query);
        } else {
            lost.add(query);
        }
        return query.answer;
    }

    private void serve(Query query) {
        Server server = servers.get(servers.size() == 1 ? 0 : world.random().nextInt(servers.size()));
        server.queue.add(query);
        if (!server.busy) {
            server.next();
        }
    }

    /** It answers one query after the other. */
    private final class Server {
        private final Queue<Query> queue = new ArrayDeque<>();
        private boolean busy;

        void next() {
            Query query = queue.poll();
            while (query != null && isDropped(query)) {
                query = queue.poll();
            }
            busy = query != null;
            if (query != null) {
                work(query);
            }
        }

        private boolean isDropped(Query query) {
            return variation.drops() && query.until < world.now() + eachSeconds() + latency();
        }

        private void work(Query query) {
            world.in(eachSeconds(), () -> {
                world.in(latency(), () -> query.answer.complete("row"));
                next();
            });
        }

        private double eachSeconds() {
            return servers.size() / (PER_SECOND * variation.load());
        }

        private double latency() {
            return LATENCY * variation.times();
        }
    }
}
