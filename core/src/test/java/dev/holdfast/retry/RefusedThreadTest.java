/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.retry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Classifier;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.Verdict;
import dev.holdfast.contract.Around;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A retry for which no thread of its own is free is a retry that was turned away: the call ends as its last real try did. */
@Logs("two-retries")
@ThreadKind.Each
class RefusedThreadTest {
    private final VirtualTime time = ThreadKind.current().on(new VirtualTime());
    private final List<Object> discarded = Collections.synchronizedList(new ArrayList<>());
    private final List<String> rejected = Collections.synchronizedList(new ArrayList<>());
    private final AtomicInteger runs = new AtomicInteger();
    private Classifier classifier = Classifier.DEFAULT;

    @AfterEach
    void close() {
        time.close();
    }

    /** Threads for so many attempts. */
    private final class Scarce extends Around {
        private final AtomicInteger left;

        Scarce(int threads) {
            super(time);
            left = new AtomicInteger(threads);
        }

        @Override
        public Executor executor() {
            Executor executor = time.executor();
            return task -> {
                if (left.getAndDecrement() <= 0) {
                    throw new RejectedExecutionException("no thread");
                }
                executor.execute(task);
            };
        }
    }

    private static final class Dedicated extends Policy {
        Dedicated() {
            super("dedicated", ENTER);
        }

        @Override
        public int dedicatedThreads() {
            return 4;
        }
    }

    private final CallObserver observer = new CallObserver() {
        @Override
        public void rejected(String pipeline, @Nullable String operation, String policy, Reason reason) {
            rejected.add(reason.name());
        }
    };

    private static RetryPolicy retry(int attempts, Duration backoff) {
        return RetryPolicy.of(r -> r.maxAttempts(attempts)
                .initialBackoff(backoff)
                .jitter(Jitter.NONE)
                .budgetEnabled(false));
    }

    private CompletableFuture<Object> call(Way way, Pipeline pipeline, Object answer) {
        Operation<Object> operation =
                pipeline.operation("x", o -> o.classifier(classifier).discard(discarded::add));
        CompletableFuture<Object> end = way == Way.CALL
                ? time.spawn(() -> operation.unkeyed().call(attempt -> {
                    runs.incrementAndGet();
                    if (answer instanceof IOException error) {
                        throw error;
                    }
                    return answer + " " + attempt.number();
                }))
                : operation.unkeyed().callAsync(attempt -> {
                    runs.incrementAndGet();
                    return answer instanceof IOException error
                            ? CompletableFuture.failedFuture(error)
                            : CompletableFuture.completedFuture(answer + " " + attempt.number());
                });
        time.run();
        return end;
    }

    private Pipeline pipeline(int threads, Policy... policies) {
        return Pipeline.builder("p")
                .policies(policies)
                .time(new Scarce(threads))
                .executor(time.executor())
                .observer(observer)
                .build();
    }

    @ParameterizedTest
    @EnumSource
    void callEndsWithTheDependencysLastError(Way way) {
        IOException down = new IOException("down");
        for (Duration backoff : List.of(Duration.ZERO, Duration.ofMillis(5))) {
            CompletableFuture<Object> end = call(way, pipeline(2, retry(4, backoff), new Dedicated()), down);
            assertThatThrownBy(end::join).hasCause(down);
        }
        assertThat(runs).hasValue(4);
        assertThat(rejected).containsExactly("EXECUTOR_FULL", "EXECUTOR_FULL");
    }

    @ParameterizedTest
    @EnumSource
    void callEndsWithTheDependencysLastValueAndOnlyTheOneBeforeIsDiscarded(Way way) {
        classifier = (value, error) -> Verdict.FAILURE;
        CompletableFuture<Object> end = call(way, pipeline(2, retry(4, Duration.ofMillis(5)), new Dedicated()), "503");
        assertThat(end).isCompletedWithValue("503 2");
        assertThat(discarded).containsExactly("503 1");
        assertThat(runs).hasValue(2);
    }

    @ParameterizedTest
    @EnumSource
    void nestedRetriesEndWithItToo(Way way) {
        classifier = (value, error) -> Verdict.FAILURE;
        Pipeline pipeline =
                pipeline(2, retry(4, Duration.ofMillis(5)), retry(2, Duration.ofMillis(5)), new Dedicated());
        assertThat(call(way, pipeline, "503")).isCompletedWithValue("503 2");
        assertThat(discarded).containsExactly("503 1");
        assertThat(runs).hasValue(2);
    }

    @ParameterizedTest
    @EnumSource
    void firstTryWithoutAThreadIsARejection(Way way) {
        CompletableFuture<Object> end = call(way, pipeline(0, retry(4, Duration.ZERO), new Dedicated()), "answer");
        assertThatThrownBy(end::join).hasRootCauseMessage("the executor of 'p' refused to go on with the call");
        assertThat(runs).hasValue(0);
    }
}
