/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Reply.Source;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

@Logs("an observer of '.*' threw; told once")
class PipelineTest {
    private final VirtualTime time = new VirtualTime();

    @AfterEach
    void close() {
        time.close();
    }

    private Pipeline pipeline(Policy... policies) {
        return Pipeline.builder("p").policies(policies).time(time).build();
    }

    @Test
    @SuppressWarnings("NullAway") // as a program would that is not checked for nulls
    void nothingInThePlaceOfANameOrAPolicyIsToldByItsPlace() {
        assertThatThrownBy(() -> Pipeline.standard(null)).hasMessage("name");
        assertThatThrownBy(() -> Pipeline.of("p", RetryPolicy.ofDefaults(), null))
                .hasMessage("policy 2 of 'p' is null");
        assertThatThrownBy(() -> Pipeline.builder("p").with(null)).hasMessage("policy");
        assertThatThrownBy(() -> Pipeline.of("p").operation(" "))
                .hasMessage("operation of 'p' is blank but must name a kind of call");
    }

    @Test
    void toStringPrintsTheOrder() {
        assertThat(pipeline(RetryPolicy.ofDefaults(), TimeoutPolicy.of(Duration.ofSeconds(1))))
                .hasToString("p: retry > timeout > call");
        assertThat(pipeline()).hasToString("p: call");
    }

    @Test
    void standardIsInTheDefaultOrder() {
        try (Pipeline standard = Pipeline.builder("s")
                .standard()
                .without("circuit-breaker")
                .without("bulkhead")
                .build()) {
            assertThat(standard).hasToString("s: deadline > retry > timeout > call");
            assertThat(standard.warnings()).isEmpty();
        }
    }

    @Test
    void aStackTraceOfTheUsersHasAtMostThreeFramesBetweenCallAndHerLambda() {
        Pipeline p = pipeline(
                DeadlinePolicy.of(Duration.ofSeconds(1)),
                RetryPolicy.ofDefaults(),
                TimeoutPolicy.of(Duration.ofMillis(9)));
        try {
            p.call(() -> {
                throw new IOException("look");
            });
        } catch (IOException e) {
            List<String> frames = Arrays.stream(e.getStackTrace())
                    .map(frame -> frame.getClassName() + "." + frame.getMethodName())
                    .toList();
            int call = frames.indexOf("dev.holdfast.Pipeline.call");
            assertThat(frames.get(0)).startsWith("dev.holdfast.PipelineTest.lambda");
            assertThat(call - 1).isBetween(1, 3);
            return;
        }
        throw new AssertionError("nothing was thrown");
    }

    @Test
    void theUsersCheckedExceptionLeavesAsItIs() {
        IOException mine = new IOException();
        assertThatThrownBy(() -> pipeline(RetryPolicy.of(r -> r.maxAttempts(1))).call(() -> {
                    throw mine;
                }))
                .isSameAs(mine);
    }

    @Test
    void wrappersAreTakenOffBeforeTheClassifierSeesTheError() {
        List<Throwable> seen = new ArrayList<>();
        IOException cause = new IOException();
        Pipeline p = Pipeline.builder("p")
                .classifier((value, error) -> {
                    seen.add(error);
                    return Verdict.FAILURE;
                })
                .time(time)
                .build();
        assertThat(p.callAsync(
                        () -> CompletableFuture.failedFuture(new CompletionException(new ExecutionException(cause)))))
                .isCompletedExceptionally();
        ExecutionException wrapper = new ExecutionException(cause);
        assertThatThrownBy(() -> p.call(() -> {
                    throw wrapper;
                }))
                .isSameAs(wrapper);
        assertThat(seen).containsExactly(cause, cause);
    }

    @Test
    void aClassifierThatThrowsIsTheCallsErrorAndTheValueIsDiscarded() {
        List<Object> discarded = new ArrayList<>();
        Operation<String> operation = pipeline()
                .operation(
                        "get",
                        o -> o.classifier((value, error) -> {
                                    throw new IllegalStateException("predicate");
                                })
                                .discard(discarded::add));
        assertThatThrownBy(() -> operation.unkeyed().call(attempt -> "value")).hasMessage("predicate");
        assertThat(discarded).containsExactly("value");
    }

