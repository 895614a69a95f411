/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.interplay;

import static dev.holdfast.testing.HoldfastAssertions.assertThatCall;
import static java.time.Duration.ofMillis;
import static java.util.concurrent.CompletableFuture.completedFuture;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call;
import dev.holdfast.Deadline;
import dev.holdfast.Pipeline;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.testing.HoldfastAssertions;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import java.net.ConnectException;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is handed to a busy executor in an attempt begins after the attempt has failed. */
class WorkInsideLaterTest {
    private final VirtualTime time = new VirtualTime();
    private final Queue<Runnable> busy = new ArrayDeque<>();
    private final Executor pool = Deadline.propagating(busy::add);
    private int runs;
    private int paid;

    private Pipeline pipeline(String name) {
        return Pipeline.builder(name)
                .policies(RetryPolicy.of(r -> r.initialBackoff(ofMillis(300)).jitter(Jitter.NONE)))
                .time(time)
                .build();
    }

    private void hands(Pipeline payments) {
        runs++;
        pool.execute(() -> payments.call(() -> ++paid));
    }

    @Logs("a call of 'payments' is not idempotent, but runs inside a second attempt of 'orders'")
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void methodThatRepeatsAPaymentIsToldOnce(boolean async) {
        try (time;
                Pipeline payments = pipeline("payments");
                Pipeline orders = pipeline("orders")) {
            Call<Integer> pay = payments.<Integer>operation("pay").unkeyed().idempotent(false);
            CompletableFuture<Integer> ordered = async
                    ? orders.callAsync(() -> pay.callAsync(attempt -> completedFuture(++paid))
                            .thenCompose(any -> CompletableFuture.failedFuture(refused())))
                    : time.spawn(() -> orders.call(() -> {
                        pay.call(attempt -> ++paid);
                        throw refused();
                    }));
            time.run();
            assertThatCall(ordered).hasMessage("shipping: refused");
            assertThat(paid).isEqualTo(3);
        }
    }

    private static ConnectException refused() {
        return new ConnectException("shipping: refused");
    }

    private CompletableFuture<String> order(Call<String> order, Pipeline payments, boolean async) {
        return async
                ? order.callAsync(attempt -> {
                    hands(payments);
                    return CompletableFuture.failedFuture(refused());
                })
                : time.spawn(() -> order.call(attempt -> {
                    hands(payments);
                    throw refused();
                }));
    }

    @ParameterizedTest
    @CsvSource({"true, false, 1", "false, false, 1", "true, true, 3", "false, true, 3"})
    void whatBeginsWhileTheRetryWaitsIsNotDoneTwice(boolean async, boolean idempotent, int most) {
        try (time;
                Pipeline payments = pipeline("payments");
                Pipeline orders = pipeline("orders")) {
            Call<String> order = orders.<String>operation("order").unkeyed().idempotent(idempotent);
            CompletableFuture<String> ordered = order(order, payments, async);
            for (int i = 0; i < 3; i++) {
                time.advance(ofMillis(100));
                while (!busy.isEmpty()) {
                    busy.remove().run();
                }
                time.advance(ofMillis(700));
            }
            assertThatCall(ordered).isInstanceOf(ConnectException.class).hasMessage("shipping: refused");
            assertThat(runs).isEqualTo(most);
            assertThat(paid).isEqualTo(most);
            HoldfastAssertions.assertThat(orders).isIdle();
        }
    }
}
