/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.interplay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.throttling.ThrottlePolicy;
import dev.holdfast.timeout.TimeoutPolicy;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A thread whose stack ends in a call, or in the middle of many inside one another, takes no permit with it. */
class StackOverflowTest {
    private static final int THREADS = 150;

    private final BulkheadPolicy bulkhead =
            BulkheadPolicy.of(b -> b.maxConcurrentCalls(1_000_000).maxWaitingCalls(0));
    private final Pipeline simple = Pipeline.of("simple", bulkhead);
    private final Pipeline whole = Pipeline.of(
            "whole",
            RetryPolicy.ofDefaults(),
            CircuitBreakerPolicy.ofDefaults(),
            ThrottlePolicy.of(t -> t.limit(1_000_000).per(Duration.ofMillis(1)).burst(1_000_000)),
            bulkhead,
            TimeoutPolicy.of(Duration.ofHours(1)));
    /** Not private, so that it counts as used. */
    int sink;

    @AfterEach
    void close() {
        simple.close();
        whole.close();
    }

    /** On stacks of many sizes, so that they end at every place. */
    private static void onSmallStacks(Runnable recursion) throws InterruptedException {
        for (int i = 0; i < THREADS; i++) {
            Thread thread = new Thread(
                    null,
                    () -> {
                        try {
                            recursion.run();
                        } catch (StackOverflowError expected) {
                            // What the permits show is what counts.
                        }
                    },
                    "small",
                    200_000 + i * 331L);
            thread.start();
            thread.join();
        }
    }

    private Pipeline pipeline(boolean simply) {
        return simply ? simple : whole;
    }

    private void assertNothingLost() {
        assertThat(bulkhead.inFlight()).isZero();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void recursionThroughAPipelineLosesNoPermit(boolean simply) throws Exception {
        Pipeline pipeline = pipeline(simply);
        onSmallStacks(() -> through(pipeline));
        assertNothingLost();
    }

    @SuppressWarnings("InfiniteRecursion") // that is what it is about
    private int through(Pipeline pipeline) {
        return pipeline.<Integer, RuntimeException>call(() -> through(pipeline) + 1);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void recursionThatMakesACallAtEachLevelLosesNoPermit(boolean simply) throws Exception {
        Pipeline pipeline = pipeline(simply);
        onSmallStacks(() -> beside(pipeline, 0));
        assertNothingLost();
    }

    @SuppressWarnings("InfiniteRecursion")
    private void beside(Pipeline pipeline, int depth) {
        sink += pipeline.<Integer, RuntimeException>call(() -> 1);
        beside(pipeline, depth + 1);
        sink += depth;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void actionThatRunsOutOfStackLosesNoPermit(boolean simply) throws Exception {
        Pipeline pipeline = pipeline(simply);
        IntConsumer[] deep = new IntConsumer[1];
        deep[0] = depth -> {
            deep[0].accept(depth + 1);
            sink += depth;
        };
        onSmallStacks(() -> pipeline.<Integer, RuntimeException>call(() -> {
            deep[0].accept(0);
            return 1;
        }));
        assertNothingLost();
    }

    /** What would end where the stack is nearly over ends on another thread, a moment later. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void recursionThroughAsynchronousCallsLosesNoPermit(boolean simply) throws Exception {
        Pipeline pipeline = pipeline(simply);
        onSmallStacks(() -> asynchronously(pipeline).isDone());
        for (long start = System.nanoTime();
                bulkhead.inFlight() > 0 && System.nanoTime() - start < TimeUnit.MINUTES.toNanos(5); ) {
            LockSupport.parkNanos(1_000_000);
        }
        assertNothingLost();
    }

    @SuppressWarnings("InfiniteRecursion")
    private CompletableFuture<Integer> asynchronously(Pipeline pipeline) {
        return pipeline.callAsync(() -> asynchronously(pipeline));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void callsWithAttemptsAndKeysLoseNoPermit(boolean simply) throws Exception {
        Operation<Integer> operation = pipeline(simply).operation("o");
        onSmallStacks(() -> keyed(operation));
        assertNothingLost();
    }

    @SuppressWarnings("InfiniteRecursion")
    private int keyed(Operation<Integer> operation) {
        return operation.key("k").<RuntimeException>call(attempt -> keyed(operation) + 1);
    }
}
