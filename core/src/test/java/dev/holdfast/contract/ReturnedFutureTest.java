/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import static dev.holdfast.contract.Lab.millis;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Outcome;
import dev.holdfast.Reply.Source;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testing.ThreadKind;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The future of an asynchronous call: whatever completes it from outside gives up the call, and what it holds comes back. */
@ThreadKind.Each
class ReturnedFutureTest {

    static Stream<Arguments> endings() {
        return Stream.of(
                ending("cancel", future -> future.cancel(false)),
                ending("complete", future -> future.complete("outside")),
                ending("completeExceptionally", future -> future.completeExceptionally(new IOException("outside"))),
                ending("obtrudeValue", future -> future.obtrudeValue("outside")),
                ending("obtrudeException", future -> future.obtrudeException(new IOException("outside"))),
                ending("completeAsync", future -> future.completeAsync(() -> "outside", Runnable::run)));
    }

    private static Arguments ending(String name, Consumer<CompletableFuture<Object>> ending) {
        return Arguments.of(name, ending);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("endings")
    void endingItFromOutsideGivesUpTheAttempt(String name, Consumer<CompletableFuture<Object>> ending) {
        try (Lab lab = new Lab()) {
            lab.layers(RetryPolicy.of(r -> r.maxAttempts(3)), lab.probe("bulkhead"));
            CompletableFuture<Object> work = new CompletableFuture<>();
            CompletableFuture<Object> future = lab.operation().unkeyed().callAsync(attempt -> work);
            ending.accept(future);
            lab.time.run();
            assertThat(work).isCancelled();
            assertThat(lab.log).containsExactly("bulkhead enter", "bulkhead settle CANCELLED", "bulkhead ended");
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("endings")
    void endingItFromOutsideGivesUpAWait(String name, Consumer<CompletableFuture<Object>> ending) {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("outer"), lab.probe("queue").entering(passage -> Decision.pause(10)));
            Script script = lab.script(Step.value("never"));
            CompletableFuture<Object> future = lab.operation().unkeyed().callAsync(script::actAsync);
            lab.time.advance(millis(5));
            ending.accept(future);
            lab.time.run();
            assertThat(script.started()).isZero();
            assertThat(lab.log)
                    .containsExactly(
                            "outer enter",
                            "queue enter",
                            "queue abandon",
                            "outer settle CANCELLED not started",
                            "outer ended");
        }
    }

    @Test
    void orTimeoutGivesUpTheCall() throws InterruptedException {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("bulkhead"));
            CompletableFuture<Object> work = new CompletableFuture<>();
            CompletableFuture<Object> future = lab.operation().unkeyed().callAsync(attempt -> work);
            future.orTimeout(1, TimeUnit.MILLISECONDS);
            assertThat(work).failsWithin(Duration.ofMinutes(5));
            assertThat(work).isCancelled();
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("endings")
    void stagesThatDependOnItFindTheCallGivenUp(String name, Consumer<CompletableFuture<Object>> ending) {
        try (Lab lab = new Lab()) {
            lab.building(builder -> builder.observer(new CallObserver() {
                        @Override
                        public void callSettled(
                                String pipeline,
                                @Nullable String operation,
                                Outcome outcome,
                                Source source,
                                int attempts,
                                long nanos) {
                            lab.log.add("settled " + outcome);
                        }
                    }))
                    .layers(lab.probe("bulkhead"));
            CompletableFuture<Object> work = new CompletableFuture<>();
            CompletableFuture<Object> future = lab.operation().unkeyed().callAsync(attempt -> work);
            var unused =
                    future.whenComplete((value, error) -> lab.log.add("stage, work cancelled " + work.isCancelled()));
            ending.accept(future);
            lab.time.run();
            assertThat(lab.log)
                    .containsExactly(
                            "bulkhead enter",
                            "bulkhead settle CANCELLED",
                            "bulkhead ended",
                            "settled CANCELLED",
                            "stage, work cancelled true");
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("endings")
    void stagesThatDependOnItFindWhatAHedgeHeldGivenBack(String name, Consumer<CompletableFuture<Object>> ending) {
        hedged(ending);
    }

    @Test
    void stagesOfAnAnsweredCallFindWhatAHedgeHeldGivenBack() {
        hedged(null);
    }

    private static void hedged(@Nullable Consumer<CompletableFuture<Object>> ending) {
        try (Lab lab = new Lab()) {
            lab.layers(HedgePolicy.of(h -> h.delay(Duration.ofMillis(5)).budgetEnabled(false)), lab.probe("bulkhead"));
            List<CompletableFuture<Object>> work = new CopyOnWriteArrayList<>();
            CompletableFuture<Object> future = lab.operation().unkeyed().callAsync(attempt -> {
                CompletableFuture<Object> one = new CompletableFuture<>();
                work.add(one);
                return one;
            });
            lab.time.advance(Duration.ofMillis(6));
            assertThat(work).hasSize(2);
            var unused = future.whenComplete((value, error) -> lab.log.add("stage"));
            if (ending == null) {
                work.get(0).complete("answer");
            } else {
                ending.accept(future);
            }
            lab.time.run();
            assertThat(lab.log).filteredOn(line -> line.endsWith("ended")).hasSize(2);
            assertThat(lab.log).last().isEqualTo("stage");
        }
    }

    @Test
    void stagesThatDependOnItFindTheCallGivenUpByOrTimeout() {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("bulkhead"));
            CompletableFuture<Object> work = new CompletableFuture<>();
            CompletableFuture<Object> future = lab.operation().unkeyed().callAsync(attempt -> work);
            CompletableFuture<Object> seen = future.handle((value, error) -> error + ", " + work.isCancelled());
            future.orTimeout(1, TimeUnit.MILLISECONDS);
            assertThat(seen)
                    .succeedsWithin(Duration.ofMinutes(5))
                    .isEqualTo("java.util.concurrent.TimeoutException, true");
        }
    }

    @Test
    void endThatComesOfGivingTheCallUpDoesNotCompleteIt() {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("cache").settling(passage -> {
                lab.log.add("answers");
                return Decision.answer("old");
            }));
            CompletableFuture<Object> future =
                    lab.operation().unkeyed().callAsync(attempt -> new CompletableFuture<>());
            assertThat(future.complete("outside")).isTrue();
            lab.time.run();
            assertThat(future).isCompletedWithValue("outside");
            assertThat(lab.log).contains("answers");
        }
    }

    /** Such as when the work's future and the call's are tied to each other. */
    @Test
    void hookOfWorkThatIsGivenUpCannotCompleteItBeforeWhoGaveItUp() {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("bulkhead"));
            List<Boolean> completed = new ArrayList<>();
            CompletableFuture<Object> work = new CompletableFuture<>();
            CompletableFuture<Object> future = lab.operation().unkeyed().callAsync(attempt -> work);
            var unused = work.whenComplete((value, error) -> {
                completed.add(future.completeExceptionally(error));
                completed.add(future.cancel(true));
            });
            assertThat(future.complete("outside")).isTrue();
            assertThat(future).isCompletedWithValue("outside");
            assertThat(completed).containsExactly(false, false);
        }
    }

    @Test
    void endsAtTheSameMomentLeaveOneValueAndTellWhoseItIs() throws Exception {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("bulkhead"));
            for (int round = 0; round < 500; round++) {
                List<Object> discarded = new CopyOnWriteArrayList<>();
                CompletableFuture<Object> work = new CompletableFuture<>();
                CompletableFuture<Object> future =
                        lab.operation().unkeyed().discard(discarded::add).callAsync(attempt -> work);
                AtomicInteger stages = new AtomicInteger();
                var unused = future.whenComplete((value, error) -> stages.incrementAndGet());
                CyclicBarrier start = new CyclicBarrier(3);
                FutureTask<Boolean> one = started(start, () -> future.complete("one"));
                FutureTask<Boolean> two = started(start, () -> future.complete("two"));
                start.await();
                work.complete("own");
                String won = one.get() ? "one" : two.get() ? "two" : "own";
                assertThat(one.get() && two.get()).isFalse();
                assertThat(future).isCompletedWithValue(won);
                assertThat(stages).hasValue(1);
                // A future that is cancelled before its value comes has none to lose.
                assertThat(discarded).hasSize(won.equals("own") || work.isCancelled() ? 0 : 1);
            }
            assertThat(lab.log)
                    .filteredOn(line -> line.equals("bulkhead ended"))
                    .hasSize(500);
        }
    }

    private static FutureTask<Boolean> started(CyclicBarrier start, Callable<Boolean> completing) {
        FutureTask<Boolean> task = new FutureTask<>(() -> {
            start.await();
            return completing.call();
        });
        new Thread(task, "completes").start();
        return task;
    }

    @Test
    void cancellingADerivedFutureDoesNotReachTheCall() {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("bulkhead"));
            CompletableFuture<Object> work = new CompletableFuture<>();
            CompletableFuture<Object> future = lab.operation().unkeyed().callAsync(attempt -> work);
            assertThat(future.thenApply(value -> value).cancel(true)).isTrue();
            lab.time.run();
            assertThat(work).isNotDone();
            work.complete("done");
            assertThat(future).isCompletedWithValue("done");
        }
    }

    @Test
    void givingUpAfterTheEndChangesNothing() {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("bulkhead"));
            CompletableFuture<Object> future =
                    lab.operation().unkeyed().callAsync(attempt -> CompletableFuture.completedFuture("done"));
            assertThat(future.cancel(true)).isFalse();
            lab.time.run();
            assertThat(future).isCompletedWithValue("done");
            assertThat(lab.log).containsExactly("bulkhead enter", "bulkhead settle SUCCESS", "bulkhead ended");
        }
    }

    @Test
    void errorsAreUnwrappedOnceAndForAll() {
        try (Lab lab = new Lab()) {
            List<Throwable> judged = new ArrayList<>();
            IOException own = new IOException("own");
            lab.building(builder -> builder.classifier((value, error) -> {
                judged.add(error);
                return dev.holdfast.Verdict.FAILURE;
            }));
            List<Throwable> seen = new ArrayList<>();
            lab.layers(lab.probe("layer").settling(passage -> {
                seen.add(passage.error());
                return Decision.GO_ON;
            }));
            CompletableFuture<Object> future = lab.operation()
                    .unkeyed()
                    .callAsync(attempt -> CompletableFuture.failedFuture(
                            new CompletionException(new ExecutionException(new CompletionException(own)))));
            lab.time.run();
            assertThat(judged).containsExactly(own);
            assertThat(seen).containsExactly(own);
            assertThat(future).isCompletedExceptionally();
            assertThat(future.handle((value, error) -> error).join()).isSameAs(own);
        }
    }

    @Test
    void everyProblemIsReportedInTheFuture() {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("layer"));
            CompletableFuture<Object> thrown = lab.operation().unkeyed().callAsync(attempt -> {
                throw new AssertionError("at once");
            });
            CompletableFuture<Object> none = lab.operation().unkeyed().callAsync(attempt -> null);
            lab.time.run();
            assertThat(thrown.handle((value, error) -> error).join()).hasMessage("at once");
            assertThat(none.handle((value, error) -> error).join()).isInstanceOf(NullPointerException.class);
            assertThat(lab.log).filteredOn(line -> line.contains("ended")).hasSize(2);
        }
    }

    @Test
    void cancelledAttemptIsNeverRetried() {
        try (Lab lab = new Lab()) {
            Probe retrying = lab.probe("retrying")
                    .settling(passage -> passage.outcome() == Outcome.CANCELLED ? Decision.retry(0) : Decision.GO_ON);
            lab.layers(retrying);
            Lab.Running running =
                    lab.giveUpAfter(5, Way.CALL_ASYNC, Step.value("never").after(10));
            assertThat(running.script.started()).isOne();
            lab.assertLivesOver();
        }
    }
}
