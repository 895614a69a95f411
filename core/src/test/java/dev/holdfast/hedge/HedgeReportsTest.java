/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.hedge;

import static java.time.Duration.ofMillis;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.holdfast.Attempt;
import dev.holdfast.Call;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Deadline;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Refusal;
import dev.holdfast.Reply;
import dev.holdfast.Verdict;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.time.VirtualTime;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What callers, actions and observers are told of hedged calls. */
class HedgeReportsTest {
    private final VirtualTime time = new VirtualTime();
    private final List<String> told = Collections.synchronizedList(new ArrayList<>());
    private final CallObserver observer = new CallObserver() {
        @Override
        public void hedged(String pipeline, @Nullable String operation, int attempt) {
            told.add(operation + " hedged with attempt " + attempt);
        }

        @Override
        public void attemptSettled(
                String pipeline, @Nullable String operation, int attempt, Outcome outcome, long nanos) {
            told.add("attempt " + attempt + " " + outcome + " after " + nanos / 1_000_000);
        }

        @Override
        public void backgroundSettled(String pipeline, @Nullable String operation, Outcome outcome, long nanos) {
            told.add("background " + outcome);
        }

        @Override
        public void overrun(String pipeline, @Nullable String operation, long nanos) {
            told.add("overrun of " + nanos / 1_000_000);
        }
    };
    private final Pipeline pipeline = Pipeline.builder("p")
            .policies(HedgePolicy.of(h -> h.delay(ofMillis(20))))
            .time(time)
            .observer(observer)
            .build();
    private final Call<String> call = pipeline.<String>operation("stock").unkeyed();

    @AfterEach
    void close() {
        pipeline.close();
        time.close();
    }

    private static List<String> outcomes(List<Attempt.End> history) {
        return history.stream()
                .map(end -> end.number() + " " + end.outcome() + " "
                        + end.duration().orElseThrow().toMillis())
                .toList();
    }

    private String take(Attempt attempt, long first, long second) throws InterruptedException {
        time.sleep(ofMillis(attempt.number() == 1 ? first : second));
        return "of attempt " + attempt.number();
    }

    private CompletableFuture<String> later(Attempt attempt, long first, long second) {
        CompletableFuture<String> answer = new CompletableFuture<>();
        time.schedule(
                ofMillis(attempt.number() == 1 ? first : second).toNanos(),
                () -> answer.complete("of attempt " + attempt.number()));
        return answer;
    }

    @Test
    void aReplyHasAllAttemptsAndTheObserverToo() throws Exception {
        Reply<String> won = call.reply(attempt -> take(attempt, 500, 10));
        assertThat(won.value()).isEqualTo("of attempt 2");
        assertThat(won.attempts()).isEqualTo(2);
        assertThat(outcomes(won.history())).containsExactly("1 CANCELLED 30", "2 SUCCESS 10");
        assertThat(told)
                .containsExactlyInAnyOrder(
                        "stock hedged with attempt 2", "attempt 2 SUCCESS after 10", "attempt 1 CANCELLED after 30");
        told.clear();
        Reply<String> lost = call.reply(attempt -> take(attempt, 25, 500));
        time.run();
        assertThat(lost.value()).isEqualTo("of attempt 1");
        assertThat(outcomes(lost.history())).containsExactly("1 SUCCESS 25", "2 CANCELLED 5");
        assertThat(told)
                .containsExactlyInAnyOrder(
                        "stock hedged with attempt 2", "attempt 1 SUCCESS after 25", "attempt 2 CANCELLED after 5");
    }

    @Test
    void anAsynchronousReplyHasThemToo() {
        CompletableFuture<Reply<String>> won = call.replyAsync(attempt -> later(attempt, 500, 10));
        time.run();
        assertThat(won.join().value()).isEqualTo("of attempt 2");
        assertThat(outcomes(won.join().history())).containsExactly("1 CANCELLED 30", "2 SUCCESS 10");
        CompletableFuture<Reply<String>> lost = call.replyAsync(attempt -> later(attempt, 25, 500));
        time.run();
        assertThat(outcomes(lost.join().history())).containsExactly("1 SUCCESS 25", "2 CANCELLED 5");
    }

