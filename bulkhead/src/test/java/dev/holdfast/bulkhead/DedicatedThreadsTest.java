/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** On real threads, which virtual time replaces: whoever has a permit has a thread. */
class DedicatedThreadsTest {
    private final ExecutorService callers = Executors.newCachedThreadPool();

    @AfterEach
    void end() {
        callers.shutdownNow();
    }

    private static Pipeline pipeline(int permits) {
        return Pipeline.of("d", policy(permits));
    }

    private static BulkheadPolicy policy(int permits) {
        return BulkheadPolicy.of(b -> b.maxConcurrentCalls(permits)
                .maxWaitingCalls(1_000)
                .dedicatedThreads(true)
                .maxWait(Duration.ofMinutes(5)));
    }

    private void callFrom(int threads, int calls, Pipeline pipeline) throws Exception {
        List<Future<?>> ends = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            ends.add(callers.submit(() -> {
                for (int call = 0; call < calls; call++) {
                    assertThat(pipeline.<Integer, RuntimeException>call(() -> 1))
                            .isOne();
                }
                return null;
            }));
        }
        for (Future<?> end : ends) {
            end.get(5, TimeUnit.MINUTES);
        }
    }

    @Test
    void callAfterCallOfOneCallerIsAdmittedWithOnePermit() throws Exception {
        try (Pipeline pipeline = pipeline(1)) {
            callFrom(1, 2_000, pipeline);
        }
    }

    @Test
    void asManyCallersAsPermitsAreAllAdmitted() throws Exception {
        try (Pipeline pipeline = pipeline(20)) {
            callFrom(20, 100, pipeline);
        }
    }

    @Test
    void moreCallersThanPermitsWaitAndAreAllAdmitted() throws Exception {
        try (Pipeline pipeline = pipeline(2)) {
            callFrom(20, 50, pipeline);
        }
    }

    @Test
    void asynchronousCallsAreAllAdmitted() {
        try (Pipeline pipeline = pipeline(2)) {
            List<CompletableFuture<Integer>> answers = new ArrayList<>();
            for (int i = 0; i < 500; i++) {
                answers.add(pipeline.callAsync(() -> CompletableFuture.completedFuture(1)));
            }
            answers.forEach(answer -> assertThat(answer.join()).isOne());
        }
    }

    /** As asynchronous calls do. The one that runs ends as it would. */
    @Test
    void callsThatWaitWhenThePipelineIsClosedAreRejected() throws Exception {
        BulkheadPolicy policy = policy(1);
        Pipeline pipeline = Pipeline.of("d", policy);
        CountDownLatch runs = new CountDownLatch(1);
        CountDownLatch ends = new CountDownLatch(1);
        Future<Integer> first = callers.submit(() -> pipeline.<Integer, Exception>call(() -> {
            runs.countDown();
            assertThat(ends.await(5, TimeUnit.MINUTES)).isTrue();
            return 1;
        }));
        assertThat(runs.await(5, TimeUnit.MINUTES)).isTrue();
        List<Future<Integer>> waiting = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            waiting.add(callers.submit(() -> pipeline.<Integer, Exception>call(() -> 2)));
        }
        while (policy.waiting() < 3) {
            Thread.onSpinWait();
        }

        pipeline.close();
        ends.countDown();

        assertThat(first.get(5, TimeUnit.MINUTES)).isOne();
        for (Future<Integer> one : waiting) {
            assertThatThrownBy(() -> one.get(5, TimeUnit.MINUTES))
                    .cause()
                    .isInstanceOfSatisfying(
                            CallRejectedException.class,
                            rejected -> assertThat(rejected.reason()).isEqualTo(Reason.CLOSED));
        }
        assertThat(policy.inFlight()).isZero();
    }

    @Test
    void threadsGrowWithThePermits() throws Exception {
        BulkheadPolicy policy = policy(2);
        try (Pipeline pipeline = Pipeline.of("d", policy)) {
            policy.resize(6);
            // None of them goes on before all six run.
            CyclicBarrier all = new CyclicBarrier(6);
            List<Future<Integer>> ends = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                ends.add(callers.submit(() -> pipeline.<Integer, Exception>call(() -> {
                    all.await(5, TimeUnit.MINUTES);
                    return 1;
                })));
            }
            for (Future<Integer> end : ends) {
                assertThat(end.get(5, TimeUnit.MINUTES)).isOne();
            }
            assertThat(policy.inFlight()).isZero();
        }
    }
}
