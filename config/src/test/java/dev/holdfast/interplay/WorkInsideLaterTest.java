/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.interplay;

import static dev.holdfast.testing.HoldfastAssertions.assertThatCall;
import static java.time.Duration.ofMillis;
import static java.util.concurrent.CompletableFuture.completedFuture;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call;
import dev.holdfast.Deadline;
import dev.holdfast.Pipeline;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.testing.HoldfastAssertions;
import dev.holdfast.testing.ScriptedAction;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.throttling.ThrottlePolicy;
import dev.holdfast.time.VirtualTime;
import java.net.ConnectException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
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

    private void workBegins() {
        busy.forEach(Runnable::run);
        busy.clear();
        assertThat(paid).isEqualTo(runs);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatBeginsBetweenTheDecisionToRetryAndItsWaitIsNotDoneTwice(boolean async) {
        Pipeline payments = pipeline("payments");
        RetryPolicy asks = RetryPolicy.of(r -> r.interval(n -> {
            workBegins();
            return 300L;
        }));
        try (time;
                payments;
                Pipeline orders =
                        Pipeline.builder("orders").policies(asks).time(time).build()) {
            Call<String> order = orders.<String>operation("order").unkeyed().idempotent(false);
            CompletableFuture<String> ordered = order(order, payments, async);
            time.advance(ofMillis(900));
            assertThatCall(ordered).isInstanceOf(ConnectException.class).hasMessage("shipping: refused");
            assertThat(runs).isOne();
            assertThat(paid).isOne();
        }
    }

    @Logs(value = "throttle-outside-retry|retry-", sometimes = true)
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatBeginsWhileTheNextAttemptWaitsForItsTurnIsNotDoneTwice(boolean async) {
        ThrottlePolicy oneASecond = ThrottlePolicy.of(t -> t.limit(1).burst(1).maxWait(Duration.ofSeconds(2)));
        RetryPolicy soon = RetryPolicy.of(r -> r.interval(n -> 10L).retryRejections(async));
        try (time;
                Pipeline payments = pipeline("payments");
                Pipeline orders = Pipeline.builder("orders")
                        .policies(soon, oneASecond)
                        .time(time)
                        .build()) {
            Call<String> order = orders.<String>operation("order").unkeyed().idempotent(false);
            CompletableFuture<String> ordered = order(order, payments, async);
            // The wait of the retry is over, that for the throttle is not.
            time.advance(ofMillis(500));
            workBegins();
            time.run();
            assertThatCall(ordered).isInstanceOf(ConnectException.class).hasMessage("shipping: refused");
            assertThat(runs).isOne();
            assertThat(paid).isOne();
            HoldfastAssertions.assertThat(orders).isIdle();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "true, 0, true",
        "false, 0, true",
        "true, 50, true",
        "false, 50, true",
        "true, 0, false",
        "false, 0, false"
    })
    void hedgeInsideThatIsStillUnderWayIsNotDoneTwice(boolean async, long wait, boolean stubborn) {
        ScriptedAction<String> pay =
                ScriptedAction.<String>on(time).fails(refused()).after(ofMillis(40));
        pay.returns("paid").after(ofMillis(300));
        if (stubborn) {
            pay.stubbornly();
        }
        try (time;
                Pipeline payments = Pipeline.builder("payments")
                        .policies(DeadlinePolicy.of(ofMillis(100)), HedgePolicy.of(h -> h.delay(ofMillis(20))))
                        .time(time)
                        .build();
                Pipeline orders = Pipeline.builder("orders")
                        .policies(RetryPolicy.of(r -> r.interval(n -> wait)))
                        .time(time)
                        .build()) {
            Call<String> order = orders.<String>operation("order").unkeyed().idempotent(false);
            CompletableFuture<String> ordered = async
                    ? order.callAsync(attempt -> payments.callAsync(pay::callAsync))
                    : time.spawn(() -> order.call(attempt -> payments.call(pay::call)));
            time.run();
            assertThat(ordered).isCompletedExceptionally();
            assertThat(pay.started()).as("its own attempt, and one hedge").isEqualTo(2);
        }
    }

    /** Hands over, and goes on when that is done: so whatever is told after a hand-over is told too late. */
    private static void onAnotherThread(Runnable task) {
        Thread thread = new Thread(task, "hand-over");
        thread.start();
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException again) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void hedgeInsideThatHasEndedDoesNotKeepTheCallFromItsRetry() {
        Queue<CompletableFuture<String>> stages = new ConcurrentLinkedQueue<>();
        AtomicInteger started = new AtomicInteger();
        try (time;
                Pipeline payments = Pipeline.builder("payments")
                        .policies(HedgePolicy.of(h -> h.delay(ofMillis(1))))
                        .executor(WorkInsideLaterTest::onAnotherThread)
                        .build();
                Pipeline orders = Pipeline.builder("orders")
                        .policies(RetryPolicy.of(r -> r.maxAttempts(2).interval(n -> 0L)))
                        .executor(WorkInsideLaterTest::onAnotherThread)
                        .build()) {
            Call<String> order = orders.<String>operation("order").unkeyed().idempotent(false);
            CompletableFuture<String> ordered = order.callAsync(attempt -> payments.callAsync(() -> {
                CompletableFuture<String> stage = new CompletableFuture<>();
                stages.add(stage);
                return started.incrementAndGet() > 2 ? completedFuture("paid once") : stage;
            }));
            while (stages.size() < 2) {
                LockSupport.parkNanos(100_000);
            }
            // Neither has reached the dependency.
            stages.forEach(stage -> stage.completeExceptionally(refused()));
            assertThat(ordered.join()).isEqualTo("paid once");
        }
    }
}
