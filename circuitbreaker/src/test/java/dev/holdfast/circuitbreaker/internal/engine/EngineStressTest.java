/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerSettings;
import dev.holdfast.circuitbreaker.CircuitBreakerSettings.SlidingWindowType;
import dev.holdfast.circuitbreaker.Engines;
import dev.holdfast.testing.ThreadKind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Real threads, all at once, and what must hold when they are done. */
@ThreadKind.Each
class EngineStressTest {
    private static final int THREADS = 4;

    private interface Work {
        int run(SplittableRandom random) throws Exception;
    }

    private static int together(Work work) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(THREADS, ThreadKind.current());
        try {
            CyclicBarrier start = new CyclicBarrier(THREADS);
            List<Future<Integer>> ends = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                SplittableRandom random = new SplittableRandom(i);
                Callable<Integer> task = () -> {
                    start.await();
                    return work.run(random);
                };
                ends.add(threads.submit(task));
            }
            int sum = 0;
            for (Future<Integer> end : ends) {
                sum += end.get();
            }
            return sum;
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void everyCallIsInTheTimeWindowOnce() throws Exception {
        Window window = Window.ofSeconds(3_600, new Thresholds(100, 100, 1_000_000, false, 1));
        AtomicLong clock = new AtomicLong();
        AtomicInteger bad = new AtomicInteger();
        int calls = together(random -> {
            for (int i = 0; i < 200_000; i++) {
                // Now and then a second ends, in the middle of what the others do.
                long now = random.nextInt(300) == 0 ? clock.addAndGet(1_000_000_000) : clock.get();
                boolean failed = random.nextInt(1_000) == 0;
                if (failed) {
                    bad.incrementAndGet();
                }
                int unused = window.record(failed ? Window.FAILED : Window.GOOD, now);
            }
            return 200_000;
        });
        // All seconds are within the hour for as long as there are not more of them.
        assertThat(clock.get() / 1_000_000_000).isPositive();
        if (clock.get() / 1_000_000_000 < 3_600) {
            assertThat(window.totals(clock.get()).calls()).isEqualTo(calls);
            assertThat(window.totals(clock.get()).failed()).isEqualTo(bad.get());
        }
        assertThat(window.totals(clock.get() + 3_601L * 1_000_000_000).calls()).isZero();
    }

    @Test
    void countWindowEndsWithTheLastCallsAndNoOthers() throws Exception {
        for (int round = 0; round < 50; round++) {
            Window window = Window.ofCalls(64, new Thresholds(100, 100, 64, false, 1));
            int calls = together(random -> {
                for (int i = 0; i < 2_000; i++) {
                    int unused = window.record(random.nextInt(20) == 0 ? Window.FAILED : Window.GOOD, 0);
                }
                return 2_000;
            });
            assertThat(calls).isEqualTo(8_000);
            assertThat(window.totals(0).calls()).isEqualTo(64);
            assertThat(window.totals(0).failed()).isBetween(0, 64);
            for (int i = 0; i < 64; i++) {
                int unused = window.record(Window.GOOD, 0);
            }
            assertThat(window.totals(0).failed()).as("round %d", round).isZero();
        }
    }

    @Test
    void neverMoreProbesAreOutThanThereAreAndAllComeBack() throws Exception {
        int permits = 7;
        Engine engine = Engines.of(CircuitBreakerSettings.of(b -> b.initialState(CircuitBreakerPolicy.State.HALF_OPEN)
                .permittedNumberOfCallsInHalfOpenState(permits)
                .probeLease(Duration.ZERO)));
        AtomicInteger out = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        int admitted = together(random -> {
            int count = 0;
            for (int i = 0; i < 50_000; i++) {
                long token = engine.acquire(0);
                if (token != Engine.REFUSED) {
                    count++;
                    most.accumulateAndGet(out.incrementAndGet(), Math::max);
                    out.decrementAndGet();
                    engine.release(token, false, 0);
                }
            }
            return count;
        });
        assertThat(admitted).isPositive();
        assertThat(most.get()).isBetween(1, permits);
        for (int i = 0; i < permits; i++) {
            assertThat(engine.acquire(0)).isNotEqualTo(Engine.REFUSED);
        }
        assertThat(engine.acquire(0)).isEqualTo(Engine.REFUSED);
    }

    @Test
    void everyChangeIsToldOnceAndFitsTheOneBefore() throws Exception {
        List<State[]> told = new ArrayList<>();
        Witness witness = new Witness() {
            @Override
            public void exceeded(int thresholds, Totals totals) {}

            @Override
            public void changed(State from, State to) {
                synchronized (told) {
                    told.add(new State[] {from, to});
                }
            }

            @Override
            public void reset() {}
        };
        Engine engine = Engines.of(
                CircuitBreakerSettings.of(b -> b.slidingWindowType(SlidingWindowType.COUNT_BASED)
                        .slidingWindowSize(10)
                        .waitDurationInOpenState(Duration.ofMillis(1))),
                witness);
        AtomicLong clock = new AtomicLong();
        together(random -> {
            for (int i = 0; i < 50_000; i++) {
                long now = clock.addAndGet(100_000);
                long token = engine.acquire(now);
                engine.record(token, random.nextInt(100) < 85 ? Window.FAILED : Window.GOOD, now);
            }
            return 0;
        });
        // Told outside the lock, so in any order; but each state is left as often as it is entered, or once less.
        for (State state : State.values()) {
            long entered = told.stream().filter(change -> change[1] == state).count();
            long left = told.stream().filter(change -> change[0] == state).count();
            long now = engine.life().state == state ? 1 : 0;
            long first = state == State.CLOSED ? 1 : 0;
            assertThat(entered + first).as(state.name()).isEqualTo(left + now);
        }
        assertThat(told).isNotEmpty();
    }
}
