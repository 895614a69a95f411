/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.fallback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Call;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Deadline;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.contract.Around;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.internal.NotAnswered;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.time.VirtualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The stage of a fallback: its value is the caller's or is discarded once, and it runs under the call's deadline. */
@ThreadKind.Each
class FallbackStageTest {
    private static final Duration LIMIT = Duration.ofMillis(10);

    private final IOException down = new IOException("down");
    /** The stages that were asked for, by the number of their call. */
    private final Set<Long> started = ConcurrentHashMap.newKeySet();

    private static CompletableFuture<Object> start(Way way, VirtualTime time, Call<Object> call, IOException down) {
        return way == Way.CALL
                ? time.spawn(() -> call.call(attempt -> {
                    throw down;
                }))
                : call.callAsync(attempt -> CompletableFuture.failedFuture(down));
    }

    private static Operation<Object> operation(Pipeline pipeline, List<Object> discarded) {
        return pipeline.operation("x", o -> o.discard(discarded::add));
    }

    private static VirtualTime seeded(long seed) {
        return ThreadKind.current().on(VirtualTime.seeded(seed));
    }

    @ParameterizedTest
    @EnumSource
    void whatComesInTheInstantOfTheLimitIsTheCallersOrIsDiscardedOnce(Way way) {
        int answered = 0;
        for (int seed = 1; seed <= 40; seed++) {
            List<Object> discarded = Collections.synchronizedList(new ArrayList<>());
            try (VirtualTime time = seeded(seed)) {
                Pipeline pipeline = Pipeline.builder("p")
                        .policies(FallbackPolicy.ofAsync(error -> {
                            CompletableFuture<Object> stage = new CompletableFuture<>();
                            time.schedule(LIMIT.toNanos(), () -> stage.complete("late"));
                            return stage;
                        }))
                        .time(time)
                        .executor(time.executor())
                        .build();
                CompletableFuture<Object> end = start(
                        way, time, operation(pipeline, discarded).unkeyed().deadline(LIMIT), down);
                time.run();
                if (end.isCompletedExceptionally()) {
                    assertThatThrownBy(end::join).as("seed %s", seed).hasCause(down);
                    assertThat(discarded).as("seed %s", seed).containsExactly("late");
                } else {
                    answered++;
                    assertThat(discarded).as("seed %s", seed).isEmpty();
                }
            }
        }
        assertThat(answered).as("either may come first").isBetween(1, 39);
    }

    @ParameterizedTest
    @EnumSource
    void whatComesAfterTheLimitIsDiscardedOnce(Way way) {
        List<Object> discarded = Collections.synchronizedList(new ArrayList<>());
        try (VirtualTime time = seeded(1)) {
            CompletableFuture<Object> stage = new CompletableFuture<>();
            Pipeline pipeline = Pipeline.builder("p")
                    .policies(FallbackPolicy.ofAsync(error -> stage))
                    .time(time)
                    .build();
            CompletableFuture<Object> end =
                    start(way, time, operation(pipeline, discarded).unkeyed().deadline(LIMIT), down);
            time.run();
            assertThatThrownBy(end::join).hasCause(down);
            assertThat(discarded).isEmpty();
            stage.complete("late");
            assertThat(discarded).containsExactly("late");
        }
    }

    /** Between the claim of the limit and the thread that goes on with the call, for which the executor has to be waited. */
    @ParameterizedTest
    @EnumSource
    void whatComesBetweenTheLimitAndWhatFollowsItIsDiscardedOnce(Ending ending) {
        List<Object> discarded = new ArrayList<>();
        Deque<Runnable> held = new ArrayDeque<>();
        try (VirtualTime time = seeded(1)) {
            CompletableFuture<Object> stage = new CompletableFuture<>();
            Pipeline pipeline = Pipeline.builder("p")
                    .policies(FallbackPolicy.ofAsync(error -> stage))
                    .time(time)
                    .executor(held::add)
                    .build();
            CompletableFuture<Object> end = start(
                    Way.CALL_ASYNC,
                    time,
                    operation(pipeline, discarded).unkeyed().deadline(LIMIT),
                    down);
            time.advance(LIMIT);
            assertThat(held).hasSize(1);
            ending.of(stage);
            held.remove().run();
            assertThatThrownBy(end::join).hasCause(down);
            assertThat(discarded).isEqualTo(ending == Ending.VALUE ? List.of("late") : List.of());
        }
    }

    private enum Ending {
        VALUE,
        ERROR;