    @Test
    void aClassifierThatThrowsDoesNotHideTheErrorOfTheAction() {
        IllegalStateException broken = new IllegalStateException("predicate");
        IOException own = new IOException("down");
        Operation<String> operation = pipeline()
                .operation(
                        "get",
                        o -> o.classifier((value, error) -> {
                            throw broken;
                        }));
        for (int i = 0; i < 3; i++) {
            assertThatThrownBy(() -> operation.unkeyed().call(attempt -> {
                        throw own;
                    }))
                    .isSameAs(broken);
        }
        assertThat(broken.getSuppressed())
                .as("once, also of one that is thrown again")
                .containsExactly(own);
    }

    /** What it holds already it must be able to give back. */
    @Test
    void aPolicyThatSaysNonsenseOnTheWayInIsAbandoned() {
        List<String> told = new ArrayList<>();
        List<ToIntFunction<Passage>> all = List.of(
                passage -> passage.await(nothing(), 1),
                passage -> passage.reject(nothing(), -1, "full"),
                passage -> passage.reject(Reason.OTHER, -1, PipelineTest.<Supplier<String>>nothing(), null));
        for (ToIntFunction<Passage> nonsense : all) {
            Pipeline p = pipeline(new Policy("queue", Policy.ENTER) {
                @Override
                public int enter(Passage passage) {
                    return nonsense.applyAsInt(passage);
                }

                @Override
                public void abandon(Passage passage) {
                    told.add("abandoned");
                }
            });
            assertThatThrownBy(() -> p.call(() -> "a")).isInstanceOf(NullPointerException.class);
        }
        assertThat(told).hasSize(all.size());
    }

    @SuppressWarnings({"NullAway", "TypeParameterUnusedInFormals"}) // by intent
    private static <T> T nothing() {
        return null;
    }

    @Test
    void anAsynchronousMethodReportsEveryProblemInItsFuture() {
        Pipeline p = pipeline();
        assertThat(p.callAsync(() -> {
                    throw new IllegalStateException("sync");
                }))
                .isCompletedExceptionally();
        assertThat(p.callAsync(() -> null)).isCompletedExceptionally();
    }

    @Test
    void closedPipelinesRejectNewCallsInBothDrivers() {
        Pipeline p = pipeline(RetryPolicy.ofDefaults());
        p.close();
        p.close();
        assertThatThrownBy(() -> p.call(() -> "x"))
                .isInstanceOfSatisfying(
                        CallRejectedException.class, e -> assertThat(e.reason()).isEqualTo(Reason.CLOSED))
                .hasMessage("pipeline 'p' is closed");
        assertThatThrownBy(() -> p.callAsync(() -> new CompletableFuture<>()).join())
                .hasCauseInstanceOf(CallRejectedException.class);
    }

    @Test
    void callsInFlightEndAfterClose() {
        Pipeline p = pipeline(RetryPolicy.ofDefaults());
        CompletableFuture<String> attempt = new CompletableFuture<>();
        CompletableFuture<String> call = p.callAsync(() -> attempt);
        p.close();
        attempt.complete("ok");
        assertThat(call).isCompletedWithValue("ok");
    }

