/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.context;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Attempt;
import dev.holdfast.Call;
import dev.holdfast.Classifier;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.Verdict;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.CallContext;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Passage.Fault;
import dev.holdfast.spi.Policy;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Whatever runs for a call finds what its caller had, whichever thread it is; and the thread has its own back afterwards. */
@Logs({
    "capturing the context of a call threw; told once",
    "restoring the context of a call threw; told once",
    "taking away the context of a call threw; told once"
})
@ThreadKind.Each
class CarriedContextTest {
    private static final ThreadLocal<String> TENANT = new ThreadLocal<>();

    private final VirtualTime time = ThreadKind.current().on(new VirtualTime());
    private final AtomicInteger captures = new AtomicInteger();
    /** What was run, and what it found: {@code attempt 1 for shop}. */
    private final List<String> log = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void close() {
        TENANT.remove();
        time.close();
    }

    private CallContext.Snapshot capture() {
        captures.incrementAndGet();
        String captured = TENANT.get();
        return () -> {
            String before = TENANT.get();
            TENANT.set(captured);
            return () -> TENANT.set(before);
        };
    }

    private void note(String what) {
        log.add(what + " for " + TENANT.get());
    }

    private CallObserver observer() {
        return (CallObserver) Proxy.newProxyInstance(
                CallObserver.class.getClassLoader(),
                new Class<?>[] {CallObserver.class},
                (proxy, method, arguments) -> {
                    if (method.getName().equals("forPipeline")) {
                        return proxy;
                    }
                    if (method.getName().equals("hearsCalls")) {
                        return true;
                    }
                    if (!List.of("tracer", "opened", "closed").contains(method.getName())) {
                        note(method.getName());
                    }
                    return null;
                });
    }

    private Classifier classifier() {
        return (value, error) -> {
            note("classifier");
            return error != null || "busy".equals(value) ? Verdict.FAILURE : Verdict.SUCCESS;
        };
    }

    private Pipeline.Builder builder(Policy... layers) {
        return Pipeline.builder("p")
                .policies(layers)
                .time(time)
                .classifier(classifier())
                .observer(observer());
    }

    private Pipeline pipeline(Policy... layers) {
        return builder(layers).context(this::capture).build();
    }

    private Call<String> call(Pipeline pipeline) {
        return operation(pipeline).unkeyed();
    }

    private Operation<String> operation(Pipeline pipeline) {
        return pipeline.operation("x", o -> o.discard(lost -> note("discard " + lost)));
    }

    private static RetryPolicy retry(int attempts) {
        return RetryPolicy.of(r ->
                r.maxAttempts(attempts).initialBackoff(Duration.ofMillis(10)).jitter(Jitter.NONE));
    }

    private CompletableFuture<String> after(long millis, String value) {
        CompletableFuture<String> stage = new Late();
        time.schedule(Duration.ofMillis(millis).toNanos(), () -> stage.complete(value));
        return stage;
    }

