/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.headers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CheckedSupplier;
import dev.holdfast.Deadline;
import dev.holdfast.Pipeline;
import dev.holdfast.spi.TimeSource;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A request passes two services over real HTTP, with {@code supplyAsync} and a pool in the one between. */
class DeadlineOverHttpTest {
    private final Clock clock = new Clock();
    private final List<Duration> leftAtTheLast = new CopyOnWriteArrayList<>();
    private final ExecutorService pool = Executors.newFixedThreadPool(2);

    @AfterEach
    void close() {
        pool.shutdownNow();
    }

    /** Time that the test itself lets pass, so that what is left can be told exactly; nobody waits in it. */
    private static final class Clock implements TimeSource {
        private final AtomicLong nanos = new AtomicLong(-7);

        void pass(long millis) {
            nanos.addAndGet(millis * 1_000_000);
        }

        @Override
        public long nanos() {
            return nanos.get();
        }

        @Override
        public long millis() {
            return nanos.get() / 1_000_000;
        }

        @Override
        public Timer schedule(long delayNanos, Runnable task) {
            return () -> {};
        }

        @Override
        public void park(Object blocker, long nanos) {
            LockSupport.parkNanos(blocker, nanos);
        }

        @Override
        public void unpark(Thread thread) {
            LockSupport.unpark(thread);
        }
    }

    private Hop last(TimeSource time) throws IOException {
        return new Hop(CallHeaders.of(h -> h.time(time)), () -> {
            leftAtTheLast.add(Deadline.remaining().orElseThrow());
            return "done";
        });
    }

    /** The service between: hands the work to a pool, where the call of the last one is made. */
    private Hop between(TimeSource time, Pipeline toLast, CheckedSupplier<String, Exception> onThePool)
            throws IOException {
        return new Hop(CallHeaders.of(h -> h.time(time)), () -> {
            clock.pass(100);
            return CompletableFuture.supplyAsync(
                            () -> {
                                clock.pass(50);
                                return unchecked(() -> toLast.call(onThePool));
                            },
                            Deadline.propagating(pool))
                    .join();
        });
    }

    private static String unchecked(CheckedSupplier<String, Exception> call) {
        try {
            return call.get();
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static Pipeline pipeline(TimeSource time) {
        return Pipeline.builder("p").time(time).build();
    }

    private String call(TimeSource time, Duration limit, Hop first) throws Exception {
        try (Pipeline client = pipeline(time)) {
            return Deadline.within(time, limit, () -> client.call(first::get));
        }
    }

    @Test
    void theLastServerSeesExactlyWhatRemains() throws Exception {
        try (Pipeline toLast = pipeline(clock);
                Hop last = last(clock);
                Hop between = between(clock, toLast, last::get)) {
            assertThat(call(clock, Duration.ofMillis(300), between)).isEqualTo("done");
        }
        assertThat(leftAtTheLast).containsExactly(Duration.ofMillis(150));
        assertThat(pool.submit(Deadline::remaining).get()).isEmpty();
    }

    @Test
    void whatHasExpiredOnTheWayIsNotSentOn() throws Exception {
        try (Pipeline toLast = pipeline(clock);
                Hop last = last(clock);
                Hop between = between(clock, toLast, last::get)) {
            assertThatThrownBy(() -> call(clock, Duration.ofMillis(140), between))
                    .isInstanceOf(IOException.class)
                    .hasMessageStartingWith("504")
                    .hasMessageContaining("could not be made within the time");
            assertThat(last.requests).hasValue(0);
        }
    }

    @Test
    void theLastServerBeginsNoWorkAfterExpiry() throws Exception {
        try (Pipeline toLast = pipeline(clock);
                Hop last = last(clock);
                Hop between = between(clock, toLast, () -> {
                    // Its time runs out between the start of the attempt and the request.
                    clock.pass(200);
                    return last.get();
                })) {
            assertThatThrownBy(() -> call(clock, Duration.ofMillis(300), between))
                    .isInstanceOf(IOException.class);
            assertThat(last.requests).hasValue(1);
        }
        assertThat(leftAtTheLast).isEmpty();
    }

    @Test
    void onTheSystemsTimeItIsNeverMoreThanWhatRemains() throws Exception {
        TimeSource system = TimeSource.system();
        List<Duration> leftBefore = new CopyOnWriteArrayList<>();
        try (Pipeline toLast = pipeline(system);
                Hop last = last(system);
                Hop between = between(system, toLast, () -> {
                    leftBefore.add(Deadline.remaining().orElseThrow());
                    return last.get();
                })) {
            for (int i = 0; i < 20; i++) {
                assertThat(call(system, Duration.ofHours(1), between)).isEqualTo("done");
            }
        }
        assertThat(leftBefore).hasSize(20).allSatisfy(left -> assertThat(left).isLessThan(Duration.ofHours(1)));
        for (int i = 0; i < 20; i++) {
            assertThat(leftAtTheLast.get(i)).isLessThan(leftBefore.get(i)).isPositive();
        }
    }
}
