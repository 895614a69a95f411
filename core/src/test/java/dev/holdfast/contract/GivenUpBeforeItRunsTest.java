/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import static dev.holdfast.contract.Lab.millis;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Operation;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.Reply.Source;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.CallContext;
import dev.holdfast.spi.CallContext.Scope;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Attempts on threads of their own that never begin, and what a thread finds that runs one after the other. */
@ThreadKind.Each
class GivenUpBeforeItRunsTest {
    private final VirtualTime time = ThreadKind.current().on(new VirtualTime());
    private final AtomicInteger begun = new AtomicInteger();
    private final List<String> log = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void close() {
        time.close();
    }

    private final class Dedicated extends Policy {
        Dedicated() {
            super("dedicated", ENTER | SUCCESS | FAILURE | ENDED);
        }

        @Override
        public int dedicatedThreads() {
            return 4;
        }

        @Override
        public int settle(Passage passage) {
            log.add("settled " + passage.outcome() + (passage.started() ? "" : " not started"));
            return KEEP;
        }

        @Override
        public void ended(Passage passage) {
            log.add("ended");
        }
    }

    /** Whose threads of their own are as an executor says. */
    private static final class With extends Around {
        private final Executor executor;

        With(TimeSource time, Executor executor) {
            super(time);
            this.executor = executor;
        }

        @Override
        public Executor executor() {
            return executor;
        }
    }

    private String act() {
        begun.incrementAndGet();
        return "answer";
    }

