/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.retry;

import static dev.holdfast.contract.Lab.millis;
import static dev.holdfast.contract.Step.error;
import static dev.holdfast.contract.Step.value;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Classifier;
import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.Reply.Source;
import dev.holdfast.Verdict;
import dev.holdfast.contract.Decision;
import dev.holdfast.contract.Lab;
import dev.holdfast.contract.Probe;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.Passage;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.testlogs.Logs;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a call ends as that was tried again: as its last real try, and whatever else came of a try is discarded once. */
@Logs("two-retries")
@ThreadKind.Each
class LastRealTryTest {
    private static final Classifier ALL_FAIL =
            (value, error) -> value == null || value.toString().startsWith("5") ? Verdict.FAILURE : Verdict.SUCCESS;

    private final Lab lab = new Lab().building(b -> b.classifier(ALL_FAIL));

    @AfterEach
    void close() {
        lab.close();
    }

    private static RetryPolicy retry(int attempts) {
        return retry(attempts, true);
    }

    private static RetryPolicy retry(int attempts, boolean rejections) {
        return RetryPolicy.of(r -> r.maxAttempts(attempts)
                .initialBackoff(millis(10))
                .maxBackoff(millis(10))
                .jitter(Jitter.NONE)
                .retryRejections(rejections)
                .budgetEnabled(false));
    }

    /** Turns these tries away, counted from 1. */
    private Probe gate(Integer... turnedAway) {
        AtomicInteger passes = new AtomicInteger();
        List<Integer> away = Arrays.asList(turnedAway);
        return lab.probe("gate")
                .entering(p -> away.contains(passes.incrementAndGet()) ? Decision.REJECT : Decision.GO_ON);
    }

    @ParameterizedTest
    @EnumSource
    void oneRealFailureAndAnyNumberOfRejectionsEndAsTheFailure(Way way) {
        IOException real = new IOException("real");
        for (int rejections = 1; rejections <= 4; rejections++) {
            Integer[] away = {2, 3, 4, 5, 6};
            Lab.Running call = lab.layers(retry(1 + rejections), gate(away)).run(way, error(real), value("never"));
            assertThat(call.error()).as("%s rejections", rejections).isSameAs(real);
            assertThat(call.script.started()).isOne();
            assertThat(call.after()).isEqualTo(Duration.ofMillis(10L * rejections));
        }
        lab.assertLivesOver();
    }

    @ParameterizedTest
    @EnumSource
    void valueOfTheLastRealTryIsDeliveredAfterTwoRejectionsAndEarlierOnesAreDiscarded(Way way) {
        Lab.Running call = lab.layers(retry(5), gate(3, 4, 5)).run(way, value("500"), value("501"), value("never"));
        assertThat(call.value()).isEqualTo("501");
        assertThat(lab.discarded).containsExactly("500");
        lab.assertLivesOver();
    }

    @ParameterizedTest
    @EnumSource
    void realTryAfterRejectionsReplacesTheOneBefore(Way way) {
        Lab.Running call = lab.layers(retry(5), gate(2, 4, 5)).run(way, value("500"), value("501"), value("never"));
        assertThat(call.value()).isEqualTo("501");
        assertThat(lab.discarded).containsExactly("500");
        Lab.Running good = lab.layers(retry(5), gate(2, 3)).run(way, value("502"), value("200"));
        assertThat(good.value()).isEqualTo("200");
        assertThat(lab.discarded).containsExactly("500", "502");
        lab.assertLivesOver();
    }

    @ParameterizedTest
    @EnumSource
    void rejectionsAloneEndAsTheLastOfThem(Way way) {
        AtomicInteger passes = new AtomicInteger();
        Probe gate = lab.probe("gate")
                .entering(p -> new Decision(Decision.Kind.TURN, rejecting(passes.incrementAndGet())::apply));
        Lab.Running call = lab.layers(retry(3), gate).run(way, value("never"));
        assertThat(call.error())
                .isInstanceOfSatisfying(
                        CallRejectedException.class,
                        rejection -> assertThat(rejection.retryAfter()).contains(Duration.ofMillis(3)));
    }

    private static Function<Passage, Integer> rejecting(int number) {
        return passage -> passage.reject(Reason.OTHER, number * 1_000_000L, "no " + number);
    }

    @ParameterizedTest
    @EnumSource
    void givenUpBetweenTwoRejectionsTheRealValueIsDiscardedOnce(Way way) {
        lab.layers(retry(5), gate(2, 3, 4, 5));
        Lab.Running call = lab.giveUpAfter(15, way, value("500"), value("never"));
        assertThat(call.isDone()).isTrue();
        assertThat(call.value()).isNull();
        assertThat(lab.discarded).containsExactly("500");
        lab.assertLivesOver();
    }

    @ParameterizedTest
    @EnumSource
    void givenUpInTheWaitAfterARealTryItsValueIsDiscardedOnce(Way way) {
        lab.layers(retry(5), gate());
        Lab.Running call = lab.giveUpAfter(15, way, value("500"), value("501"), value("never"));
        assertThat(call.value()).isNull();
        assertThat(call.script.started()).isEqualTo(2);
        assertThat(lab.discarded).containsExactly("500", "501");
        lab.assertLivesOver();
    }

    @ParameterizedTest
    @EnumSource
    void wherePassTwoIsOutOfTimeBeforeItsAttemptTheRealValueIsDelivered(Way way) {
        AtomicInteger passes = new AtomicInteger();
        Probe slow =
                lab.probe("slow").entering(p -> passes.incrementAndGet() == 1 ? Decision.GO_ON : Decision.pause(50));
        Lab.Running call =
                lab.layers(retry(3, false), slow).run(way, c -> c.deadline(millis(30)), value("500"), value("never"));
        assertThat(call.value()).isEqualTo("500");
        assertThat(lab.discarded).isEmpty();
        lab.assertLivesOver();
    }

