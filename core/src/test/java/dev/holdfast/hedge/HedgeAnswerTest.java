/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.hedge;

import static dev.holdfast.contract.Lab.millis;
import static dev.holdfast.contract.Step.error;
import static dev.holdfast.contract.Step.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.holdfast.Classifier;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.Reply;
import dev.holdfast.Reply.Source;
import dev.holdfast.Verdict;
import dev.holdfast.contract.Decision;
import dev.holdfast.contract.Lab;
import dev.holdfast.contract.Probe;
import dev.holdfast.retry.RetryBudget;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Passage;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testlogs.Logs;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** All that is known of a hedge's answer is known of the call's; and who is of no use any more does not begin. */
class HedgeAnswerTest {
    private static final Classifier BUSY = (value, error) -> error == null
            ? Verdict.SUCCESS
            : "busy".equals(error.getMessage()) ? Verdict.pushback(Duration.ofMillis(70)) : Verdict.FAILURE;

    private final Lab lab = new Lab().building(b -> b.classifier(BUSY));
    private final List<Object> heard = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void close() {
        lab.close();
    }

    private static HedgePolicy upTo(int hedges) {
        return HedgePolicy.of(h -> h.delay(millis(20)).maxHedges(hedges).budgetEnabled(false));
    }

    /** What a layer around the hedges finds on the way up. */
    private Probe reading(Function<Passage, Object> reading) {
        return lab.probe("outer").settling(p -> {
            heard.add(reading.apply(p));
            return Decision.GO_ON;
        });
    }

    /** As a layer further in does it with the second attempt alone. */
    private Probe onTheHedge(Function<Passage, Decision> settling) {
        return lab.probe("inner").settling(p -> p.attempts() == 2 ? settling.apply(p) : Decision.GO_ON);
    }

    // ---- what is known of it

