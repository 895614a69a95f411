/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.guarantee;

import static dev.holdfast.contract.Lab.millis;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Outcome;
import dev.holdfast.Reply.Source;
import dev.holdfast.Verdict;
import dev.holdfast.contract.Around;
import dev.holdfast.contract.Decision;
import dev.holdfast.contract.Lab;
import dev.holdfast.contract.Step;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.timeout.TimeoutPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a layer finds in its end if that comes after the outcome, and what is left when it has come. */
@ThreadKind.Each
class LateEndTest {
    private static final Step LATE = Step.value("late").after(20).stubbornly();

    /** What the layer reads at the end of work that goes on for 15 ms after its limit. */
    private static List<Object> readAtTheLateEnd(Way way, Decision settled, Function<Passage, Object> reading) {
        try (Lab lab = new Lab()) {
            List<Object> read = Collections.synchronizedList(new ArrayList<>());
            lab.layers(
                    lab.probe("bulkhead").ending(p -> read.add(reading.apply(p))),
                    lab.probe("cache").settling(p -> settled),
                    TimeoutPolicy.of(millis(5)));
            lab.run(way, LATE);
            lab.assertLivesOver();
            return read;
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void lateEndKnowsThatAnAttemptWasStarted(Way way) {
        assertThat(readAtTheLateEnd(way, Decision.GO_ON, Passage::started)).containsExactly(true);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void lateEndKnowsHowManyAttemptsThereWereAndHowTheyEnded(Way way) {
        assertThat(readAtTheLateEnd(
                        way,
                        Decision.GO_ON,
                        p -> p.attempts() + " " + p.outcome() + " " + p.cutShort() + " " + p.key()))
                .containsExactly("1 TIMEOUT false null");
    }

    /** A blocking action has held its caller for all of it. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void lateEndKnowsHowLongTheAttemptRanAndWhatEndedIt(Way way) {
        assertThat(readAtTheLateEnd(
                        way,
                        Decision.GO_ON,
                        p -> p.actionNanos() + " " + p.valueNanos() + " " + p.limitedBy() + " " + p.error()))
                .singleElement()
                .asString()
                .startsWith(way == Way.CALL ? "20000000 20000000 call " : "5000000 5000000 call ")
                .contains("CallTimeoutException");
    }

    /** The timer strikes at once, and says that there is none. */
    @Test
    @Logs("no timer for a lease")
    void leaseThatIsOverForAnAttemptThatDoesNotBeginEndsItsLayerOnce() {
        try (Lab lab = new Lab()) {
            TimeSource hasty = new Around(lab.time) {
                @Override
                public Timer schedule(long delayNanos, Runnable task) {
                    task.run();
                    throw new RejectedExecutionException("no timers");
                }
            };
            lab.building(builder -> builder.time(hasty))
                    .layers(lab.probe("bulkhead").lease(Duration.ofHours(1)), TimeoutPolicy.of(millis(5)));
            Lab.Running running = lab.run(Way.CALL, Step.value("never"));
            assertThat(running.isDone()).isTrue();
            assertThat(running.script.started()).isZero();
            assertThat(lab.log.stream().filter(line -> line.startsWith("bulkhead ended")))
                    .hasSize(1);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void lateEndKnowsWhereTheAnswerCameFrom(Way way) {
        Decision stale = new Decision(
                Decision.Kind.TURN,
                p -> p.answer(
                        "stale", Source.STALE_ON_ERROR, Duration.ofHours(1).toNanos()));
        assertThat(readAtTheLateEnd(way, stale, p -> p.outcome() + " " + p.source()))
                .containsExactly("SUCCESS STALE_ON_ERROR");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void lateEndKnowsWhoseLimitItWas(Way way) {
        for (long deadline : new long[] {5, 2_000}) {
            try (Lab lab = new Lab()) {
                List<String> read = Collections.synchronizedList(new ArrayList<>());
                lab.layers(lab.probe("bulkhead").ending(p -> read.add(p.cutShort() + " " + p.personal())));
                Step late = Step.value("late").after(deadline + 20).stubbornly();
                lab.run(way, call -> call.deadline(millis(deadline)), late);
                // What had two seconds was not cut short.
                assertThat(read).containsExactly((deadline == 5) + " true");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void lateEndKnowsWhenItIsWorthTryingAgain(Way way) {
        try (Lab lab = new Lab()) {
            lab.building(builder -> builder.classifier((value, error) -> "busy".equals(value)
                    ? Verdict.pushback(millis(70))
                    : error == null ? Verdict.SUCCESS : Verdict.FAILURE));
            List<String> read = Collections.synchronizedList(new ArrayList<>());
            lab.layers(
                    lab.probe("bulkhead").ending(p -> read.add(p.outcome() + " " + p.retryAfter())),
                    lab.probe("again")
                            .settling(p -> p.outcome() == Outcome.TIMEOUT ? Decision.retry(0) : Decision.GO_ON),
                    TimeoutPolicy.of(millis(5)));
            lab.run(way, LATE, Step.value("busy"));
            assertThat(read).containsExactly("PUSHBACK 70000000");
        }
    }

    /** An asynchronous one: a blocking action has always ended by the time its layers are left. */
    @Test
    void lateEndIsAtTheInstantAtWhichTheWorkEnds() {
        try (Lab lab = new Lab()) {
            long start = lab.time.nanos();
            List<Long> ends = new ArrayList<>();
            lab.layers(lab.probe("bulkhead").ending(p -> ends.add(p.now() - start)), TimeoutPolicy.of(millis(5)));
            lab.run(Way.CALL_ASYNC, LATE);
            assertThat(ends).containsExactly(millis(20).toNanos());
        }
    }

    /** Such as that there is no thread for it. */
    @Test
    @Logs("no timer for a lease")
    void workEndsItsLayerWhateverHasKeptTheLeaseFromItsTimer() {
        try (Lab lab = new Lab()) {
            lab.building(builder -> builder.time(new OutOfTimers(lab.time)));
            lab.layers(lab.probe("bulkhead").lease(Duration.ofHours(1)));
            lab.giveUpAfter(5, Way.CALL_ASYNC, LATE);
            assertThat(lab.log).containsOnlyOnce("bulkhead ended");
        }
    }

    private record OutOfTimers(TimeSource time) implements TimeSource {
        @Override
        public long nanos() {
            return time.nanos();
        }

        @Override
        public long millis() {
            return time.millis();
        }

        @Override
        public Timer schedule(long delayNanos, Runnable task) {
            throw new OutOfMemoryError("unable to create native thread");
        }

        @Override
        public void park(Object blocker, long nanos) {
            time.park(blocker, nanos);
        }

        @Override
        public void unpark(Thread thread) {
            time.unpark(thread);
        }

        @Override
        public @Nullable Executor executor() {
            return time.executor();
        }
    }

    @Test
    void noLeaseIsLeftWhenTheWorkHasEnded() {
        try (Lab lab = new Lab()) {
            long start = lab.time.nanos();
            lab.layers(lab.probe("bulkhead").lease(Duration.ofHours(1)), TimeoutPolicy.of(millis(5)));
            lab.run(Way.CALL_ASYNC, LATE);
            assertThat(lab.time.nanos() - start).isEqualTo(millis(20).toNanos());
            assertThat(lab.log).contains("bulkhead ended").doesNotContain("bulkhead ended written off");
        }
    }

    @Test
    void workThatEndsInTheMomentInWhichItIsGivenUpHoldsNobodysEnd() {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("bulkhead").lease(Duration.ofHours(1)), TimeoutPolicy.of(millis(5)));
            // Completes when it is cancelled, as most stages do.
            CompletableFuture<Object> future =
                    lab.operation().unkeyed().callAsync(attempt -> new CompletableFuture<>());
            long start = lab.time.nanos();
            lab.time.run();
            assertThat(future).isCompletedExceptionally();
            assertThat(lab.time.nanos() - start).isEqualTo(millis(5).toNanos());
            assertThat(lab.log).containsExactly("bulkhead enter", "bulkhead settle TIMEOUT", "bulkhead ended");
        }
    }

    // ---- overruns

    private static final class Overruns implements CallObserver {
        private final List<Duration> told = Collections.synchronizedList(new ArrayList<>());

        @Override
        public void overrun(String pipeline, @Nullable String operation, long nanos) {
            told.add(Duration.ofNanos(nanos));
        }
    }

    private static List<Duration> overruns(Way way, long workMillis) {
        try (Lab lab = new Lab()) {
            Overruns overruns = new Overruns();
            lab.building(builder -> builder.observer(overruns)).layers(TimeoutPolicy.of(millis(5)));
            lab.run(way, Step.value("late").after(workMillis).stubbornly());
            return overruns.told;
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void workThatEndsWithinTenMillisecondsAfterItsLimitIsNoOverrun(Way way) {
        assertThat(overruns(way, 6)).isEmpty();
        assertThat(overruns(way, 15)).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void workThatGoesOnForLongerIsOne(Way way) {
        assertThat(overruns(way, 16)).containsExactly(millis(11));
    }

    // ---- values

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void valueThatAPolicySharesInPlaceOfTheCallsOwnIsNotLost(boolean same) {
        for (Way way : Way.values()) {
            try (Lab lab = new Lab()) {
                lab.layers(lab.probe("sharing")
                        .settling(p -> new Decision(
                                Decision.Kind.TURN,
                                q -> q.share(p.outcome(), same ? p.value() : "shared", null, Source.LIVE))));
                assertThat(lab.run(way, Step.value("own")).value()).isEqualTo(same ? "own" : "shared");
                assertThat(lab.discarded).isEqualTo(same ? List.of() : List.of("own"));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void valueThatAPolicyAnswersWithAgainIsNotDiscardedAndOneThatItReplacesIs(boolean same) {
        for (Way way : Way.values()) {
            try (Lab lab = new Lab()) {
                lab.layers(lab.probe("answering")
                        .settling(p -> new Decision(
                                Decision.Kind.TURN, q -> q.answer(same ? p.value() : "other", Source.FALLBACK, 0))));
                assertThat(lab.run(way, Step.value("own")).value()).isEqualTo(same ? "own" : "other");
                assertThat(lab.discarded).isEqualTo(same ? List.of() : List.of("own"));
            }
        }
    }
}