    @Test
    void theFirstAttemptRunsOnTheCallersThreadAndTheHedgeElsewhere() throws Exception {
        List<Thread> threads = Collections.synchronizedList(new ArrayList<>());
        call.call(attempt -> {
            threads.add(Thread.currentThread());
            return take(attempt, 500, 10);
        });
        assertThat(threads).hasSize(2).first().isSameAs(Thread.currentThread());
        assertThat(threads.get(1)).isNotSameAs(Thread.currentThread());
    }

    @Test
    void theLoserIsToldThatItIsCancelled() throws Exception {
        List<String> cancelled = Collections.synchronizedList(new ArrayList<>());
        List<CompletableFuture<String>> stages = new ArrayList<>();
        call.call(attempt -> {
            attempt.onCancel(() -> cancelled.add("blocking " + attempt.number()));
            return take(attempt, 500, 10);
        });
        call.call(attempt -> {
            attempt.onCancel(() -> cancelled.add("blocking " + attempt.number()));
            return take(attempt, 25, 500);
        });
        time.run();
        CompletableFuture<String> async = call.callAsync(attempt -> {
            CompletableFuture<String> made = later(attempt, 500, 10);
            stages.add(made);
            attempt.onCancel(() -> cancelled.add("async " + attempt.number()));
            return made;
        });
        time.run();
        assertThat(async).isCompletedWithValue("of attempt 2");
        assertThat(stages.get(0)).isCancelled();
        assertThat(cancelled).containsExactly("blocking 1", "blocking 2", "async 1");
    }

    @Test
    void aFirstAttemptThatIgnoresItsInterruptHoldsItsCallerAndIsAnOverrun() throws Exception {
        String answer = call.call(attempt -> {
            try {
                return take(attempt, 500, 10);
            } catch (InterruptedException ignored) {
                time.sleep(ofMillis(70));
                return "too late";
            }
        });
        assertThat(answer).isEqualTo("of attempt 2");
        assertThat(told).contains("overrun of 70", "attempt 1 CANCELLED after 100");
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
    }

    @Test
    void aHedgeHasTheTimeThatIsLeftAndNestedCallsHaveItToo() throws Exception {
        List<Long> left = Collections.synchronizedList(new ArrayList<>());
        try (Pipeline inner = Pipeline.builder("inner").time(time).build()) {
            Call<Boolean> nested = inner.<Boolean>operation("x").unkeyed();
            String answer = Deadline.within(
                    time,
                    ofMillis(100),
                    () -> call.call(attempt -> {
                        left.add(attempt.remaining().toMillis());
                        nested.call(further -> left.add(further.remaining().toMillis()));
                        return take(attempt, 500, 10);
                    }));
            assertThat(answer).isEqualTo("of attempt 2");
        }
        assertThat(left).containsExactly(100L, 100L, 80L, 80L);
    }

    @Test
    void aCallInsideASecondAttemptOfAnOuterPipelineIsNotHedged() throws Exception {
        try (Pipeline outer = Pipeline.builder("outer")
                .policies(RetryPolicy.of(r -> r.maxAttempts(2)))
                .time(time)
                .build()) {
            int[] tries = new int[1];
            Reply<String> inner = outer.call(() -> {
                if (++tries[0] == 1) {
                    throw new IOException("again");
                }
                return call.reply(attempt -> take(attempt, 100, 1));
            });
            assertThat(inner.attempts()).isOne();
        }
    }

    @Test
    void anInterruptOfTheCallerIsItsOwnAndEndsAll() {
        CompletableFuture<String> caller = new CompletableFuture<>();
        AtomicReference<Thread> thread = new AtomicReference<>();
        var unused = time.spawn(() -> {
            thread.set(Thread.currentThread());
            try {
                call.call(attempt -> take(attempt, 500, 500));
            } catch (InterruptedException e) {
                caller.complete("interrupted, flag " + Thread.interrupted());
            }
            return null;
        });
        time.schedule(ofMillis(30).toNanos(), () -> time.interrupt(thread.get()));
        time.run();
        assertThat(caller).isCompletedWithValue("interrupted, flag true");
        assertThat(told).contains("attempt 1 INTERRUPTED after 30", "attempt 2 CANCELLED after 10");
    }