    @Test
    void closeLeavesNoThread() throws Exception {
        Set<Thread> before = Thread.getAllStackTraces().keySet();
        Pipeline p = Pipeline.builder("closing")
                .policies(
                        RetryPolicy.of(r -> r.initialBackoff(Duration.ofMillis(1))),
                        TimeoutPolicy.of(Duration.ofMillis(5)))
                .build();
        assertThatThrownBy(() -> p.callAsync(CompletableFuture::new).join())
                .hasCauseInstanceOf(CallTimeoutException.class);
        p.close();
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().startsWith("holdfast-") && !before.contains(thread)) {
                thread.join(TimeUnit.MINUTES.toMillis(5));
                assertThat(thread.isAlive()).as(thread.getName()).isFalse();
            }
        }
    }

    @Test
    void everyWayToCompleteTheReturnedFutureGivesTheCallUp() {
        List<Function<CompletableFuture<String>, ?>> ways = List.of(
                f -> f.cancel(true),
                f -> f.complete("mine"),
                f -> f.completeExceptionally(new IOException()),
                f -> f.completeAsync(() -> "mine", Runnable::run));
        for (Function<CompletableFuture<String>, ?> way : ways) {
            CompletableFuture<String> attempt = new CompletableFuture<>();
            CompletableFuture<String> call = pipeline().callAsync(() -> attempt);
            assertThat(way.apply(call)).isNotNull();
            assertThat(attempt).isCancelled();
        }
    }

    @Test
    void orTimeoutOnTheReturnedFutureGivesTheCallUp() {
        CompletableFuture<String> attempt = new CompletableFuture<>();
        CompletableFuture<String> call = pipeline().callAsync(() -> attempt);
        assertThatThrownBy(() -> call.orTimeout(1, TimeUnit.MILLISECONDS).join())
                .hasCauseInstanceOf(TimeoutException.class);
        assertThatThrownBy(() -> attempt.get(5, TimeUnit.MINUTES))
                .isInstanceOf(java.util.concurrent.CancellationException.class);
    }

    @Test
    void cancellingADerivedFutureDoesNotReachTheCall() {
        CompletableFuture<String> attempt = new CompletableFuture<>();
        CompletableFuture<String> call = pipeline().callAsync(() -> attempt);
        call.thenApply(value -> value).cancel(true);
        assertThat(attempt).isNotDone();
        attempt.complete("x");
        assertThat(call).isCompletedWithValue("x");
    }

    @Test
    void aValueThatComesTooLateIsDiscarded() {
        List<Object> discarded = new ArrayList<>();
        CompletableFuture<String> stubborn = new CompletableFuture<>() {
            @Override
            public boolean cancel(boolean mayInterrupt) {
                return false;
            }
        };
        Operation<String> operation =
                pipeline(TimeoutPolicy.of(Duration.ofMillis(5))).operation("get", o -> o.discard(discarded::add));
        CompletableFuture<String> call = operation.unkeyed().callAsync(attempt -> stubborn);
        time.run();
        assertThat(call).isCompletedExceptionally();
        stubborn.complete("late");
        assertThat(discarded).containsExactly("late");
    }

    @Test
    void aChainOfAHundredThousandCompletionsOverflowsNoStack() throws Exception {
        try (Pipeline p = Pipeline.of("p", RetryPolicy.ofDefaults())) {
            CompletableFuture<String> head = new CompletableFuture<>();
            CompletableFuture<String> last = head;
            for (int i = 0; i < 100_000; i++) {
                CompletableFuture<String> previous = last;
                last = p.callAsync(() -> previous);
            }
            head.complete("through");
            assertThat(last.get(5, TimeUnit.MINUTES)).isEqualTo("through");
        }
    }

    @Test
    void anExecutorThatRefusesGivesTheCallUpAndNeverHangs() {
        Pipeline p = Pipeline.builder("p")
                .policies(RetryPolicy.ofDefaults())
                .time(time)
                .executor(task -> {
                    throw new RejectedExecutionException();
                })
                .build();
        AtomicInteger attempts = new AtomicInteger();
        CompletableFuture<String> call = p.callAsync(() -> {
            attempts.incrementAndGet();
            return CompletableFuture.failedFuture(new IOException("first"));
        });
        time.run();
        assertThatThrownBy(call::join).hasRootCauseMessage("first");
        assertThat(attempts).hasValue(1);
    }

    @Test
    void anObserverThatThrowsBreaksNothing() throws Exception {
        AtomicInteger told = new AtomicInteger();
        Pipeline p = Pipeline.builder("p")
                .policies(RetryPolicy.of(r -> r.initialBackoff(Duration.ZERO)))
                .time(time)
                .observer(new CallObserver() {
                    @Override
                    public void attemptSettled(
                            String pipeline, @Nullable String operation, int attempt, Outcome outcome, long nanos) {
                        throw new IllegalStateException("observer");
                    }

                    @Override
                    public void retryScheduled(
                            String pipeline, @Nullable String operation, int attempts, long waitNanos) {
                        throw new StackOverflowError("observer");
                    }

                    @Override
                    public void callSettled(
                            String pipeline,
                            @Nullable String operation,
                            Outcome outcome,
                            Source source,
                            int attempts,
                            long nanos) {
                        throw new IllegalStateException("observer");
                    }
                })
                .observer(new CallObserver() {
                    @Override
                    public void callSettled(
                            String pipeline,
                            @Nullable String operation,
                            Outcome outcome,
                            Source source,
                            int attempts,
                            long nanos) {
                        told.incrementAndGet();
                    }
                })
                .build();
        AtomicInteger runs = new AtomicInteger();
        assertThat(p.call(() -> {
                    if (runs.incrementAndGet() < 2) {
                        throw new IOException();
                    }
                    return "ok";
                }))
                .isEqualTo("ok");
        assertThat(told).hasValue(1);
    }

    @Test
    void snapshotAsksEveryPolicy() {
        Policy policy = new Policy("x", Policy.ENTER) {
            @Override
            public void meters(Meters meters) {
                meters.gauge("x.a", "a", () -> 1.5);
                meters.gauge("x.state", "s", "state", "open", () -> 1);
                meters.counter("x.total", "t", () -> 7);
                meters.counter("x.kinds", "k", "kind", "hit", () -> 8);
            }
        };
        assertThat(pipeline(policy).snapshot().numbers())
                .containsEntry("x.a", 1.5)
                .containsEntry("x.state{state=open}", 1.0)
                .containsEntry("x.total", 7L)
                .containsEntry("x.kinds{kind=hit}", 8L);
    }

    @Test
    void aDecisionThatIsNoneIsToldByName() {
        Policy wrong = new Policy("wrong", Policy.ENTER) {
            @Override
            public int enter(Passage passage) {
                return 77;
            }
        };
        assertThatThrownBy(() -> pipeline(wrong).call(() -> "x")).hasMessageContaining("enter of wrong");
        Policy wrongUp = new Policy("wrong", Policy.SUCCESS) {
            @Override
            public int settle(Passage passage) {
                return 77;
            }
        };
        assertThatThrownBy(() -> pipeline(wrongUp).call(() -> "x")).hasMessageContaining("settle of wrong");
    }

    @Test
    void moreThanSixtyFourLayersAreRefused() {
        Policy[] many = new Policy[65];
        Arrays.setAll(many, i -> new Policy("p" + i, Policy.ENTER) {});
        assertThatThrownBy(() -> pipeline(many)).isInstanceOf(IllegalArgumentException.class);
        Policy[] most = Arrays.copyOf(many, 64);
        assertThat(pipeline(most).call(() -> "x")).isEqualTo("x");
    }

    @Test
    void theLastOfSixtyFourLayersIsSettled() {
        AtomicInteger settled = new AtomicInteger();
        Policy[] most = new Policy[64];
        Arrays.setAll(most, i -> new Policy("p" + i, Policy.ENTER | Policy.SUCCESS) {
            @Override
            public int settle(Passage passage) {
                settled.incrementAndGet();
                return KEEP;
            }
        });
        assertThat(pipeline(most).call(() -> "x")).isEqualTo("x");
        assertThat(settled).hasValue(64);
    }

    @Test
    void anInterruptThatIsNotOursGivesTheWholeCallUp() {
        AtomicInteger runs = new AtomicInteger();
        AtomicReference<Boolean> flag = new AtomicReference<>();
        CompletableFuture<Object> call = time.spawn(() -> {
            try {
                return pipeline(RetryPolicy.ofDefaults()).call(() -> {
                    runs.incrementAndGet();
                    throw new InterruptedException("outside");
                });
            } finally {
                flag.set(Thread.interrupted());
            }
        });
        time.run();
        assertThatThrownBy(call::join).hasCauseInstanceOf(InterruptedException.class);
        assertThat(runs).hasValue(1);
        assertThat(flag).hasValue(true);
    }
}