        void of(CompletableFuture<Object> stage) {
            if (this == VALUE) {
                stage.complete("late");
            } else {
                stage.completeExceptionally(new IOException("late too"));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void cancelledOrInterruptedCallDiscardsItsStagesValueOnce(Way way) {
        List<Object> discarded = Collections.synchronizedList(new ArrayList<>());
        try (VirtualTime time = seeded(1)) {
            CompletableFuture<Object> stage = new CompletableFuture<>();
            Thread[] caller = new Thread[1];
            Pipeline pipeline = Pipeline.builder("p")
                    .policies(FallbackPolicy.ofAsync(error -> {
                        caller[0] = Thread.currentThread();
                        return stage;
                    }))
                    .time(time)
                    .build();
            CompletableFuture<Object> end =
                    start(way, time, operation(pipeline, discarded).unkeyed(), down);
            time.advance(Duration.ofMillis(1));
            if (way == Way.CALL) {
                time.interrupt(caller[0]);
            } else {
                end.cancel(true);
            }
            time.advance(Duration.ofMillis(1));
            assertThat(end).isCompletedExceptionally();
            stage.complete("late");
            assertThat(discarded).containsExactly("late");
        }
    }

    /** No wait depends on how fast anything is: whichever comes first, each value has exactly one end. */
    @ParameterizedTest
    @EnumSource
    void onRealThreadsEachValueHasOneEnd(Way way) throws Exception {
        int calls = 300;
        ConcurrentMap<Object, Integer> discards = new ConcurrentHashMap<>();
        CountDownLatch discardedOrGot = new CountDownLatch(calls);
        CountDownLatch allEnded = new CountDownLatch(calls);
        ConcurrentMap<Object, Integer> got = new ConcurrentHashMap<>();
        try (Pipeline pipeline = Pipeline.of(
                "p",
                FallbackPolicy.ofAsync(error ->
                        soon(Long.parseLong(Objects.requireNonNull(error).getMessage()))))) {
            Operation<Object> operation = pipeline.operation(
                    "x",
                    o -> o.discard(value -> {
                        discards.merge(value, 1, Integer::sum);
                        discardedOrGot.countDown();
                    }));
            for (int i = 0; i < calls; i++) {
                IOException failure = new IOException(String.valueOf(i));
                Call<Object> call = operation.unkeyed().deadline(Duration.ofMillis(1));
                Supplier<Object> ended = way == Way.CALL
                        ? () -> blocking(call, failure)
                        : call.callAsync(attempt -> CompletableFuture.failedFuture(failure))::join;
                ThreadKind.current()
                        .newThread(() -> {
                            try {
                                Object value = ended.get();
                                got.merge(value, 1, Integer::sum);
                                discardedOrGot.countDown();
                            } catch (CompletionException limit) {
                                // Its stage, if there was one, is discarded.
                                if (!started.contains(Long.valueOf(failure.getMessage()))) {
                                    discardedOrGot.countDown();
                                }
                            } finally {
                                allEnded.countDown();
                            }
                        })
                        .start();
            }
            assertThat(allEnded.await(5, TimeUnit.MINUTES)).isTrue();
            assertThat(discardedOrGot.await(5, TimeUnit.MINUTES)).isTrue();
        }
        assertThat(discards.values()).allMatch(times -> times == 1);
        assertThat(got.values()).allMatch(times -> times == 1);
        assertThat(Collections.disjoint(got.keySet(), discards.keySet())).isTrue();
        assertThat(discards.size() + got.size()).isEqualTo(started.size());
    }

    private CompletableFuture<Object> soon(long number) {
        started.add(number);
        CompletableFuture<Object> stage = new CompletableFuture<>();
        CompletableFuture.delayedExecutor(900 + number, TimeUnit.MICROSECONDS)
                .execute(() -> stage.complete("value " + number));
        return stage;
    }

    private static @Nullable Object blocking(Call<Object> call, IOException failure) {
        try {
            return call.call(attempt -> {
                throw failure;
            });
        } catch (Exception e) {
            throw new CompletionException(e);
        }
    }

    // ---- its deadline

    @ParameterizedTest
    @EnumSource
    void fallbackRunsUnderTheCallsDeadlineAndLeavesItBehind(Way way) {
        for (boolean staged : new boolean[] {false, true}) {
            List<Optional<Duration>> left = Collections.synchronizedList(new ArrayList<>());
            try (VirtualTime time = seeded(1)) {
                Pipeline pipeline = Pipeline.builder("p")
                        .policies(fallback(staged, () -> left.add(Deadline.remaining())))
                        .time(time)
                        .build();
                CompletableFuture<Object> end = start(
                        way,
                        time,
                        operation(pipeline, new ArrayList<>()).unkeyed().deadline(LIMIT),
                        down);
                time.run();
                assertThat(end).isCompletedWithValue("instead");
            }
            assertThat(left).containsExactly(Optional.of(LIMIT));
            assertThat(Deadline.remaining()).isEmpty();
        }
    }

    private static Policy fallback(boolean staged, Runnable looking) {
        return staged
                ? FallbackPolicy.ofAsync(error -> {
                    looking.run();
                    return CompletableFuture.completedFuture("instead");
                })
                : FallbackPolicy.of(error -> {
                    looking.run();
                    return "instead";
                });
    }

    @ParameterizedTest
    @EnumSource
    void callInsideAFallbackHasNoMoreTimeThanTheCallAroundIt(Way way) {
        try (VirtualTime time = seeded(1)) {
            Pipeline second = Pipeline.builder("second")
                    .policies()
                    .time(time)
                    .executor(time.executor())
                    .build();
            List<CompletableFuture<Object>> seconds = new ArrayList<>();
            Pipeline pipeline = Pipeline.builder("p")
                    .policies(FallbackPolicy.ofAsync(error -> {
                        seconds.add(second.callAsync(CompletableFuture::new));
                        return seconds.get(0);
                    }))
                    .time(time)
                    .executor(time.executor())
                    .build();
            long begun = time.nanos();
            CompletableFuture<Object> end = start(
                    way, time, operation(pipeline, new ArrayList<>()).unkeyed().deadline(LIMIT), down);
            time.run();
            assertThat(end).isCompletedExceptionally();
            assertThat(seconds)
                    .singleElement()
                    .satisfies(call -> assertThat(call)
                            .failsWithin(Duration.ZERO)
                            .withThrowableOfType(ExecutionException.class)
                            .withCauseInstanceOf(CallTimeoutException.class));
            assertThat(time.nanos() - begun).isEqualTo(LIMIT.toNanos());
        }
    }

    /** A fallback is no attempt and runs once: it multiplies nothing. */
    @ParameterizedTest
    @EnumSource
    void callInsideAFallbackIsTriedAgainHoweverManyAttemptsThereWere(Way way) {
        AtomicInteger runs = new AtomicInteger();
        try (VirtualTime time = seeded(1)) {
            RetryPolicy twice = RetryPolicy.of(r -> r.maxAttempts(2).initialBackoff(Duration.ZERO));
            Pipeline second =
                    Pipeline.builder("second").policies(twice).time(time).build();
            Pipeline pipeline = Pipeline.builder("p")
                    .policies(
                            FallbackPolicy.of(error -> second.call(() -> {
                                runs.incrementAndGet();
                                throw new IllegalStateException("second");
                            })),
                            twice)
                    .time(time)
                    .build();
            CompletableFuture<Object> end =
                    start(way, time, operation(pipeline, new ArrayList<>()).unkeyed(), down);
            time.run();
            assertThatThrownBy(end::join).hasRootCauseMessage("second");
            assertThat(runs).hasValue(2);
        }
    }

    /** What it sets going on its own thread must not have to wait for it. */
    @ParameterizedTest
    @EnumSource
    void fallbackMayWaitForACallThatItLetsGoOnItself(Way way) {
        for (boolean staged : new boolean[] {false, true}) {
            try (VirtualTime time = seeded(1)) {
                Completion turn = new Completion();
                Pipeline second = Pipeline.builder("second")
                        .policies(new Policy("turn", Policy.ENTER) {
                            @Override
                            public int enter(Passage passage) {
                                return turn.isDone() ? PROCEED : passage.await(turn, Long.MAX_VALUE);
                            }
                        })
                        .time(time)
                        .executor(Runnable::run)
                        .build();
                CompletableFuture<Boolean> waiting =
                        second.callAsync(() -> CompletableFuture.completedFuture(Boolean.TRUE));
                List<Boolean> wasDone = Collections.synchronizedList(new ArrayList<>());
                Pipeline pipeline = Pipeline.builder("p")
                        .policies(fallback(staged, () -> {
                            turn.complete();
                            wasDone.add(waiting.isDone());
                        }))
                        .time(time)
                        .build();
                CompletableFuture<Object> end =
                        start(way, time, operation(pipeline, new ArrayList<>()).unkeyed(), down);
                time.run();
                assertThat(end).isCompletedWithValue("instead");
                assertThat(wasDone).containsExactly(true);
            }
        }
    }

    // ---- when the time is over

    private enum Whose {
        POLICY,
        OPERATION,
        CALL;

        Call<Object> call(VirtualTime time, List<Object> discarded, Supplier<CompletableFuture<Object>> stage) {
            Pipeline pipeline = Pipeline.builder("p")
                    .policies(
                            DeadlinePolicy.of(LIMIT),
                            this == POLICY
                                    ? FallbackPolicy.ofAsync(error -> stage.get())
                                    : FallbackPolicy.ofOperations())
                    .time(time)
                    .executor(time.executor())
                    .build();
            Operation<Object> operation = pipeline.operation("x", o -> {
                o.discard(discarded::add);
                if (this == OPERATION) {
                    o.fallbackAsync(error -> stage.get());
                }
            });
            return this == CALL ? operation.unkeyed().fallbackAsync(error -> stage.get()) : operation.unkeyed();
        }
    }

    private static CompletableFuture<Object> slow(Way way, VirtualTime time, Call<Object> call) {
        CompletableFuture<Object> end = way == Way.CALL
                ? time.spawn(() -> call.callInterruptibly(attempt -> {
                    time.sleep(Duration.ofSeconds(2));
                    return "late";
                }))
                : call.callAsync(attempt -> new CompletableFuture<>());
        time.run();
        return end;
    }

    private static Stream<Arguments> eachWayAndWhose() {
        return Arrays.stream(Way.values())
                .flatMap(way -> Arrays.stream(Whose.values()).map(whose -> Arguments.of(way, whose)));
    }

    @ParameterizedTest
    @MethodSource("eachWayAndWhose")
    void completeStageAnswersAlsoWhenTheTimeIsOver(Way way, Whose whose) {
        try (VirtualTime time = seeded(1)) {
            List<Object> discarded = new ArrayList<>();
            Call<Object> call = whose.call(time, discarded, () -> CompletableFuture.completedFuture("instead"));
            assertThat(slow(way, time, call)).isCompletedWithValue("instead");
            assertThat(discarded).isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource("eachWayAndWhose")
    void stageThatFailsWhenTheTimeIsOverIsAFallbackThatThrows(Way way, Whose whose) {
        try (VirtualTime time = seeded(1)) {
            Call<Object> failed =
                    whose.call(time, new ArrayList<>(), () -> CompletableFuture.failedFuture(new IOException("worse")));
            assertThatThrownBy(slow(way, time, failed)::join).hasRootCauseMessage("worse");
            Call<Object> threw = whose.call(time, new ArrayList<>(), () -> {
                throw new IllegalStateException("worse");
            });
            assertThatThrownBy(slow(way, time, threw)::join).hasRootCauseMessage("worse");
            Call<Object> none =
                    whose.call(time, new ArrayList<>(), () -> CompletableFuture.failedFuture(new NotAnswered()));
            assertThatThrownBy(slow(way, time, none)::join).hasCauseInstanceOf(CallTimeoutException.class);
        }
    }

    @ParameterizedTest
    @MethodSource("eachWayAndWhose")
    void stageThatIsNotCompleteWhenTheTimeIsOverIsNotWaitedFor(Way way, Whose whose) {
        try (VirtualTime time = seeded(1)) {
            CompletableFuture<Object> stage = new CompletableFuture<>();
            List<Object> discarded = Collections.synchronizedList(new ArrayList<>());
            long begun = time.nanos();
            List<Long> asked = Collections.synchronizedList(new ArrayList<>());
            CompletableFuture<Object> end = slow(way, time, whose.call(time, discarded, () -> {
                asked.add(time.nanos() - begun);
                return stage;
            }));
            assertThatThrownBy(end::join).hasCauseInstanceOf(CallTimeoutException.class);
            assertThat(asked).containsExactly(LIMIT.toNanos());
            stage.complete("late");
            assertThat(discarded).containsExactly("late");
        }
    }

    // ---- a source of time that cannot wait

    @ParameterizedTest
    @EnumSource
    void stageThatCannotBeWaitedForEndsTheCallAndItsValueIsDiscardedOnce(Way way) {
        List<Object> discarded = Collections.synchronizedList(new ArrayList<>());
        try (VirtualTime time = seeded(1)) {
            CompletableFuture<Object> stage = new CompletableFuture<>();
            boolean[] broken = {false};
            Pipeline pipeline = Pipeline.builder("p")
                    .policies(FallbackPolicy.ofAsync(error -> {
                        broken[0] = true;
                        return stage;
                    }))
                    .time(new Around(time) {
                        @Override
                        public void park(Object blocker, long nanos) {
                            if (broken[0]) {
                                throw new IllegalStateException("cannot park");
                            }
                            super.park(blocker, nanos);
                        }
                    })
                    .build();
            CompletableFuture<Object> end =
                    start(way, time, operation(pipeline, discarded).unkeyed(), down);
            time.run();
            assertThat(end.isDone()).isEqualTo(way == Way.CALL);
            stage.complete("late");
            assertThat(discarded).isEqualTo(way == Way.CALL ? List.of("late") : List.of());
        }
    }
}
