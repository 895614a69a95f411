/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * The database of the HotOS paper: below 300 queries a second it answers in less than 100 ms, above that queries queue, and
 * soon it takes ten times as long. First come, first served; it does not know which of the queries are still waited for.
 */
final class Database {
    static final double PER_SECOND = 300;

    private static final double LATENCY = 0.06;

    private final World world;
    private final List<CompletableFuture<String>> lost = new ArrayList<>();
    private boolean connected = true;
    private final double[] freeAt;
    private final Variation variation;

    Database(World world) {
        this.world = world;
        variation = world.variation();
        freeAt = new double[variation.servers()];
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

    CompletableFuture<String> query() {
        CompletableFuture<String> answer = new CompletableFuture<>();
        if (connected) {
            serve(answer);
        } else {
            lost.add(answer);
        }
        return answer;
    }

    private void serve(CompletableFuture<String> answer) {
        int server = freeAt.length == 1 ? 0 : world.random().nextInt(freeAt.length);
        double each = freeAt.length / (PER_SECOND * variation.load());
        freeAt[server] = Math.max(freeAt[server], world.now()) + each;
        world.in(freeAt[server] - world.now() + LATENCY * variation.times(), () -> answer.complete("row"));
    }
}