    private CompletableFuture<String> call(Way way, Pipeline pipeline) {
        return way == Way.CALL
                ? time.spawn(() -> pipeline.call(this::act))
                : pipeline.callAsync(() -> CompletableFuture.completedFuture(act()));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void attemptThatGetsItsThreadAfterItsLimitDoesNotBegin(Way way) {
        Executor slow = task ->
                time.schedule(millis(30).toNanos(), () -> time.executor().execute(task));
        try (Pipeline pipeline = Pipeline.builder("p")
                .policies(new Dedicated(), TimeoutPolicy.of(millis(10)))
                .time(new With(time, slow))
                .executor(time.executor())
                .build()) {
            CompletableFuture<String> answer = call(way, pipeline);
            time.run();
            assertThat(answer)
                    .failsWithin(0, TimeUnit.SECONDS)
                    .withThrowableOfType(ExecutionException.class)
                    .withCauseInstanceOf(CallTimeoutException.class);
            assertThat(begun).hasValue(0);
            assertThat(log).containsExactly("settled TIMEOUT", "ended");
        }
    }

    /** It is counted as no attempt, and is no reason for a caller around it to think that it has begun. */
    @Test
    void attemptThatAnInterruptTakesBackBeforeItBeginsIsNoAttempt() {
        Settled settled = new Settled();
        try (Pipeline pipeline = Pipeline.builder("p")
                .policies(new Dedicated())
                .time(new With(time, time.executor()))
                .observer(settled)
                .build()) {
            CompletableFuture<String> answer = time.spawn(() -> {
                Thread.currentThread().interrupt();
                return pipeline.call(this::act);
            });
            time.run();
            assertThat(answer)
                    .failsWithin(0, TimeUnit.SECONDS)
                    .withThrowableOfType(ExecutionException.class)
                    .withCauseInstanceOf(CallRejectedException.class)
                    .satisfies(thrown -> assertThat(((CallRejectedException) thrown.getCause()).history())
                            .isEmpty());
            assertThat(begun).hasValue(0);
            assertThat(log).containsExactly("settled INTERRUPTED not started", "ended");
            assertThat(settled.told).containsExactly("INTERRUPTED after 0");
        }
    }

    /** The executor is slow, so the call itself does not know yet that its limit has struck. */
    @Test
    void delayedAttemptThatWasStruckDoesNotBegin() {
        Policy delays = new Policy("delays", Policy.ENTER) {
            @Override
            public int enter(Passage passage) {
                passage.inject(Passage.Fault.delay(millis(8).toNanos()));
                return PROCEED;
            }
        };
        Executor slow = task ->
                time.schedule(millis(20).toNanos(), () -> time.executor().execute(task));
        try (Pipeline pipeline = Pipeline.builder("p")
                .policies(TimeoutPolicy.of(millis(5)), delays)
                .time(time)
                .executor(slow)
                .build()) {
            CompletableFuture<String> answer = pipeline.callAsync(() -> CompletableFuture.completedFuture(act()));
            time.run();
            assertThat(answer)
                    .failsWithin(0, TimeUnit.SECONDS)
                    .withThrowableOfType(ExecutionException.class)
                    .withCauseInstanceOf(CallTimeoutException.class);
            assertThat(begun).hasValue(0);
        }
    }

    /** Counts spans: of attempts, those that have ended, and those that were current. */
    private static class Spans implements CallObserver, CallObserver.Tracer, CallObserver.CallTrace {
        final AtomicInteger attempts = new AtomicInteger();
        final AtomicInteger ended = new AtomicInteger();
        final AtomicInteger current = new AtomicInteger();
        final AtomicInteger counted = new AtomicInteger();

        @Override
        public Tracer tracer(String pipeline) {
            return this;
        }

        @Override
        public CallTrace begins(@Nullable String operation) {
            return this;
        }

        @Override
        public Scope open() {
            return () -> {};
        }

        @Override
        public AttemptTrace attempt(int number, boolean hedge) {
            attempts.incrementAndGet();
            return new AttemptTrace() {
                @Override
                public Scope open() {
                    current.incrementAndGet();
                    return () -> {};
                }

                @Override
                public void ended(Outcome outcome, boolean left, @Nullable Throwable error) {
                    ended.incrementAndGet();
                }
            };
        }

        @Override
        public void rejected(String policy, Reason reason) {}

        @Override
        public @Nullable CallTrace background() {
            return null;
        }

        @Override
        public void ended(Outcome outcome, Source source, long ageNanos, int started, @Nullable Throwable error) {
            counted.addAndGet(started);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void attemptThatIsGivenUpBeforeItBeginsHasASpanAllTheSame(Way way) {
        Executor slow = task ->
                time.schedule(millis(30).toNanos(), () -> time.executor().execute(task));
        Spans spans = new Spans();
        try (Pipeline pipeline = Pipeline.builder("p")
                .policies(new Dedicated(), TimeoutPolicy.of(millis(10)))
                .time(new With(time, slow))
                .executor(time.executor())
                .observer(spans)
                .build()) {
            var unused = call(way, pipeline);
            time.run();
            assertThat(begun).hasValue(0);
            assertThat(List.of(spans.attempts.get(), spans.ended.get(), spans.counted.get()))
                    .containsOnly(1);
            assertThat(spans.current).hasValue(0);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void hedgeThatIsGivenUpBeforeItBeginsHasASpanAllTheSame(Way way) {
        AtomicInteger asked = new AtomicInteger();
        Executor slow = task -> time.schedule(
                asked.incrementAndGet() == 1 ? 1 : millis(50).toNanos(),
                () -> time.executor().execute(task));
        Spans spans = new Spans();
        try (Pipeline pipeline = Pipeline.builder("p")
                .policies(HedgePolicy.of(h -> h.delay(millis(5))), new Dedicated())
                .time(new With(time, slow))
                .executor(time.executor())
                .backgroundExecutor(time.executor())
                .observer(spans)
                .build()) {
            var call = pipeline.<String>operation("x").unkeyed();
            CompletableFuture<String> answer = way == Way.CALL
                    ? time.spawn(() -> call.call(attempt -> {
                        time.sleep(millis(20));
                        return act();
                    }))
                    : call.callAsync(attempt -> {
                        CompletableFuture<String> later = new CompletableFuture<>();
                        time.schedule(millis(20).toNanos(), () -> later.complete(act()));
                        return later;
                    });
            time.run();
            assertThat(answer).isCompletedWithValue("answer");
            assertThat(begun).hasValue(1);
            assertThat(List.of(spans.attempts.get(), spans.ended.get(), spans.counted.get()))
                    .containsOnly(2);
            assertThat(spans.current).hasValue(1);
        }
    }

    /** The thread that is to run the action is slow just before: where it asks for the partition, or sets the context. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void actionOfATracedAttemptThatWasGivenUpJustBeforeDoesNotRun(Way way) {
        Spans spans = new Spans();
        AtomicInteger slowed = new AtomicInteger();
        AtomicReference<@Nullable Thread> caller = new AtomicReference<>();
        Runnable slow = () -> {
            if (Thread.currentThread() != caller.get() && slowed.getAndIncrement() == 0) {
                try {
                    time.sleep(millis(30));
                } catch (InterruptedException given) {
                    slowed.incrementAndGet();
                }
            }
        };
        CallContext context = () -> () -> {
            if (way == Way.CALL_ASYNC) {
                slow.run();
            }
            return () -> {};
        };
        try (Pipeline pipeline = Pipeline.builder("p")
                .policies(new Dedicated(), TimeoutPolicy.of(millis(10)))
                .time(new With(time, time.executor()))
                .executor(time.executor())
                .context(context)
                .observer(spans)
                .build()) {
            Operation<String> operation = pipeline.operation("x");
            CompletableFuture<String> answer;
            if (way == Way.CALL) {
                var decorated = operation.<String, RuntimeException>decorate(key -> act(), () -> {
                    slow.run();
                    return "partition";
                });
                answer = time.spawn(() -> {
                    caller.set(Thread.currentThread());
                    return decorated.apply("key");
                });
            } else {
                caller.set(Thread.currentThread());
                answer = operation.unkeyed().callAsync(attempt -> CompletableFuture.completedFuture(act()));
            }
            time.run();
            assertThat(answer).isCompletedExceptionally();
            assertThat(slowed).hasPositiveValue();
            assertThat(begun).hasValue(0);
            assertThat(spans.attempts).hasValue(1);
            assertThat(spans.ended).hasValue(1);
        }
    }

    /** Its tracer ends the call just before: what it does there, any thread can do. */
    @Test
    void asynchronousHedgeThatIsGivenUpWhenItIsAboutToBeginDoesNotBegin() {
        CompletableFuture<String> first = new CompletableFuture<>();
        Spans spans = new Spans() {
            @Override
            public AttemptTrace attempt(int number, boolean hedge) {
                if (hedge) {
                    first.complete("first");
                }
                return super.attempt(number, hedge);
            }
        };
        Settled settled = new Settled();
        try (Pipeline pipeline = Pipeline.builder("p")
                .policies(HedgePolicy.of(h -> h.delay(millis(5))))
                .time(time)
                .executor(time.executor())
                .backgroundExecutor(time.executor())
                .observer(spans)
                .observer(settled)
                .build()) {
            CompletableFuture<String> answer = pipeline.<String>operation("x")
                    .unkeyed()
                    .callAsync(attempt ->
                            attempt.number() == 1 ? first : CompletableFuture.completedFuture(act() + " of the hedge"));
            time.run();
            assertThat(answer).isCompletedWithValue("first");
            assertThat(begun).hasValue(0);
            assertThat(settled.told).containsExactly("SUCCESS after 1");
            assertThat(spans.attempts.get()).isEqualTo(spans.ended.get());
            assertThat(spans.counted).hasValue(1);
        }
    }

    private static final class Settled implements CallObserver {
        private final List<String> told = Collections.synchronizedList(new ArrayList<>());

        @Override
        public void callSettled(
                String pipeline, @Nullable String operation, Outcome outcome, Source source, int attempts, long nanos) {
            told.add(outcome + " after " + attempts);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void attemptForWhichThereIsNoThreadIsNotCounted(Way way) {
        AtomicInteger asked = new AtomicInteger();
        Executor scarce = task -> {
            if (asked.incrementAndGet() == 2) {
                throw new RejectedExecutionException("no thread");
            }
            time.executor().execute(task);
        };
        Settled settled = new Settled();
        RetryPolicy retry = RetryPolicy.of(r -> r.maxAttempts(4)
                .initialBackoff(millis(1))
                .jitter(Jitter.NONE)
                .retryRejections(true)
                .budgetEnabled(false));
        try (Pipeline pipeline = Pipeline.builder("p")
                .policies(retry, new Dedicated())
                .time(new With(time, scarce))
                .executor(time.executor())
                .observer(settled)
                .build()) {
            List<Integer> numbers = Collections.synchronizedList(new ArrayList<>());
            var call = pipeline.<String>operation("x", o -> o.idempotent(true)).unkeyed();
            if (way == Way.CALL) {
                var unused = time.spawn(() -> call.call(attempt -> {
                    numbers.add(attempt.number());
                    throw new IOException("ill");
                }));
            } else {
                var unused = call.callAsync(attempt -> {
                    numbers.add(attempt.number());
                    return CompletableFuture.failedFuture(new IOException("ill"));
                });
            }
            time.run();
            assertThat(numbers).isNotEmpty().isEqualTo(List.of(1, 2, 3).subList(0, numbers.size()));
            assertThat(settled.told).containsExactly("FAILURE after " + numbers.size());
            assertThat(log).contains("settled REJECTED not started");
        }
    }

    @Test
    void flagThatAnActionLeavesIsNotLeftToItsThread() throws Exception {
        CompletableFuture<Boolean> flag = new CompletableFuture<>();
        Executor one = task -> ThreadKind.current()
                .newThread(() -> {
                    task.run();
                    flag.complete(Thread.currentThread().isInterrupted());
                })
                .start();
        try (Pipeline pipeline = Pipeline.builder("p")
                .policies(new Dedicated())
                .time(new With(TimeSource.system(), one))
                .build()) {
            assertThat(pipeline.<String, RuntimeException>call(() -> {
                        Thread.currentThread().interrupt();
                        return "answer";
                    }))
                    .isEqualTo("answer");
            assertThat(flag.get(5, TimeUnit.MINUTES)).isFalse();
        }
    }
}
