/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.hedge;

import static dev.holdfast.contract.Lab.millis;
import static dev.holdfast.contract.Step.error;
import static dev.holdfast.contract.Step.value;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Classifier;
import dev.holdfast.Verdict;
import dev.holdfast.contract.Decision;
import dev.holdfast.contract.Lab;
import dev.holdfast.contract.Probe;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Passage;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Who wins, and what becomes of the others; through both ways. */
@Logs("hedge-outside-retry")
class HedgePolicyTest {
    private final Lab lab = new Lab();
    private final List<String> settled = new ArrayList<>();

    @AfterEach
    void close() {
        lab.close();
    }

    private static HedgePolicy after20() {
        return HedgePolicy.of(h -> h.delay(millis(20)));
    }

    /** A layer that notes each outcome, as a breaker hears it. */
    private Probe hearing(String name) {
        return lab.probe(name).settling(passage -> {
            settled.add(name + " " + passage.outcome() + (passage.started() ? "" : " not started"));
            return Decision.GO_ON;
        });
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aSlowAttemptIsOvertakenByTheNext(Way way) {
        lab.layers(hearing("outer"), after20(), hearing("inner"));
        Lab.Running running =
                lab.run(way, value("slow").after(1_000), value("fast").after(10));
        assertThat(running.end()).isEqualTo(new Lab.End("fast from LIVE", 2, millis(30)));
        assertThat(settled).containsExactlyInAnyOrder("inner SUCCESS", "inner CANCELLED", "outer SUCCESS");
        assertThat(running.flag()).isFalse();
        lab.assertLivesOver();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void anAttemptThatIsNotSlowIsAlone(Way way) {
        lab.layers(after20());
        assertThat(lab.run(way, value("well").after(19), value("never")).end())
                .isEqualTo(new Lab.End("well from LIVE", 1, millis(19)));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theFirstAttemptWinsIfItEndsFirst(Way way) {
        lab.layers(after20(), hearing("inner"));
        assertThat(lab.run(way, value("first").after(25), value("second").after(100))
                        .end())
                .isEqualTo(new Lab.End("first from LIVE", 2, millis(25)));
        assertThat(settled).containsExactlyInAnyOrder("inner SUCCESS", "inner CANCELLED");
        lab.assertLivesOver();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aFailureBeforeTheDelayGoesStraightUp(Way way) {
        lab.layers(after20());
        assertThat(lab.run(way, error(new IOException("at once")).after(10), value("never"))
                        .end())
                .isEqualTo(new Lab.End("IOException: at once", 1, millis(10)));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aFailureWaitsForTheAttemptThatStillRuns(Way way) {
        lab.layers(hearing("outer"), after20(), hearing("inner"));
        assertThat(lab.run(
                                way,
                                error(new IOException("first")).after(30),
                                value("second").after(50))
                        .end())
                .isEqualTo(new Lab.End("second from LIVE", 2, millis(70)));
        assertThat(settled).containsExactly("inner FAILURE", "inner SUCCESS", "outer SUCCESS");
        lab.assertLivesOver();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theFailureOfTheLastIsTheOutcome(Way way) {
        lab.layers(hearing("outer"), after20());
        assertThat(lab.run(
                                way,
                                error(new IOException("first")).after(30),
                                error(new IOException("second")).after(50))
                        .end())
                .isEqualTo(new Lab.End("IOException: second", 2, millis(70)));
        assertThat(lab.run(
                                way,
                                error(new IOException("first")).after(60),
                                error(new IOException("second")).after(10))
                        .end())
                .isEqualTo(new Lab.End("IOException: first", 2, millis(60)));
        assertThat(settled).containsExactly("outer FAILURE", "outer FAILURE");
        lab.assertLivesOver();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aFaultOfTheCallersOwnIsAnAnswer(Way way) {
        Classifier own = (value, error) -> error == null ? Verdict.SUCCESS : Verdict.IGNORED;
        lab.building(builder -> builder.classifier(own)).layers(after20());
        assertThat(lab.run(
                                way,
                                value("slow").after(1_000),
                                error(new IllegalArgumentException("404")).after(10))
                        .end())
                .isEqualTo(new Lab.End("IllegalArgumentException: 404", 2, millis(30)));
        assertThat(lab.pipeline().snapshot().numbers()).containsEntry("hedge.won", 1L);
        assertThat(lab.run(
                                way,
                                error(new IllegalArgumentException("404")).after(30),
                                value("slow").after(1_000))
                        .end())
                .isEqualTo(new Lab.End("IllegalArgumentException: 404", 2, millis(30)));
        assertThat(lab.pipeline().snapshot().numbers()).containsEntry("hedge.won", 1L);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void thereAreAtMostSoManyBesideTheFirst(Way way) {
        lab.layers(HedgePolicy.of(h -> h.delay(millis(10)).maxHedges(3)));
        assertThat(lab.run(way, value("slow").after(100)).end())
                .isEqualTo(new Lab.End("slow from LIVE", 4, millis(100)));
        lab.assertLivesOver();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whatIsNotIdempotentIsNotHedged(Way way) {
        lab.notIdempotent().layers(after20());
        assertThat(lab.run(way, value("slow").after(100), value("never")).end())
                .isEqualTo(new Lab.End("slow from LIVE", 1, millis(100)));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theValueOfTheLoserIsDiscarded(Way way) {
        lab.layers(after20());
        Lab.Running first =
                lab.run(way, value("slow").after(50).stubbornly(), value("fast").after(10));
        assertThat(first.value()).isEqualTo("fast");
        assertThat(lab.discarded).containsExactly("slow");
        Lab.Running second =
                lab.run(way, value("fast").after(30), value("slow").after(50).stubbornly());
        assertThat(second.value()).isEqualTo("fast");
        assertThat(lab.discarded).containsExactly("slow", "slow");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theValueOfAnAttemptThatFailedIsDiscarded(Way way) {
        Classifier strict =
                (value, error) -> String.valueOf(value).startsWith("ill") ? Verdict.FAILURE : Verdict.SUCCESS;
        lab.building(builder -> builder.classifier(strict)).layers(after20());
        assertThat(lab.run(way, value("ill 1").after(30), value("well").after(20))
                        .value())
                .isEqualTo("well");
        assertThat(lab.run(way, value("well").after(60), value("ill 2").after(10))
                        .value())
                .isEqualTo("well");
        assertThat(lab.discarded).containsExactly("ill 1", "ill 2");
        // The last failure is an answer like any other: it is delivered, and the one before it is lost.
        assertThat(lab.run(way, value("ill 3").after(30), value("ill 4").after(20))
                        .value())
                .isEqualTo("ill 4");
        assertThat(lab.discarded).containsExactly("ill 1", "ill 2", "ill 3");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aLateFailureOfTheLoserIsCountedNowhere(Way way) {
        lab.layers(hearing("outer"), after20(), hearing("inner"));
        lab.run(
                way,
                error(new IOException("late")).after(50).stubbornly(),
                value("fast").after(10));
        assertThat(settled).containsExactlyInAnyOrder("inner SUCCESS", "inner CANCELLED", "outer SUCCESS");
        lab.assertLivesOver();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aHedgeDoesNotWaitFurtherIn(Way way) {
        Completion never = new Completion();
        Probe full = hearing("full").entering(pausing(Decision.pause(5)));
        Probe queue = hearing("queue").entering(pausing(Decision.await(never)));
        for (Probe waiting : List.of(full, queue)) {
            lab.layers(after20(), hearing("inner"), waiting);
            assertThat(lab.run(way, value("slow").after(100), value("never")).end())
                    .isEqualTo(new Lab.End("slow from LIVE", 1, millis(100)));
            assertThat(settled).contains("inner REJECTED not started", "inner SUCCESS");
            assertThat(never.waiting()).isZero();
            lab.assertLivesOver();
        }
        assertThat(lab.log).contains("full abandon", "queue abandon");
    }

    /** Lets the first attempt in, and makes the others wait. */
    private static Function<Passage, Decision> pausing(Decision waiting) {
        return passage -> passage.attempts() == 0 ? Decision.GO_ON : waiting;
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aHedgeThatIsTurnedAwayIsNoAttempt(Way way) {
        lab.layers(
                after20(),
                lab.probe("full").entering(passage -> passage.attempts() == 0 ? Decision.GO_ON : Decision.REJECT));
        assertThat(lab.run(way, error(new IOException("ill")).after(100)).end())
                .isEqualTo(new Lab.End("IOException: ill", 1, millis(100)));
        lab.assertLivesOver();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theDeadlineReachesAllAttempts(Way way) {
        lab.layers(hearing("outer"), after20(), hearing("inner"));
        Lab.Running running = lab.run(
                way,
                call -> call.deadline(millis(50)),
                value("slow").after(1_000),
                value("slower").after(2_000));
        assertThat(running.end()).isEqualTo(new Lab.End("timeout of call", 2, millis(50)));
        assertThat(settled)
                .contains("outer TIMEOUT")
                .filteredOn("outer TIMEOUT"::equals)
                .hasSize(1);
        lab.assertLivesOver();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theDeadlineEndsTheLastAttemptAndThatIsTheLastFailure(Way way) {
        lab.layers(after20(), hearing("inner"));
        Lab.Running running = lab.run(
                way,
                call -> call.deadline(millis(50)),
                error(new IOException("first")).after(30),
                value("slow").after(1_000));
        assertThat(running.end()).isEqualTo(new Lab.End("timeout of call", 2, millis(50)));
        lab.assertLivesOver();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void givingUpReachesAllAttempts(Way way) {
        lab.layers(after20(), hearing("inner"));
        Lab.Running running = lab.giveUpAfter(30, way, value("slow").after(1_000));
        assertThat(running.isDone()).isTrue();
        assertThat(running.after()).isEqualTo(millis(30));
        assertThat(running.flag()).isEqualTo(way == Way.CALL);
        assertThat(settled)
                .containsExactlyInAnyOrder(
                        "inner CANCELLED", way == Way.CALL ? "inner INTERRUPTED" : "inner CANCELLED");
        lab.assertLivesOver();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void givingUpReachesTheLastAttemptThatIsWaitedFor(Way way) {
        lab.layers(after20(), hearing("inner"));
        Lab.Running running = lab.giveUpAfter(
                40,
                way,
                error(new IOException("first")).after(30),
                value("slow").after(1_000));
        assertThat(running.isDone()).isTrue();
        assertThat(settled).containsExactly("inner FAILURE", "inner CANCELLED");
        lab.assertLivesOver();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void eachAttemptHasTheTimeoutForItself(Way way) {
        lab.layers(after20(), TimeoutPolicy.of(millis(40)));
        assertThat(lab.run(way, value("slow").after(1_000), value("second").after(35))
                        .end())
                .isEqualTo(new Lab.End("second from LIVE", 2, millis(55)));
        assertThat(lab.run(way, value("slow").after(1_000)).end())
                .isEqualTo(new Lab.End("timeout of timeout", 2, millis(60)));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aRetryAroundTriesAgainWhenAllHaveFailedAndEachTryIsHedged(Way way) {
        RetryPolicy retry = RetryPolicy.of(r ->
                r.maxAttempts(4).initialBackoff(millis(5)).jitter(Jitter.NONE).budgetEnabled(false));
        lab.layers(retry, after20(), hearing("inner"));
        Lab.Running running = lab.run(
                way,
                error(new IOException("1")).after(30),
                error(new IOException("2")).after(20),
                value("slow").after(1_000),
                value("4").after(10));
        assertThat(running.end()).isEqualTo(new Lab.End("4 from LIVE", 4, millis(40 + 5 + 30)));
        lab.assertLivesOver();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void hedgesCountAsAttemptsOfTheRetry(Way way) {
        RetryPolicy retry = RetryPolicy.of(r ->
                r.maxAttempts(2).initialBackoff(millis(5)).jitter(Jitter.NONE).budgetEnabled(false));
        lab.layers(retry, after20());
        assertThat(lab.run(way, error(new IOException("ill")).after(30)).end())
                .isEqualTo(new Lab.End("IOException: ill", 2, millis(50)));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aRetryFurtherInTriesTheFirstAttemptAgainAndNotTheHedge(Way way) {
        RetryPolicy retry = RetryPolicy.of(r ->
                r.maxAttempts(3).initialBackoff(millis(5)).jitter(Jitter.NONE).budgetEnabled(false));
        lab.layers(after20(), retry);
        Lab.Running running = lab.run(
                way,
                error(new IOException("1")).after(30),
                error(new IOException("2")).after(2),
                value("3").after(10));
        assertThat(running.end()).isEqualTo(new Lab.End("3 from LIVE", 3, millis(45)));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void anExecutorThatRefusesLeavesTheFirstAttemptAlone(Way way) {
        lab.building(builder -> builder.backgroundExecutor(task -> {
                    throw new RejectedExecutionException("full");
                }))
                .layers(after20(), hearing("inner"));
        assertThat(lab.run(way, value("slow").after(100), value("never")).end())
                .isEqualTo(new Lab.End("slow from LIVE", 1, millis(100)));
        lab.assertLivesOver();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aCallOfAClosedPipelineEndsWithAllItsAttempts(Way way) {
        lab.layers(after20(), hearing("inner"));
        Lab.Running running =
                lab.start(way, value("slow").after(1_000), value("fast").after(10));
        lab.time.advance(millis(25));
        lab.pipeline().close();
        lab.time.run();
        assertThat(running.end()).isEqualTo(new Lab.End("fast from LIVE", 2, millis(30)));
        lab.assertLivesOver();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void hedgesThatAreTurnedAwayAreNoReasonForMoreThanTheMost(Way way) {
        HedgePolicy twice = HedgePolicy.of(h -> h.delay(millis(20)).maxHedges(2));
        Probe full = lab.probe("full").entering(passage -> passage.attempts() == 0 ? Decision.GO_ON : Decision.REJECT);
        lab.layers(twice, full);
        assertThat(lab.run(way, value("slow").after(1_000)).end())
                .isEqualTo(new Lab.End("slow from LIVE", 1, millis(1_000)));
        assertThat(full.entries()).isEqualTo(3);
        lab.assertLivesOver();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aFailureDoesNotWaitForAHedgeThatIsStillInTheExecutorsQueue(Way way) {
        List<Runnable> queue = new ArrayList<>();
        Probe inner = lab.probe("inner");
        lab.building(builder -> builder.backgroundExecutor(queue::add)).layers(after20(), inner);
        Lab.Running running = lab.run(way, error(new IOException("first")).after(30), value("never"));
        assertThat(running.end()).isEqualTo(new Lab.End("IOException: first", 1, millis(30)));
        assertThat(queue).hasSize(1);
        queue.get(0).run();
        assertThat(inner.entries()).as("of the call alone").isOne();
        lab.assertLivesOver();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aHedgeThatBeginsLateHasNoMoreTimeThanItsCall(Way way) {
        List<Long> left = new ArrayList<>();
        Probe inner = lab.probe("inner").entering(passage -> {
            left.add(Duration.ofNanos(passage.remaining()).toMillis());
            return Decision.GO_ON;
        });
        Executor busy = task -> lab.time.schedule(
                millis(15).toNanos(), () -> lab.time.executor().execute(task));
        lab.building(builder -> builder.backgroundExecutor(busy)).layers(after20(), inner);
        lab.run(
                way,
                call -> call.deadline(millis(100)),
                value("slow").after(1_000),
                value("fast").after(10));
        assertThat(left).containsExactly(100L, 65L);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void noHedgeBeginsInAClosedPipeline(Way way) {
        lab.layers(after20());
        Lab.Running running = lab.start(way, value("slow").after(100), value("never"));
        lab.time.advance(millis(10));
        lab.pipeline().close();
        lab.time.run();
        assertThat(running.end()).isEqualTo(new Lab.End("slow from LIVE", 1, millis(100)));
    }

    @Test
    void anInterruptOfAHedgesThreadIsNotTheCallers() {
        lab.layers(after20());
        Thread[] ofHedge = new Thread[1];
        var answer = lab.time.spawn(() -> lab.operation().unkeyed().call(attempt -> {
            if (attempt.number() == 2) {
                ofHedge[0] = Thread.currentThread();
            }
            lab.time.sleep(millis(attempt.number() == 1 ? 30 : 1_000));
            throw new IOException("of attempt " + attempt.number());
        }));
        lab.time.schedule(millis(40).toNanos(), () -> lab.time.interrupt(ofHedge[0]));
        lab.time.run();
        assertThat(answer).failsWithin(millis(0)).withThrowableThat().withMessageContaining("of attempt 1");
    }
}
