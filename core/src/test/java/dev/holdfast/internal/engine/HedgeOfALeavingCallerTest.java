/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import static java.time.Duration.ofMillis;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Attempt;
import dev.holdfast.Knobs;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.testing.ThreadKind;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** For a caller that was interrupted, and whose action has not come to feel it yet, no other attempt begins. */
@ThreadKind.Each
class HedgeOfALeavingCallerTest {
    private static final long MILLI = 1_000_000;

    private final StillTime time = new StillTime();
    private final AtomicBoolean done = new AtomicBoolean();
    private final AtomicInteger begun = new AtomicInteger();
    private final CountDownLatch running = new CountDownLatch(1);
    private final CompletableFuture<Object> end = new CompletableFuture<>();
    /** What was handed to the executor for hedges, and has not been run. */
    private final List<Runnable> handedIn = Collections.synchronizedList(new ArrayList<>());

    private final Pipeline pipeline = Knobs.watchdog(Pipeline.builder("p"), new WatchQueue(time))
            .policies(HedgePolicy.of(h -> h.delay(ofMillis(20))))
            .time(time)
            .backgroundExecutor(handedIn::add)
            .build();

    @AfterEach
    void close() {
        done.set(true);
        pipeline.close();
    }

    /** The first attempt does not feel an interrupt, and does not take the flag. */
    private String act(Attempt attempt) {
        begun.incrementAndGet();
        running.countDown();
        while (attempt.number() == 1 && !done.get()) {
            // Not awake: a virtual thread would keep its carrier, maybe the only one. Nor asleep if it was interrupted.
            LockSupport.parkNanos(100_000);
        }
        return "of attempt " + attempt.number();
    }

    private Thread caller() throws InterruptedException {
        Operation<String> operation = pipeline.operation("x", o -> o.idempotent(true));
        Thread caller = ThreadKind.current().newThread(() -> {
            try {
                end.complete(operation.unkeyed().call(this::act));
            } catch (Throwable thrown) {
                end.completeExceptionally(thrown);
            }
        });
        caller.start();
        assertThat(running.await(5, TimeUnit.MINUTES)).isTrue();
        return caller;
    }

    @Test
    void callerThatWaitsIsHedged() throws Exception {
        caller();
        time.pass(50 * MILLI);
        assertThat(handedIn).hasSize(1);
        done.set(true);
        handedIn.get(0).run();
        assertThat(end.get(5, TimeUnit.MINUTES)).isIn("of attempt 1", "of attempt 2");
    }

    @Test
    void callerThatWasInterruptedIsNotHedged() throws Exception {
        caller().interrupt();
        time.pass(50 * MILLI);
        assertThat(handedIn).isEmpty();
        done.set(true);
        assertThat(end.get(5, TimeUnit.MINUTES)).isEqualTo("of attempt 1");
    }

    @Test
    void hedgeThatGetsItsThreadAfterTheCallerWasInterruptedDoesNotBegin() throws Exception {
        Thread caller = caller();
        time.pass(50 * MILLI);
        caller.interrupt();
        handedIn.get(0).run();
        assertThat(begun).hasValue(1);
        done.set(true);
        assertThat(end.get(5, TimeUnit.MINUTES)).isEqualTo("of attempt 1");
    }
}
