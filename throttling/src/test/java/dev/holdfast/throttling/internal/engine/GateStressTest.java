/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.ThreadKind;
import dev.holdfast.throttling.internal.engine.Gate.Hold;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Eight real threads that close one gate and look at it, on a time of their own that they push forward together. */
@ThreadKind.Each
class GateStressTest {
    private static final int THREADS = 8;
    private static final int ROUNDS = 20_000;
    private static final long MOST = 1_000;

    @Test
    void noHoldEndsBeforeItsTimeAndNoneIsLongerThanTheMaximum() throws Exception {
        Gate gate = new Gate(MOST);
        AtomicLong clock = new AtomicLong(Long.MAX_VALUE - ROUNDS); // wraps around on the way
        // How far ahead of the start the gate is closed for sure.
        AtomicLong closedUntil = new AtomicLong();
        long origin = clock.get();
        AtomicLong began = new AtomicLong();

        onAllThreads(random -> {
            Hold passed = null;
            for (int round = 0; round < ROUNDS; round++) {
                long sure = closedUntil.get();
                Hold last = gate.last();
                long now = clock.addAndGet(random.nextInt(20));
                if (random.nextInt(10) == 0) {
                    long asked = random.nextLong(2 * MOST);
                    passed = last != null && last.isOver(now) ? last : passed;
                    if (gate.hold(now, asked, passed)) {
                        began.incrementAndGet();
                    }
                    if (passed != null && gate.last() != passed) { // then its first closing is known
                        long most = passed.next - now + MOST;
                        closedUntil.accumulateAndGet(now - origin + Math.min(asked, most), Math::max);
                    }
                }
                Hold hold = gate.hold(now);
                long left = hold == null ? 0 : hold.left(now);
                assertThat(hold == null ? 0 : hold.nanos())
                        .as("from the first closing")
                        .isLessThanOrEqualTo(MOST);
                // The time of another thread, which opened or closed the gate, may be ahead of this one's.
                long latest = clock.get();
                assertThat(left).as("at %d", latest - origin).isBetween(sure - (latest - origin), MOST + latest - now);
            }
        });

        assertThat(began.get()).isPositive();
        assertThat(gate.hold(clock.get() + MOST)).isNull();
        assertThat(gate.last()).isNotNull().matches(Hold::isOver);
    }

    /** All ask at the same time, so only the first of them closes an open gate. */
    @Test
    void ofManyThatCloseItAtOnceOneHasClosedIt() throws Exception {
        for (int round = 0; round < 200; round++) {
            Gate gate = new Gate(MOST);
            AtomicLong began = new AtomicLong();
            onAllThreads(random -> {
                if (gate.hold(0, 1 + random.nextLong(MOST), null)) {
                    began.incrementAndGet();
                }
            });
            assertThat(began).hasValue(1);
        }
    }

    private interface Use {
        void by(Random random);
    }

    private static void onAllThreads(Use use) throws Exception {
        CyclicBarrier start = new CyclicBarrier(THREADS);
        ExecutorService threads = Executors.newFixedThreadPool(THREADS, ThreadKind.current());
        try {
            List<Callable<Void>> tasks = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                Random random = new Random(i);
                tasks.add(() -> {
                    start.await();
                    use.by(random);
                    return null;
                });
            }
            for (Future<Void> task : threads.invokeAll(tasks, 5, TimeUnit.MINUTES)) {
                task.get();
            }
        } finally {
            threads.shutdownNow();
        }
    }
}