    /** Goes on after it was cancelled. */
    private static final class Late extends CompletableFuture<String> {
        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            return false;
        }
    }

    private void runAndFindNothingLeft() {
        TENANT.set("stranger");
        time.run();
        assertThat(TENANT.get()).isEqualTo("stranger");
        time.schedule(0, () -> assertThat(TENANT.get()).isNull());
        time.run();
    }

    /** The first attempt is busy, the second one times out and goes on, and its late value is nobody's. */
    private CompletionStage<String> act(Attempt attempt) {
        note("attempt " + attempt.number());
        attempt.onCancel(() -> note("onCancel"));
        return attempt.number() == 1 ? after(5, "busy") : after(100, "late");
    }

    @Test
    void allOfAnAsynchronousCallRunsWithWhatItsCallerHad() {
        Pipeline p = pipeline(
                FallbackPolicy.ofAsync(error -> {
                    note("fallback");
                    return after(7, "instead");
                }),
                retry(2),
                TimeoutPolicy.of(Duration.ofMillis(20)));
        TENANT.set("shop");
        CompletableFuture<String> answer = call(p).callAsync(this::act).thenApply(value -> {
            note("continuation");
            return value;
        });
        runAndFindNothingLeft();
        assertThat(answer).isCompletedWithValue("instead");
        assertThat(log)
                .containsExactly(
                        "attempt 1 for shop",
                        "classifier for shop",
                        "attemptSettled for shop",
                        "retryScheduled for shop",
                        "discard busy for shop",
                        "attempt 2 for shop",
                        "attemptSettled for shop",
                        "retryRefused for shop",
                        "fallback for shop",
                        "onCancel for shop",
                        "callSettled for shop",
                        "continuation for shop",
                        "discard late for shop",
                        "overrun for shop");
        assertThat(captures).as("captured once a call").hasValue(1);
    }

    @Test
    void twoCallersOfOneCompletionAreNotMixedUp() {
        Pipeline p = pipeline();
        CompletableFuture<String> common = after(5, "v");
        List<CompletableFuture<Void>> ends = new ArrayList<>();
        for (String tenant : List.of("one", "two")) {
            TENANT.set(tenant);
            ends.add(p.callAsync(() -> common).thenAccept(v -> note("continuation")));
        }
        runAndFindNothingLeft();
        assertThat(ends).allMatch(CompletableFuture::isDone);
        assertThat(log).contains("continuation for one", "continuation for two");
    }

    @Test
    void nothingIsLeftBehindByAnActionThatThrowsOnAnotherThread() {
        Pipeline p = pipeline(retry(3));
        TENANT.set("shop");
        CompletableFuture<String> answer = call(p).callAsync(attempt -> {
            note("attempt " + attempt.number());
            throw new AssertionError("at once");
        });
        runAndFindNothingLeft();
        assertThat(answer).isCompletedExceptionally();
        assertThat(log).contains("attempt 3 for shop");
    }

    @Test
    void threadThatCompletesItGetsItsOwnBack() {
        Pipeline p = pipeline();
        CompletableFuture<String> stage = new CompletableFuture<>();
        TENANT.set("shop");
        CompletableFuture<Void> end = p.callAsync(() -> stage).thenAccept(v -> note("continuation"));
        TENANT.set("stranger");
        stage.complete("v");
        note("completer");
        assertThat(end).isCompleted();
        assertThat(log).endsWith("continuation for shop", "completer for stranger");
    }

    @Test
    void whoeverCompletesTheReturnedFutureItsContinuationsHaveWhatTheCallerHad() {
        Pipeline p = pipeline();
        TENANT.set("shop");
        List<CompletableFuture<String>> futures = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            CompletableFuture<String> future = p.callAsync(CompletableFuture<String>::new);
            var unused = future.whenComplete((value, error) -> note("continuation"));
            futures.add(future);
        }
        TENANT.set("stranger");
        futures.get(0).complete("x");
        futures.get(1).completeExceptionally(new IOException("x"));
        futures.get(2).cancel(true);
        assertThat(log)
                .filteredOn(line -> line.startsWith("continuation"))
                .hasSize(3)
                .allMatch("continuation for shop"::equals);
        assertThat(TENANT.get()).isEqualTo("stranger");
    }

    @Test
    void blockingCallThatStaysOnItsThreadIsNeverAskedForIt() throws Exception {
        Pipeline p = pipeline(FallbackPolicy.value("instead"), retry(3), TimeoutPolicy.of(Duration.ofMillis(20)));
        TENANT.set("shop");
        assertThat(call(p).call(attempt -> {
                    note("attempt " + attempt.number());
                    time.sleep(Duration.ofMillis(attempt.number() * 10L));
                    throw new IOException("ill");
                }))
                .isEqualTo("instead");
        assertThat(log).hasSizeGreaterThan(6).allMatch(line -> line.endsWith(" for shop"));
        assertThat(captures).hasValue(0);
    }

    @Test
    void asynchronousCallThatNeverWaitsIsNotAskedForIt() {
        Policy cache = new Policy("cache", Policy.ENTER) {
            @Override
            public int enter(Passage passage) {
                return passage.answer("known", dev.holdfast.Reply.Source.FRESH, 0);
            }
        };
        assertThat(pipeline(cache).callAsync(CompletableFuture<String>::new)).isCompletedWithValue("known");
        assertThat(captures).hasValue(0);
    }

    @Test
    void hookOfABlockingAttemptHasWhatTheActionHad() {
        Pipeline p = pipeline(TimeoutPolicy.of(Duration.ofMillis(20)));
        CompletableFuture<String> answer = time.spawn(() -> {
            TENANT.set("shop");
            try {
                return call(p).call(attempt -> {
                    attempt.onCancel(() -> note("onCancel"));
                    time.sleep(Duration.ofMillis(50));
                    return "late";
                });
            } finally {
                TENANT.remove();
            }
        });
        runAndFindNothingLeft();
        assertThat(answer).isCompletedExceptionally();
        assertThat(log).contains("onCancel for shop");
    }

    @Test
    void lateStageOfABlockingCallsFallbackIsDiscardedForItsCaller() {
        Pipeline p = pipeline(FallbackPolicy.ofAsync(error -> after(50, "late")));
        CompletableFuture<String> answer = time.spawn(() -> {
            TENANT.set("shop");
            time.schedule(1_000, interrupter(Thread.currentThread()));
            try {
                return call(p).call(attempt -> {
                    throw new IOException("ill");
                });
            } finally {
                TENANT.remove();
            }
        });
        runAndFindNothingLeft();
        assertThat(answer).isCompletedExceptionally();
        assertThat(log).endsWith("discard late for shop");
    }

    private Runnable interrupter(Thread thread) {
        return () -> time.interrupt(thread);
    }

    private static final class Dedicated extends Policy {
        Dedicated() {
            super("dedicated", ENTER | ENDED);
        }

        @Override
        public int dedicatedThreads() {
            return 4;
        }

        @Override
        public long lease() {
            return Duration.ofMillis(30).toNanos();
        }
    }

    @Test
    void blockingAttemptOnAThreadOfItsOwnHasIt() {
        Pipeline p = pipeline(retry(2), new Dedicated(), TimeoutPolicy.of(Duration.ofMillis(20)));
        CompletableFuture<String> answer = time.spawn(() -> {
            TENANT.set("shop");
            try {
                return call(p).call(attempt -> stubborn(attempt.number()));
            } finally {
                TENANT.remove();
            }
        });
        runAndFindNothingLeft();
        assertThat(answer).isCompletedExceptionally();
        assertThat(log)
                .contains(
                        "attempt 1 for shop",
                        "attempt 2 for shop",
                        "discard late 1 for shop",
                        "discard late 2 for shop")
                .contains("overrun for shop", "writtenOff for shop")
                .allMatch(line -> line.endsWith(" for shop"));
        assertThat(captures).hasValue(1);
    }

    private String stubborn(int number) {
        note("attempt " + number);
        for (long until = time.nanos() + 100_000_000; time.nanos() - until < 0; ) {
            try {
                time.sleep(Duration.ofNanos(until - time.nanos()));
            } catch (InterruptedException goesOn) {
                note("interrupted");
            }
        }
        return "late " + number;
    }

    @Test
    void asynchronousAttemptOnAThreadOfItsOwnHasIt() {
        Pipeline p = pipeline(new Dedicated());
        TENANT.set("shop");
        CompletableFuture<String> answer = call(p).callAsync(attempt -> {
            note("attempt " + attempt.number());
            return after(5, "v");
        });
        runAndFindNothingLeft();
        assertThat(answer).isCompletedWithValue("v");
        assertThat(log).contains("attempt 1 for shop", "callSettled for shop");
    }

    /** Answers at once and calls in the background. */
    private static final class Refreshing extends Policy {
        Refreshing() {
            super("refreshing", ENTER);
        }

        @Override
        public int enter(Passage passage) {
            passage.beside().fork("refresh", Long.MAX_VALUE);
            return passage.answer("old", dev.holdfast.Reply.Source.STALE_REVALIDATING, 1);
        }
    }

    @Test
    void backgroundWorkHasWhatTheCallerHadThatAskedForIt() throws Exception {
        Pipeline p = pipeline(new Refreshing(), retry(2));
        TENANT.set("shop");
        assertThat(operation(p)
                        .decorate((String key) -> {
                            note("refresh of " + key);
                            throw new IOException("ill");
                        })
                        .apply("blocking"))
                .isEqualTo("old");
        assertThat(operation(p)
                        .decorateAsync((String key) -> {
                            note("refresh of " + key);
                            return after(5, "busy");
                        })
                        .apply("async"))
                .isCompletedWithValue("old");
        runAndFindNothingLeft();
        assertThat(log)
                .contains("refresh of blocking for shop", "refresh of async for shop", "backgroundSettled for shop")
                .allMatch(line -> line.endsWith(" for shop"));
        assertThat(log).filteredOn("backgroundSettled for shop"::equals).hasSize(2);
        assertThat(captures).hasValue(2);
    }

    @Test
    void contextThatThrowsBreaksNoCallAndHindersNoOther() {
        CallContext capturing = () -> {
            throw new IllegalStateException("capture");
        };
        CallContext restoring = () -> () -> {
            throw new IllegalStateException("restore");
        };
        CallContext closing = () -> () -> () -> {
            throw new IllegalStateException("close");
        };
        Pipeline p = builder(retry(3))
                .context(capturing, restoring, closing, this::capture, () -> null)
                .build();
        TENANT.set("shop");
        CompletableFuture<String> answer = p.callAsync(() -> after(5, "busy"));
        runAndFindNothingLeft();
        assertThat(answer).isCompletedWithValue("busy");
        assertThat(log).contains("callSettled for shop").allMatch(line -> line.endsWith(" for shop"));
    }

    @Test
    void pipelineThatIsToldToCarryNothingCarriesNothing() {
        Pipeline p = builder(retry(2)).context().build();
        TENANT.set("shop");
        CompletableFuture<String> answer = p.callAsync(() -> after(5, "busy"));
        runAndFindNothingLeft();
        assertThat(answer).isCompletedWithValue("busy");
        assertThat(log).contains("callSettled for null");
        assertThatThrownBy(() -> builder().context((CallContext) null)).isInstanceOf(NullPointerException.class);
    }

    @Test
    void hedgeOfABlockingCallRunsWithWhatItsCallerHad() {
        Pipeline p = pipeline(HedgePolicy.of(h -> h.delay(Duration.ofMillis(50))));
        CompletableFuture<String> answer = time.spawn(() -> {
            TENANT.set("shop");
            String value = call(p).call(attempt -> {
                note("attempt " + attempt.number());
                time.sleep(Duration.ofMillis(attempt.number() == 1 ? 200 : 5));
                return "from " + attempt.number();
            });
            TENANT.remove();
            return value;
        });
        time.run();
        assertThat(answer).isCompletedWithValue("from 2");
        assertThat(captures).hasValue(1);
        assertThat(log)
                .contains("attempt 1 for shop", "hedged for shop", "attempt 2 for shop")
                .allMatch(line -> line.endsWith("for shop"));
        time.schedule(0, () -> assertThat(TENANT.get()).isNull());
        time.run();
    }

    @Test
    void hedgeOfAnAsynchronousCallRunsWithWhatItsCallerHad() {
        Pipeline p = pipeline(HedgePolicy.of(h -> h.delay(Duration.ofMillis(50))));
        TENANT.set("shop");
        CompletableFuture<String> answer = call(p).callAsync(attempt -> {
            note("attempt " + attempt.number());
            return after(attempt.number() == 1 ? 200 : 5, "from " + attempt.number());
        });
        runAndFindNothingLeft();
        assertThat(answer).isCompletedWithValue("from 2");
        assertThat(captures).hasValue(1);
        assertThat(log)
                .contains("attempt 1 for shop", "hedged for shop", "attempt 2 for shop")
                .allMatch(line -> line.endsWith("for shop"));
    }

    @Test
    void whatIsPlayedInPlaceOfTheActionAfterADelayHasWhatTheCallerHad() {
        Pipeline p = pipeline(new Policy("slow", Policy.ENTER) {
            @Override
            public int enter(Passage passage) {
                passage.inject(new Fault(5_000_000, () -> "played for " + TENANT.get()));
                return PROCEED;
            }
        });
        TENANT.set("shop");
        CompletableFuture<String> answer = call(p).callAsync(attempt -> after(1, "never"));
        runAndFindNothingLeft();
        assertThat(answer).isCompletedWithValue("played for shop");
    }
}
