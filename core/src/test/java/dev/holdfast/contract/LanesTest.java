/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import static java.time.Duration.ofMillis;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.holdfast.Attempt;
import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.timeout.TimeoutPolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** On real threads: what hangs, a hook, a continuation or background work, keeps no other call from its end. */
@ThreadKind.Each
class LanesTest {
    private static final int MANY = 60;

    private final HandTime time = new HandTime();
    private final CountDownLatch release = new CountDownLatch(1);
    private final Pipeline pipeline = Pipeline.builder("p")
            .policies(TimeoutPolicy.of(ofMillis(100)))
            .time(time)
            .build();
    private final Operation<String> operation = pipeline.operation("o");

    private static final class OnItsOwnThread extends Policy {
        OnItsOwnThread() {
            super("own-thread", 0);
        }

        @Override
        public int dedicatedThreads() {
            return 1;
        }
    }

    @AfterEach
    void letGo() {
        release.countDown();
        pipeline.close();
    }

    private void hang() {
        try {
            release.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private CompletableFuture<String> asyncCall() {
        return operation.unkeyed().callAsync(attempt -> new CompletableFuture<>());
    }

    private static void assertTimeout(CompletableFuture<?> answer) {
        assertThatThrownBy(() -> answer.get(5, TimeUnit.MINUTES)).hasCauseInstanceOf(CallTimeoutException.class);
    }

    @Test
    void hookThatHangsDoesNotDelayItsOwnTimeout() {
        CompletableFuture<String> answer = operation.unkeyed().callAsync(attempt -> {
            attempt.onCancel(this::hang);
            return new CompletableFuture<>();
        });
        time.advance(ofMillis(100));
        assertTimeout(answer);
    }

    @Test
    void hookThatHangsDoesNotDelayTheCancellation() {
        CompletableFuture<String> answer = operation.unkeyed().callAsync(attempt -> {
            attempt.onCancel(this::hang);
            return new CompletableFuture<>();
        });
        assertThat(answer.cancel(true)).isTrue();
        assertThat(release.getCount()).as("nobody had to let the hook go").isOne();
    }

    @Test
    void hooksThatHangKeepNoOtherCallFromItsTimeout() {
        for (int i = 0; i < MANY; i++) {
            var unused = operation.unkeyed().callAsync(attempt -> {
                attempt.onCancel(this::hang);
                return new CompletableFuture<>();
            });
        }
        time.advance(ofMillis(100));
        CompletableFuture<String> other = asyncCall();
        time.advance(ofMillis(100));
        assertTimeout(other);
    }

    @Test
    void continuationsThatHangKeepNoOtherCallFromItsTimeout() {
        for (int i = 0; i < MANY; i++) {
            var unused = asyncCall().whenComplete((value, error) -> hang());
        }
        time.advance(ofMillis(100));
        CompletableFuture<String> other = asyncCall();
        time.advance(ofMillis(100));
        assertTimeout(other);
    }

    @Test
    void hedgesThatHangKeepNoOtherCallFromItsTimeout() {
        CountDownLatch hedged = new CountDownLatch(MANY);
        try (Pipeline hedging = Pipeline.builder("h")
                .policies(HedgePolicy.of(h -> h.delay(ofMillis(10)).budgetEnabled(false)))
                .time(time)
                .build()) {
            Operation<String> slow = hedging.operation("slow");
            for (int i = 0; i < MANY; i++) {
                var unused = slow.unkeyed().callAsync(attempt -> {
                    if (attempt.number() > 1) {
                        hedged.countDown();
                        hang();
                    }
                    return new CompletableFuture<>();
                });
            }
            time.advance(ofMillis(10));
            assertThat(catchThrowable(hedged::await)).isNull();
            CompletableFuture<String> other =
                    slow.unkeyed().deadline(ofMillis(5)).callAsync(attempt -> new CompletableFuture<>());
            time.advance(ofMillis(5));
            assertTimeout(other);
        }
    }

    @Test
    void workOnItsOwnThreadIsCancelledWhenItsCallerIsInterrupted() throws Exception {
        CountDownLatch closed = new CountDownLatch(1);
        CountDownLatch running = new CountDownLatch(1);
        List<Attempt> attempts = new ArrayList<>();
        try (Pipeline own = Pipeline.of("own", new OnItsOwnThread())) {
            FutureTask<Object> call =
                    new FutureTask<>(() -> own.operation("o").unkeyed().call(attempt -> {
                        attempts.add(attempt);
                        attempt.onCancel(closed::countDown);
                        running.countDown();
                        // As a read from a socket: only closing that ends it.
                        while (closed.getCount() > 0) {
                            Thread.onSpinWait();
                        }
                        return "late";
                    }));
            Thread caller = ThreadKind.current().newThread(call);
            caller.start();
            running.await();
            caller.interrupt();
            closed.await();
            assertThatThrownBy(call::get).hasCauseInstanceOf(CallRejectedException.class);
        }
        assertThat(attempts)
                .singleElement()
                .satisfies(attempt -> assertThat(attempt.isCancelled()).isTrue());
    }

    @Test
    void hooksRunAlsoInAPipelineThatIsClosed() throws Exception {
        CountDownLatch closed = new CountDownLatch(1);
        CompletableFuture<String> answer = operation.unkeyed().callAsync(attempt -> {
            attempt.onCancel(closed::countDown);
            return new CompletableFuture<>();
        });
        pipeline.close();
        assertThat(answer.cancel(true)).isTrue();
        closed.await();
    }
}
