/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.Verdict;
import dev.holdfast.spi.Perishable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Threads that load one key at once, with values of all kinds: nobody gets what is another's, and nobody is left behind. */
class ManyThreadsTest {
    private static final int THREADS = 4;
    private static final int ROUNDS = 2_000;

    /** Thrown by a value that cannot say how long it is good. */
    private static final class Boom extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    private final StaleCachePolicy policy =
            StaleCachePolicy.of(c -> c.fresh(Duration.ofNanos(1_000)).freshIfIgnored(Duration.ofNanos(1_000)));
    private final Map<Object, Thread> owners = new ConcurrentHashMap<>();

    private static Object load(int kind) {
        for (int i = 0; i < 200; i++) {
            // So that others come meanwhile.
            Thread.onSpinWait();
        }
        return switch (kind) {
            case 0, 1 -> Page.own("own");
            case 2 -> Page.of("once", Perishable.Freshness::notKept);
            case 3 -> "gone";
            case 4 ->
                (Perishable) () -> {
                    throw new Boom();
                };
            default -> "common";
        };
    }

    private void play(Operation<Object> stock, CyclicBarrier barrier, long seed) throws Exception {
        Random random = new Random(seed);
        for (int round = 0; round < ROUNDS; round++) {
            barrier.await(1, TimeUnit.MINUTES);
            int kind = random.nextInt(7);
            // A new key at times, which no load has marked.
            String key = "key " + round / 4;
            Object value;
            try {
                value = stock.key(key).call(attempt -> load(kind));
            } catch (Boom thrown) {
                continue;
            }
            if (value instanceof Page page && !page.freshness().shared()) {
                assertThat(owners.putIfAbsent(page, Thread.currentThread())).isNull();
            }
        }
    }

    @Test
    void valueForOneCallIsNeverAnothers() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        try (Pipeline pipeline = Pipeline.builder("inventory")
                .policies(policy)
                .classifier((value, error) ->
                        error != null ? Verdict.FAILURE : "gone".equals(value) ? Verdict.IGNORED : Verdict.SUCCESS)
                .build()) {
            Operation<Object> stock = pipeline.operation("stock");
            CyclicBarrier barrier = new CyclicBarrier(THREADS);
            List<Future<?>> playing = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                int seed = i;
                playing.add(threads.submit(() -> {
                    play(stock, barrier, seed);
                    return null;
                }));
            }
            for (Future<?> one : playing) {
                one.get(5, TimeUnit.MINUTES);
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(owners).isNotEmpty();
        assertThat(policy.underWay()).isZero();
        assertThat(policy.waiting()).isZero();
    }
}
