/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import dev.holdfast.time.VirtualTime;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Random;
import java.util.concurrent.CompletableFuture;

/** A service on virtual time that works on so many requests at once, 50 ms each give or take 10 %, and queues the others. */
final class ModelledService {
    private static final long MEAN_NANOS = 50_000_000;

    private final VirtualTime time;
    private final Random random;
    private final Deque<CompletableFuture<String>> queue = new ArrayDeque<>();
    private int slots;
    private int busy;

    ModelledService(VirtualTime time, long seed, int slots) {
        this.time = time;
        random = new Random(seed);
        this.slots = slots;
    }

    CompletableFuture<String> request() {
        CompletableFuture<String> answer = new CompletableFuture<>();
        queue.add(answer);
        serve();
        return answer;
    }

    /** By Little's law the number of requests in it at which it is busy and nobody waits. */
    void slots(int now) {
        slots = now;
        serve();
    }

    private void serve() {
        while (busy < slots && !queue.isEmpty()) {
            CompletableFuture<String> answer = queue.remove();
            if (!answer.isDone()) { // its caller has gone
                busy++;
                time.schedule((long) (MEAN_NANOS * (0.9 + 0.2 * random.nextDouble())), () -> {
                    busy--;
                    answer.complete("done");
                    serve();
                });
            }
        }
    }
}