    @ParameterizedTest
    @EnumSource(Way.class)
    void ageAndSourceOfAHedgesAnswerAreTheCalls(Way way) throws Exception {
        lab.layers(
                upTo(1),
                onTheHedge(p -> new Decision(
                        Decision.Kind.TURN,
                        q -> q.answer(
                                "stale",
                                Source.STALE_ON_ERROR,
                                Duration.ofMinutes(3).toNanos()))));
        var script = lab.script(value("slow").after(500), error(new IOException("ill")));
        CompletableFuture<Reply<Object>> reply = way == Way.CALL
                ? lab.time.spawn(() -> lab.operation().unkeyed().reply(script::act))
                : lab.operation().unkeyed().replyAsync(script::actAsync);
        lab.time.run();
        assertThat(reply.get().value()).isEqualTo("stale");
        assertThat(reply.get().source()).isEqualTo(Source.STALE_ON_ERROR);
        assertThat(reply.get().age()).isEqualTo(Duration.ofMinutes(3));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void hedgeThatAnotherPipelineTurnsAwayCostsNothing(Way way) {
        Pipeline closed = Pipeline.of("inner");
        closed.close();
        Throwable turnedAway = catchThrowable(() -> closed.call(() -> "never"));
        RetryBudget budget = RetryBudget.of(b -> b.maxTokens(10));
        lab.layers(HedgePolicy.of(h -> h.delay(millis(20)).budget(budget)));
        lab.run(way, value("slow").after(500), error(turnedAway));
        assertThat(budget.tokens()).isEqualTo(10);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void pushbackOfTheLastHedgeTellsWhenToTryAgain(Way way) {
        lab.layers(reading(Passage::retryAfter), upTo(1));
        lab.run(
                way,
                error(new IOException("ill")).after(30),
                error(new IOException("busy")).after(50));
        assertThat(heard).containsExactly(millis(70).toNanos());
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void holdThatIsSaidOfTheLastHedgeHoldsUpTheRetry(Way way) {
        RetryPolicy retry = RetryPolicy.of(r ->
                r.maxAttempts(3).initialBackoff(millis(1)).jitter(Jitter.NONE).budgetEnabled(false));
        lab.layers(retry, reading(Passage::heldRetry), upTo(1), onTheHedge(p -> {
            p.holdRetry(millis(400).toNanos());
            return Decision.GO_ON;
        }));
        // Both have failed at 70 ms.
        Lab.Running running = lab.run(
                way,
                error(new IOException("ill")).after(30),
                error(new IOException("ill")).after(50),
                value("well"));
        assertThat(running.end()).isEqualTo(new Lab.End("well from LIVE", 3, millis(470)));
        assertThat(heard).containsExactly(millis(400).toNanos(), 0L);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void hedgeBelongsToTheSameOuterAttemptAsItsCall(Way way) {
        lab.layers(upTo(1), lab.probe("inner").entering(p -> {
            heard.add(p.attempts() + " in " + p.outerAttempt());
            return Decision.GO_ON;
        }));
        try (Pipeline outer = Pipeline.builder("outer")
                .time(lab.time)
                .executor(lab.time.executor())
                .build()) {
            var script = lab.script(value("slow").after(500), value("fast").after(5));
            if (way == Way.CALL) {
                var unused = lab.time.spawn(
                        () -> outer.call(() -> lab.operation().unkeyed().call(script::act)));
            } else {
                var unused = outer.callAsync(() -> lab.operation().unkeyed().callAsync(script::actAsync));
            }
            lab.time.run();
        }
        assertThat(heard).containsExactly("0 in 1", "1 in 1");
    }

    // ---- who does not begin

    @ParameterizedTest
    @EnumSource(Way.class)
    void hedgeThatIsPushedBackIsTheLast(Way way) {
        lab.layers(upTo(3));
        Lab.Running running = lab.run(
                way, value("slow").after(500), error(new IOException("busy")).after(5), value("never"));
        assertThat(running.end()).isEqualTo(new Lab.End("slow from LIVE", 2, millis(500)));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void hedgeThatFailsIsFollowedByTheNext(Way way) {
        lab.layers(upTo(3));
        Lab.Running running = lab.run(
                way,
                value("slow").after(500),
                error(new IOException("ill")).after(5),
                value("third").after(5));
        assertThat(running.end()).isEqualTo(new Lab.End("third from LIVE", 3, millis(45)));
    }

    /** Hands tasks on after these times, one after the other. */
    private Executor after(long... millis) {
        Iterator<Long> delays = java.util.Arrays.stream(millis).boxed().iterator();
        return task -> lab.time.schedule(
                Duration.ofMillis(delays.next()).toNanos(),
                () -> lab.time.executor().execute(task));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void hedgeThatGetsItsThreadAfterAnotherHasAnsweredDoesNotBegin(Way way) {
        lab.building(b -> b.backgroundExecutor(after(0, 100))).layers(upTo(2));
        Lab.Running running = lab.run(
                way, value("slow").after(500).stubbornly(), value("fast").after(30), value("never"));
        assertThat(running.value()).isEqualTo("fast");
        assertThat(running.script.started()).isEqualTo(2);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void hedgeThatGetsItsThreadAfterTheEndDoesNotBegin(Way way) {
        lab.building(b -> b.backgroundExecutor(after(100))).layers(upTo(1));
        Lab.Running running = lab.run(way, value("slow").after(50), value("never"));
        assertThat(running.end()).isEqualTo(new Lab.End("slow from LIVE", 1, millis(50)));
        lab.assertLivesOver();
    }

    // ---- both at once

    @ParameterizedTest
    @EnumSource(Way.class)
    void answerOfAHedgeThatComesWhileTheOwnOneIsSettledIsDiscarded(Way way) {
        Probe slow = lab.probe("slow").settling(p -> {
            if (p.attempts() == 1 && p.outcome() == Outcome.SUCCESS) {
                sleep(10);
            }
            return Decision.GO_ON;
        });
        lab.layers(reading(p -> String.valueOf(p.value())), upTo(1), slow);
        Lab.Running running =
                lab.run(way, value("own").after(30), value("hedge").after(15));
        assertThat(running.value()).isEqualTo("own");
        assertThat(heard).containsExactly("own");
        assertThat(lab.discarded).containsExactly("hedge");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void answerOfAHedgeThatComesWhileTheOwnFailureIsSettledIsTheCalls(Way way) {
        Probe slow = lab.probe("slow").settling(p -> {
            if (p.attempts() == 1 && p.outcome() == Outcome.FAILURE) {
                sleep(10);
            }
            return Decision.GO_ON;
        });
        lab.layers(reading(p -> String.valueOf(p.value())), upTo(1), slow);
        Lab.Running running = lab.run(
                way, error(new IOException("ill")).after(30), value("hedge").after(15));
        assertThat(running.value()).isEqualTo("hedge");
        assertThat(heard).containsExactly("hedge");
        assertThat(lab.discarded).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void answerOfAHedgeThatIsStillSettledWhenTheCallHasEndedIsDiscarded(Way way) {
        Probe slow = lab.probe("slow").settling(p -> {
            if (p.attempts() == 2) {
                sleep(10);
            }
            return Decision.GO_ON;
        });
        lab.layers(reading(p -> String.valueOf(p.value())), upTo(1), slow);
        Lab.Running running =
                lab.run(way, value("own").after(30), value("hedge").after(8));
        assertThat(running.value()).isEqualTo("own");
        assertThat(heard).containsExactly("own");
        assertThat(lab.discarded).containsExactly("hedge");
    }

    private void sleep(long millis) {
        try {
            lab.time.sleep(millis(millis));
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    // ---- an answer between two own attempts

    private static RetryPolicy retryAfter(long millis) {
        return RetryPolicy.of(r -> r.maxAttempts(3)
                .initialBackoff(millis(millis))
                .jitter(Jitter.NONE)
                .budgetEnabled(false));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    @Logs("hedge-outside-retry")
    void answerOfAHedgeEndsThePauseOfARetryFurtherIn(Way way) {
        lab.layers(reading(Passage::actionNanos), upTo(2), lab.probe("between"), retryAfter(50));
        Lab.Running running = lab.run(
                way,
                error(new IOException("ill")).after(30),
                value("hedge").after(12),
                value("never").after(10_000));
        assertThat(running.end()).isEqualTo(new Lab.End("hedge from LIVE", 2, millis(32)));
        assertThat(heard).containsExactly(millis(12).toNanos());
        assertThat(lab.discarded).isEmpty();
        lab.assertLivesOver();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    @Logs("hedge-outside-retry")
    void answerOfAHedgeEndsTheWaitBeforeASecondOwnAttempt(Way way) {
        Completion never = new Completion();
        Probe full = lab.probe("full")
                .entering(p -> lab.time.nanos() > millis(30).toNanos() ? Decision.await(never) : Decision.GO_ON);
        lab.layers(upTo(1), retryAfter(1), full);
        Lab.Running running = lab.run(
                way, error(new IOException("ill")).after(30), value("hedge").after(12), value("never"));
        assertThat(running.end()).isEqualTo(new Lab.End("hedge from LIVE", 2, millis(32)));
        lab.assertLivesOver();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void answerOfAHedgeEndsTheWaitForAStageFurtherIn(Way way) {
        lab.layers(
                upTo(1),
                lab.probe("falls back")
                        .settling(p -> p.outcome() == Outcome.FAILURE
                                ? Decision.stage(error -> new CompletableFuture<>())
                                : Decision.GO_ON));
        Lab.Running running = lab.run(
                way, error(new IOException("ill")).after(30), value("hedge").after(12));
        assertThat(running.end()).isEqualTo(new Lab.End("hedge from LIVE", 2, millis(32)));
        lab.assertLivesOver();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    @Logs("hedge-outside-retry")
    void nothingIsRetriedAfterAHedgeHasEndedTheWaitForAStage(Way way) {
        lab.building(b -> b.observer(new CallObserver() {
            @Override
            public void retryScheduled(String pipeline, @Nullable String operation, int attempt, long waitNanos) {
                heard.add("retry");
            }
        }));
        lab.layers(
                upTo(1),
                retryAfter(1),
                lab.probe("falls back")
                        .settling(p -> p.outcome() == Outcome.FAILURE
                                ? Decision.stage(error -> new CompletableFuture<>())
                                : Decision.GO_ON));
        Lab.Running running = lab.run(
                way, error(new IOException("ill")).after(30), value("hedge").after(12));
        assertThat(running.end()).isEqualTo(new Lab.End("hedge from LIVE", 2, millis(32)));
        assertThat(heard).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void hedgeThatWasTurnedAwayWaitsForNoStageOnceTheCallHasEnded(Way way) {
        lab.layers(
                upTo(1),
                lab.probe("falls back")
                        .settling(p -> p.outcome() == Outcome.REJECTED
                                ? Decision.stage(error -> new CompletableFuture<>())
                                : Decision.GO_ON),
                lab.probe("full")
                        .entering(p -> p.attempts() == 0
                                ? Decision.GO_ON
                                : new Decision(Decision.Kind.TURN, q -> q.reject(Reason.BULKHEAD_FULL, -1, "full"))));
        Lab.Running running = lab.run(way, value("own").after(500));
        assertThat(running.end()).isEqualTo(new Lab.End("own from LIVE", 1, millis(500)));
        lab.assertLivesOver();
    }

    /** The answer comes after the retry has decided, and before its attempt is open. */
    @ParameterizedTest
    @EnumSource(Way.class)
    @Logs("hedge-outside-retry")
    void noOwnAttemptBeginsOnceAHedgeHasAnswered(Way way) {
        boolean[] waited = new boolean[1];
        Probe slow = lab.probe("slow").entering(p -> {
            if (lab.time.nanos() >= millis(30).toNanos() && !waited[0]) {
                waited[0] = true;
                sleep(10);
            }
            return Decision.GO_ON;
        });
        lab.layers(upTo(2), retryAfter(1), slow);
        Lab.Running running = lab.run(
                way,
                error(new IOException("ill")).after(30),
                value("hedge").after(15),
                value("never").after(10_000));
        assertThat(running.end()).isEqualTo(new Lab.End("hedge from LIVE", 2, millis(41)));
        assertThat(lab.discarded).isEmpty();
        lab.assertLivesOver();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void hedgeThatWaitsForAStageGoesHomeWhenAnotherAttemptAnswers(Way way) {
        lab.layers(
                upTo(1),
                onTheHedge(p -> p.outcome() == Outcome.FAILURE
                        ? Decision.stage(error -> new CompletableFuture<>())
                        : Decision.GO_ON));
        Lab.Running running = lab.run(
                way, value("own").after(50), error(new IOException("ill")).after(5));
        assertThat(running.end()).isEqualTo(new Lab.End("own from LIVE", 2, millis(50)));
        lab.assertLivesOver();
    }

    // ---- who goes on for nobody

    /** Goes on for 100 ms although the call's own attempt has answered. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void hedgeThatIgnoresItsInterruptIsAnOverrunFromTheMomentOfTheAnswer(Way way) {
        CallObserver observer = new CallObserver() {
            @Override
            public void overrun(String pipeline, @Nullable String operation, long nanos) {
                heard.add(Duration.ofNanos(nanos));
            }
        };
        lab.building(b -> b.observer(observer)).layers(upTo(1));
        Lab.Running running =
                lab.run(way, value("own").after(30), value("late").after(100).stubbornly());
        assertThat(running.end()).isEqualTo(new Lab.End("own from LIVE", 2, millis(30)));
        assertThat(heard).containsExactly(millis(90));
        assertThat(lab.discarded).containsExactly("late");
    }
}
