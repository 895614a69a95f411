/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.interplay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.stalecache.StaleCachePolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;

/** What an executor does not take ends in a loop: no stack grows with the number of calls that wait. */
class RefusedExecutorTest {
    private static final int MANY = 5_000;
    /** With room for some hundred frames: what recurses from call to call does not come far. */
    private static final long SMALL_STACK = 256 * 1024;

    private final List<CompletableFuture<Integer>> all = new ArrayList<>();
    private final CompletableFuture<Integer> first = new CompletableFuture<>();
    private final BulkheadPolicy bulkhead = BulkheadPolicy.of(
            b -> b.maxConcurrentCalls(10).maxWaitingCalls(MANY).maxWait(Duration.ofHours(1)));
    private volatile boolean refuses;

    private Pipeline pipeline(Executor executor) {
        return Pipeline.builder("p").policies(bulkhead).executor(executor).build();
    }

    private Executor refusing() {
        return task -> {
            if (refuses) {
                throw new RejectedExecutionException("full");
            }
            task.run();
        };
    }

    private void fill(Pipeline pipeline) {
        for (int i = 0; i < 10; i++) {
            all.add(pipeline.callAsync(() -> first));
        }
        for (int i = 0; i < MANY; i++) {
            all.add(pipeline.callAsync(() -> CompletableFuture.completedFuture(1)));
        }
        assertThat(bulkhead.waiting()).isEqualTo(MANY);
    }

    private static void onASmallStack(Runnable task) throws InterruptedException {
        List<Throwable> thrown = new ArrayList<>();
        Thread thread = new Thread(
                null,
                () -> {
                    try {
                        task.run();
                    } catch (Throwable t) {
                        thrown.add(t);
                    }
                },
                "small",
                SMALL_STACK);
        thread.start();
        thread.join();
        assertThat(thrown).isEmpty();
    }

    @Test
    void aCallThatIsRefusedEndsWhileWhatHangsOnTheCallBeforeItWaitsForIt() {
        BulkheadPolicy one = BulkheadPolicy.of(b -> b.maxConcurrentCalls(1).maxWait(Duration.ofHours(1)));
        Executor full = task -> {
            throw new RejectedExecutionException("full");
        };
        try (Pipeline pipeline =
                Pipeline.builder("p").policies(one).executor(full).build()) {
            CompletableFuture<Integer> holder = pipeline.callAsync(() -> first);
            CompletableFuture<Integer> waiter = pipeline.callAsync(() -> CompletableFuture.completedFuture(2));
            CompletableFuture<Throwable> seen = holder.thenApply(value -> catchThrowable(waiter::join));

            first.complete(1);

            assertThat(seen.join().getCause())
                    .isInstanceOfSatisfying(
                            CallRejectedException.class,
                            rejected -> assertThat(rejected.reason()).isEqualTo(Reason.EXECUTOR_FULL));
            assertThat(one.inFlight()).isZero();
        }
    }

    /** A moment later: what is refused ends on threads of the pipeline's own. */
    private void awaitEnds() {
        CompletableFuture<Void> ends = CompletableFuture.allOf(all.toArray(new CompletableFuture<?>[0]));
        assertThat(ends.handle((value, error) -> "ended").join()).isEqualTo("ended");
    }

    private void assertAllEnded(Reason reason) {
        awaitEnds();
        assertThat(bulkhead.inFlight()).isZero();
        assertThat(bulkhead.waiting()).isZero();
        for (CompletableFuture<Integer> answer : all.subList(10, all.size())) {
            assertThat(catchThrowable(answer::join))
                    .hasCauseInstanceOf(CallRejectedException.class)
                    .satisfies(thrown -> assertThat(((CallRejectedException) thrown.getCause()).reason())
                            .isEqualTo(reason));
        }
    }

    @Test
    void callsThatWaitForAPermitEndWhenTheExecutorIsFull() throws Exception {
        try (Pipeline pipeline = pipeline(refusing())) {
            fill(pipeline);
            refuses = true;
            onASmallStack(() -> first.complete(1));
            assertAllEnded(Reason.EXECUTOR_FULL);
            refuses = false;
            assertThat(pipeline.callAsync(() -> CompletableFuture.completedFuture(2))
                            .join())
                    .isEqualTo(2);
        }
    }

    @Test
    void callsThatWaitForAPermitEndWhenThePipelineIsClosed() throws Exception {
        Pipeline pipeline = Pipeline.of("p", bulkhead);
        fill(pipeline);
        // Its threads are made before they are asked for, so that they are refused and not missing.
        pipeline.close();
        onASmallStack(() -> first.complete(1));
        assertAllEnded(Reason.CLOSED);
    }

    @Test
    void blockingCallThatGivesItsPermitBackEndsThoseThatWait() throws Exception {
        try (Pipeline pipeline = pipeline(refusing())) {
            onASmallStack(() -> {
                int value = pipeline.call(() -> {
                    fill(pipeline);
                    first.complete(1);
                    refuses = true;
                    return 7;
                });
                assertThat(value).isEqualTo(7);
            });
            awaitEnds();
            refuses = false;
        }
        assertThat(bulkhead.inFlight()).isZero();
    }

    @Test
    void executorThatRunsTasksWhereTheyAreHandedInNeedsNoMoreStack() throws Exception {
        try (Pipeline pipeline = pipeline(Runnable::run)) {
            fill(pipeline);
            onASmallStack(() -> first.complete(1));
            assertThat(all).allSatisfy(answer -> assertThat(answer).isCompletedWithValue(1));
            assertThat(bulkhead.inFlight()).isZero();
        }
    }

    @Test
    void followersOfAFlightEndWhenTheExecutorIsFull() throws Exception {
        try (Pipeline pipeline = Pipeline.builder("p")
                .policies(StaleCachePolicy.ofDefaults())
                .executor(refusing())
                .build()) {
            Operation<Integer> operation = pipeline.operation("o");
            for (int i = 0; i < 1_000; i++) {
                all.add(operation.key("k").callAsync(attempt -> first));
            }
            refuses = true;
            onASmallStack(() -> first.complete(1));
            awaitEnds();
            refuses = false;
            assertThat(operation.key("k").callAsync(attempt -> CompletableFuture.completedFuture(2)))
                    .isDone();
        }
    }

    @Test
    void continuationThatThrowsAnErrorEndsNoOtherCall() throws Exception {
        try (Pipeline pipeline = pipeline(refusing())) {
            fill(pipeline);
            for (CompletableFuture<Integer> answer : all) {
                var unused = answer.whenComplete((value, error) -> {
                    throw new StackOverflowError("of the user's");
                });
            }
            refuses = true;
            onASmallStack(() -> first.complete(1));
            assertAllEnded(Reason.EXECUTOR_FULL);
        }
    }
}