    @ParameterizedTest
    @EnumSource
    void nestedRetriesEndAsTheLastRealTryOfAnyOfThem(Way way) {
        // Inside: real, turned away. Outside again: turned away.
        Lab.Running call =
                lab.layers(retry(4), retry(2, false), gate(2, 3, 4, 5, 6)).run(way, value("500"), value("never"));
        assertThat(call.value()).isEqualTo("500");
        assertThat(lab.discarded).isEmpty();
        lab.assertLivesOver();
    }

    /** An executor that takes nothing any more when a wait is over: the outcome that is known stands. */
    @ParameterizedTest
    @EnumSource
    void refusedAfterAWaitTheCallEndsAsItsLastRealTry(After after) {
        boolean[] refuses = {false};
        lab.building(b -> b.executor(task -> {
            if (refuses[0]) {
                throw new RejectedExecutionException("full");
            }
            lab.time.executor().execute(task);
        }));
        lab.layers(retry(5), retry(5), after == After.A_REJECTION ? gate(2, 3, 4, 5) : gate());
        Lab.Running call = lab.start(Way.CALL_ASYNC, value("500"), value("501").after(60_000));
        lab.time.advance(after == After.A_REJECTION ? millis(15) : millis(5));
        refuses[0] = true;
        lab.time.advance(millis(20));
        assertThat(call.value()).isEqualTo("500");
        assertThat(lab.discarded).isEmpty();
        lab.assertLivesOver();
    }

    private enum After {
        A_REAL_TRY,
        A_REJECTION
    }

    // ---- what a pass leaves to the next one

    /** Answers the first pass from somewhere else, and fails it further out, so that it is tried again. */
    private Probe[] answeredOnceFromElsewhere() {
        AtomicInteger settled = new AtomicInteger();
        Probe outer = lab.probe("outer")
                .settling(p -> settled.incrementAndGet() == 1
                        ? new Decision(
                                Decision.Kind.TURN,
                                passage -> passage.answer(
                                        Outcome.FAILURE,
                                        "not that",
                                        Source.STALE_ON_ERROR,
                                        millis(5_000).toNanos()))
                        : Decision.GO_ON);
        AtomicInteger entered = new AtomicInteger();
        Probe inner = lab.probe("inner")
                .entering(p -> entered.incrementAndGet() == 1
                        ? new Decision(
                                Decision.Kind.TURN,
                                passage -> passage.answer(
                                        "old",
                                        Source.STALE_ON_ERROR,
                                        millis(5_000).toNanos()))
                        : Decision.GO_ON);
        return new Probe[] {outer, inner};
    }

    @ParameterizedTest
    @EnumSource
    void secondPassHasASourceAndAnAgeOfItsOwn(Way way) {
        Probe[] probes = answeredOnceFromElsewhere();
        List<Duration> ages = new ArrayList<>();
        Probe looking = lab.probe("looking").settling(p -> {
            ages.add(Duration.ofNanos(p.source() == Source.LIVE ? 0 : -1));
            return Decision.GO_ON;
        });
        Lab.Running call = lab.layers(looking, retry(3), probes[0], probes[1]).run(way, value("live"));
        assertThat(call.value()).isEqualTo("live");
        assertThat(call.source()).isEqualTo(Source.LIVE);
        assertThat(ages).containsExactly(Duration.ZERO);
        assertThat(lab.discarded).as("what comes from a memory is others' too").isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void holdOfTheFirstPassHoldsTheFirstRetryOnly(Way way) {
        AtomicInteger settled = new AtomicInteger();
        Probe holder = lab.probe("holder").settling(p -> {
            if (settled.incrementAndGet() == 1) {
                p.holdRetry(millis(40).toNanos());
            }
            return Decision.GO_ON;
        });
        Lab.Running call = lab.layers(retry(3), holder).run(way, value("500"), value("501"), value("200"));
        assertThat(call.value()).isEqualTo("200");
        assertThat(call.after()).isEqualTo(millis(50));
    }

    @ParameterizedTest
    @EnumSource
    void ofTwoHoldersTheLongestCountsWhicheverComesFirst(Way way) {
        for (int[] holds : new int[][] {{40, 25}, {25, 40}, {5, 3}}) {
            Lab.Running call =
                    lab.layers(retry(2), holder(holds[0]), holder(holds[1])).run(way, value("500"), value("200"));
            assertThat(call.after()).isEqualTo(millis(Math.max(10, Math.max(holds[0], holds[1]))));
        }
    }

    private Probe holder(int millis) {
        return lab.probe("holder of " + millis).settling(p -> {
            if (p.outcome() != Outcome.SUCCESS) {
                p.holdRetry(millis(millis).toNanos());
            }
            return Decision.GO_ON;
        });
    }

    @ParameterizedTest
    @EnumSource
    void retryAfterOfANestedRejectionIsWaitedFor(Way way) {
        CallRejectedException inner = new CallRejectedException(
                Reason.THROTTLED, "inner", "throttle", "not now", millis(70).toNanos(), null);
        lab.building(b -> b.classifier(Classifier.DEFAULT));
        Lab.Running call = lab.layers(retry(2)).run(way, error(inner), value("200"));
        assertThat(call.value()).isEqualTo("200");
        assertThat(call.after()).isBetween(millis(70), millis(80));
    }
}
