/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Completion;
import dev.holdfast.testing.ThreadKind;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** However often something happens at once, the stack does not grow with it. */
@ThreadKind.Each
class DeepTest {
    /** A stack of 1 MiB holds less than ten thousand calls of this kind. */
    private static final int MANY = 100_000;

    private final Lab lab = new Lab();
    private final RetryPolicy retry = RetryPolicy.of(r -> r.maxAttempts(MANY)
            .initialBackoff(Duration.ZERO)
            .maxBackoff(Duration.ZERO)
            .budgetEnabled(false));

    @AfterEach
    void close() {
        lab.close();
    }

    private Pipeline pipeline(dev.holdfast.spi.Policy... layers) {
        return Pipeline.builder("deep").policies(layers).time(lab.time).build();
    }

    @Test
    void hundredThousandBlockingRetriesOverflowNoStack() {
        IOException again = new IOException("again");
        AtomicInteger attempts = new AtomicInteger();
        assertThatThrownBy(() -> pipeline(retry).call(() -> {
                    attempts.incrementAndGet();
                    throw again;
                }))
                .isSameAs(again);
        assertThat(attempts).hasValue(MANY);
    }

    @Test
    void hundredThousandSynchronousRetriesOfAnAsynchronousCallOverflowNoStack() {
        CompletableFuture<String> again = CompletableFuture.failedFuture(new IOException("again"));
        AtomicInteger attempts = new AtomicInteger();
        CompletableFuture<String> failed = pipeline(retry).callAsync(() -> {
            attempts.incrementAndGet();
            return again;
        });
        lab.time.run();
        assertThat(failed).isCompletedExceptionally();
        assertThat(attempts).hasValue(MANY);
    }

    @Test
    void hundredThousandActionsThatThrowAtOnceOverflowNoStack() {
        AtomicInteger attempts = new AtomicInteger();
        IllegalStateException again = new IllegalStateException("again");
        CompletableFuture<String> failed = pipeline(retry).callAsync(() -> {
            attempts.incrementAndGet();
            throw again;
        });
        lab.time.run();
        assertThat(failed).isCompletedExceptionally();
        assertThat(attempts).hasValue(MANY);
    }

    @Test
    void hundredThousandCompletionsInAChainOverflowNoStack() {
        completeAChain(pipeline(retry));
    }

    @Test
    void norDoTheyWithAnExecutorThatRunsItsTasksWhereTheyAreHandedIn() {
        completeAChain(Pipeline.builder("direct")
                .policies(retry)
                .time(lab.time)
                .executor(Runnable::run)
                .build());
    }

    private void completeAChain(Pipeline pipeline) {
        // The end of each call completes the work of the next, all on one stack if nobody looks after it.
        CompletableFuture<Integer> first = new CompletableFuture<>();
        CompletableFuture<Integer> work = first;
        for (int i = 0; i < MANY; i++) {
            CompletableFuture<Integer> mine = work;
            CompletableFuture<Integer> next = new CompletableFuture<>();
            var unused = pipeline.callAsync(() -> mine).whenComplete((value, error) -> next.complete(value + 1));
            work = next;
        }
        first.complete(0);
        lab.time.run();
        assertThat(work).isCompletedWithValue(MANY);
    }

    @Test
    void hundredThousandTurnsHandedOverInAChainOverflowNoStack() {
        Completion[] turns = new Completion[MANY + 1];
        for (int i = 0; i <= MANY; i++) {
            turns[i] = new Completion();
        }
        int[] entered = new int[1];
        Probe queue = lab.probe("queue");
        queue.entering(passage -> {
            int place = (int) passage.slot();
            if (place == 0) {
                place = ++entered[0];
                passage.slot(place);
            }
            return turns[place - 1].isDone() ? Decision.GO_ON : Decision.await(turns[place - 1]);
        });
        queue.ending(passage -> turns[(int) passage.slot()].complete());
        Pipeline pipeline = pipeline(queue);
        AtomicInteger done = new AtomicInteger();
        for (int i = 0; i < MANY; i++) {
            var unused = pipeline.callAsync(() -> CompletableFuture.completedFuture("done"))
                    .thenRun(done::incrementAndGet);
        }
        turns[0].complete();
        lab.time.run();
        assertThat(done).hasValue(MANY);
    }

    @Test
    void callsNestedInCallsNeedNoMoreStackThanTheUsersOwn() throws Exception {
        Pipeline pipeline = pipeline(lab.probe("a"), lab.probe("b"), lab.probe("c"));
        Operation<Integer> operation = pipeline.operation("nested");
        assertThat(nest(operation, 500)).isEqualTo(500);
    }

    private static int nest(Operation<Integer> operation, int left) {
        return left == 0 ? 0 : operation.unkeyed().call(attempt -> nest(operation, left - 1) + 1);
    }
}
