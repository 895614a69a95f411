/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import dev.holdfast.time.VirtualTime;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Random;
import java.util.concurrent.CompletableFuture;

/**
 * A service on virtual time that works on so many requests at once and queues the others. A request takes 50 ms, give or take
 * 10 % or with an exponential distribution.
 */
final class ModelledService {
    private static final long MEAN_NANOS = 50_000_000;

    private final VirtualTime time;
    private final Random random;
    private final Deque<CompletableFuture<String>> queue = new ArrayDeque<>();
    private final boolean exponential;
    private int slots;
    private int busy;
    private double factor = 1;

    ModelledService(VirtualTime time, long seed, int slots) {
        this(time, seed, slots, false);
    }

    ModelledService(VirtualTime time, long seed, int slots, boolean exponential) {
        this.time = time;
        random = new Random(seed);
        this.slots = slots;
        this.exponential = exponential;
    }

    /** From now on a request takes so many times as long as at first, however many there are. */
    void slower(double times) {
        factor = times;
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
                time.schedule(workNanos(), () -> {
                    busy--;
                    answer.complete("done");
                    serve();
                });
            }
        }
    }

    private long workNanos() {
        double uniform = random.nextDouble();
        return (long) (factor * MEAN_NANOS * (exponential ? -Math.log(1 - uniform) : 0.9 + 0.2 * uniform));
    }
}