    @Test
    void twoPoliciesThatHedgeAreTooMany() {
        HedgePolicy hedge = HedgePolicy.ofDefaults();
        assertThatThrownBy(() -> Pipeline.of("p", hedge, RetryPolicy.ofDefaults(), HedgePolicy.ofDefaults()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("pipeline 'p' has 2 policies that hedge");
    }

    @Test
    void aKeyedFunctionIsHedgedAsWell() throws Exception {
        int[] tries = new int[1];
        String answer = pipeline.<String>operation("keyed")
                .<String, Exception>decorate(key -> {
                    time.sleep(ofMillis(++tries[0] == 1 ? 500 : 10));
                    return key + " " + tries[0];
                })
                .apply("sku");
        assertThat(answer).isEqualTo("sku 2");
    }

    /** A counter that goes back looks like a restart, and is then counted once more. */
    @Test
    void aHedgeCountsAsStartedOnceItHasBegun() {
        List<Runnable> late = new ArrayList<>();
        try (Pipeline slow = Pipeline.builder("slow")
                .policies(HedgePolicy.of(h -> h.delay(ofMillis(20))))
                .time(time)
                .backgroundExecutor(late::add)
                .build()) {
            CompletableFuture<String> answer = new CompletableFuture<>();
            CompletableFuture<String> first = slow.callAsync(() -> answer);
            time.advance(ofMillis(30));
            assertThat(late).hasSize(1);
            assertThat(slow.snapshot().policies().get(0).numbers()).containsEntry("hedge.started", 0L);
            answer.complete("late");
            late.forEach(Runnable::run);
            assertThat(first).isCompletedWithValue("late");
            assertThat(slow.snapshot().policies().get(0).numbers())
                    .containsEntry("hedge.started", 0L)
                    .containsEntry("hedge.refused", 1L);
            late.clear();
            CompletableFuture<String> second = slow.callAsync(() -> new CompletableFuture<>());
            time.advance(ofMillis(30));
            late.forEach(Runnable::run);
            assertThat(slow.snapshot().policies().get(0).numbers()).containsEntry("hedge.started", 1L);
            second.cancel(true);
        }
    }

    @Test
    void aHedgeThatAnInnerPipelineRejectedHasBegunAndCostsNoToken() {
        Pipeline inner = Pipeline.builder("inner").time(time).build();
        inner.close();
        HedgePolicy hedge = HedgePolicy.of(h -> h.delay(ofMillis(20)));
        try (Pipeline outer =
                Pipeline.builder("outer").policies(hedge).time(time).build()) {
            CompletableFuture<String> first = outer.<String>operation("x")
                    .unkeyed()
                    .callAsync(attempt -> attempt.number() == 1
                            ? new CompletableFuture<>()
                            : inner.callAsync(() -> CompletableFuture.completedFuture("never")));
            double before = hedge.budget().orElseThrow().tokens();
            time.advance(ofMillis(30));
            assertThat(outer.snapshot().policies().get(0).numbers())
                    .containsEntry("hedge.started", 1L)
                    .containsEntry("hedge.refused", 0L);
            assertThat(hedge.budget().orElseThrow().tokens()).isEqualTo(before);
            first.cancel(true);
        }
    }

    @Test
    void theLastFailureHasTheHistoryOfAll() {
        try (Pipeline limited = Pipeline.builder("limited")
                .policies(HedgePolicy.of(h -> h.delay(ofMillis(20))))
                .time(time)
                .build()) {
            CompletableFuture<String> failed = limited.<String>operation("x")
                    .unkeyed()
                    .deadline(ofMillis(50))
                    .callAsync(attempt -> new CompletableFuture<>());
            time.run();
            assertThatThrownBy(failed::join)
                    .isInstanceOf(CompletionException.class)
                    .cause()
                    .isInstanceOfSatisfying(
                            dev.holdfast.CallTimeoutException.class,
                            e -> assertThat(outcomes(e.history())).containsExactly("1 TIMEOUT 50", "2 TIMEOUT 30"));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void limitFromOutsideThatEndsAHedgeHasItsNameAndNothingIsTriedAgain(boolean async) {
        for (int seed = 0; seed < 20; seed++) {
            AtomicInteger runs = new AtomicInteger();
            try (VirtualTime seeded = VirtualTime.seeded(seed);
                    Pipeline limited = Pipeline.builder("p")
                            .policies(
                                    DeadlinePolicy.of(ofMillis(100)),
                                    RetryPolicy.of(r -> r.interval(n -> 0L)),
                                    HedgePolicy.of(h -> h.delay(ofMillis(20))))
                            .time(seeded)
                            .build()) {
                CompletableFuture<String> answer = async
                        ? limited.callAsync(() -> {
                            CompletableFuture<String> stage = new CompletableFuture<>();
                            if (runs.incrementAndGet() == 1) {
                                seeded.schedule(40_000_000, () -> stage.completeExceptionally(new IOException("own")));
                            }
                            return stage;
                        })
                        : seeded.spawn(() -> limited.call(() -> {
                            boolean own = runs.incrementAndGet() == 1;
                            seeded.sleep(ofMillis(own ? 40 : 9_000));
                            throw new IOException("own");
                        }));
                seeded.run();
                assertThat(runs).hasValue(2);
                // The call waits for its hedge until the same instant, and either may be seen first.
                assertThat(catchThrowable(answer::join))
                        .as("seed " + seed)
                        .cause()
                        .isInstanceOfSatisfying(CallTimeoutException.class, timeout -> {
                            assertThat(timeout.policy()).isEqualTo("deadline");
                            assertThat(timeout.attempt()).isEqualTo(2);
                            assertThat(timeout.elapsed()).isEqualTo(ofMillis(80));
                            assertThat(timeout.history().get(1).refusal()).contains(Refusal.DEADLINE);
                        });
            }
        }
    }

    /** Whichever of the attempts is struck first, and whether the call's own one has failed before. */
    @ParameterizedTest
    @CsvSource({"false, 30", "false, 9000", "true, 30", "true, 9000"})
    void aHedgeThatALimitFromOutsideEndsIsATimeout(boolean async, int ownMillis) {
        for (int seed = 0; seed < 20; seed++) {
            try (VirtualTime seeded = VirtualTime.seeded(seed);
                    Pipeline limited = Pipeline.builder("p")
                            .policies(DeadlinePolicy.of(ofMillis(50)), HedgePolicy.of(h -> h.delay(ofMillis(20))))
                            .classifier((value, error) -> Verdict.FAILURE)
                            .time(seeded)
                            .build()) {
                Call<String> call = limited.<String>operation("x").unkeyed();
                CompletableFuture<Reply<String>> answer = async
                        ? call.replyAsync(attempt -> bad(seeded, attempt.number() == 1 ? ownMillis : 9_000))
                        : seeded.spawn(() -> call.reply(attempt -> {
                            seeded.sleep(ofMillis(attempt.number() == 1 ? ownMillis : 9_000));
                            return "bad";
                        }));
                seeded.run();
                List<Attempt.End> history = ((CallTimeoutException) Objects.requireNonNull(
                                catchThrowable(answer::join).getCause()))
                        .history();
                assertThat(outcomes(history))
                        .as("seed " + seed)
                        .containsExactly(ownMillis == 30 ? "1 FAILURE 30" : "1 TIMEOUT 50", "2 TIMEOUT 30");
            }
        }
    }

    private static CompletableFuture<String> bad(VirtualTime time, long afterMillis) {
        CompletableFuture<String> stage = new CompletableFuture<>();
        time.schedule(afterMillis * 1_000_000, () -> stage.complete("bad"));
        return stage;
    }
}
