/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static java.time.Duration.ofMillis;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.holdfast.Attempt;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.net.ConnectException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A call that is not idempotent, and whose inner call has joined the load of another one, which may have begun work. */
class JoinedWorkTest {
    private static final int SEEDS = 5;

    /** What the load asks the dependency to do, by the number of the attempt; refused from the third on. */
    private enum Load {
        HANGS,
        FAILS,
        IS_REFUSED,
        SUCCEEDS
    }

    private static final class Calls implements AutoCloseable {
        final VirtualTime time;
        final boolean async;
        final Pipeline inner;
        final Pipeline outer;
        final Operation<String> stock;
        final Operation<String> order;
        final Load[] loads;
        final AtomicInteger asked = new AtomicInteger();
        final AtomicInteger ordered = new AtomicInteger();

        Calls(int seed, boolean async, Policy more, Load... loads) {
            time = VirtualTime.seeded(seed);
            this.async = async;
            this.loads = loads;
            inner = Pipeline.builder("inner")
                    .policies(StaleCachePolicy.ofDefaults(), more, TimeoutPolicy.of(ofMillis(60)))
                    .time(time)
                    .build();
            outer = Pipeline.builder("outer").policies(retry(3)).time(time).build();
            stock = inner.operation("stock", o -> o.type(String.class));
            order = outer.operation("order", o -> o.idempotent(false));
        }

        /** Runs it, and beside it, if it is to join, another call that leads. Returns how often its action ran. */
        int runs(boolean joins) {
            if (joins) {
                lead();
            }
            CompletableFuture<String> end = async
                    ? new CompletableFuture<>()
                    : time.spawn(() -> {
                        time.sleep(ofMillis(joins ? 5 : 0));
                        return order.unkeyed().call(attempt -> {
                            ordered.incrementAndGet();
                            stock.key("k").call(this::load);
                            throw new ConnectException("of what comes after the load");
                        });
                    });
            if (async) {
                time.schedule(joins ? 5_000_000 : 0, () -> orderAsync(end));
            }
            time.run();
            assertThat(catchThrowable(end::join)).hasRootCauseInstanceOf(ConnectException.class);
            return ordered.get();
        }

        private void orderAsync(CompletableFuture<String> end) {
            var unused = order.unkeyed()
                    .callAsync(attempt -> {
                        ordered.incrementAndGet();
                        return stock.key("k")
                                .callAsync(this::loadAsync)
                                .thenCompose(value -> CompletableFuture.<String>failedFuture(
                                        new ConnectException("of what comes after the load")));
                    })
                    .whenComplete((value, error) -> end.completeExceptionally(error));
        }

        private void lead() {
            CompletableFuture<String> unused = async
                    ? stock.key("k").callAsync(this::loadAsync)
                    : time.spawn(() -> stock.key("k").call(this::load));
        }

        private Load next() {
            int number = asked.getAndIncrement();
            return number < loads.length ? loads[number] : Load.IS_REFUSED;
        }

        private String load(Attempt attempt) throws Exception {
            Load load = next();
            time.sleep(ofMillis(load == Load.HANGS ? 9_000 : 30));
            return end(load);
        }

        private static String end(Load load) throws IOException {
            return switch (load) {
                case FAILS -> throw new IOException("failed");
                case IS_REFUSED -> throw new ConnectException("refused");
                default -> "stock";
            };
        }

        private CompletableFuture<String> loadAsync(Attempt attempt) {
            CompletableFuture<String> stage = new CompletableFuture<>();
            Load load = next();
            if (load != Load.HANGS) {
                time.schedule(30_000_000, () -> {
                    try {
                        stage.complete(end(load));
                    } catch (IOException error) {
                        stage.completeExceptionally(error);
                    }
                });
            }
            return stage;
        }

        @Override
        public void close() {
            inner.close();
            outer.close();
            time.close();
        }
    }

    private static RetryPolicy retry(int most) {
        return RetryPolicy.of(r -> r.maxAttempts(most).initialBackoff(ofMillis(1)));
    }

    private static void assertRuns(int times, boolean hedged, Load... loads) {
        for (int seed = 0; seed < SEEDS; seed++) {
            for (boolean async : new boolean[] {false, true}) {
                for (boolean joins : new boolean[] {false, true}) {
                    Policy more = hedged ? HedgePolicy.of(h -> h.delay(ofMillis(20))) : retry(2);
                    try (Calls calls = new Calls(seed, async, more, loads)) {
                        assertThat(calls.runs(joins))
                                .as("async " + async + ", joins " + joins + ", seed " + seed)
                                .isEqualTo(times);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"HANGS, false", "FAILS, false", "FAILS, true"})
    void isNotRepeatedAlthoughTheLastAttemptOfTheLoadWasRefused(Load first, boolean hedged) {
        assertRuns(1, hedged, first, Load.IS_REFUSED);
    }

    @ParameterizedTest
    @CsvSource({"false", "true"})
    void isNotRepeatedAfterALoadThatSucceeds(boolean hedged) {
        assertRuns(1, hedged, Load.SUCCEEDS);
    }

    @ParameterizedTest
    @CsvSource({"false", "true"})
    void isRepeatedIfNoAttemptOfTheLoadCanHaveBegun(boolean hedged) {
        assertRuns(3, hedged, Load.IS_REFUSED, Load.IS_REFUSED);
    }
}
