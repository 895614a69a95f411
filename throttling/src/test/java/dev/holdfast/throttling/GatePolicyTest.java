/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling;

import static java.time.Duration.ZERO;
import static java.time.Duration.ofHours;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call;
import dev.holdfast.CallRejectedException;
import dev.holdfast.Classifier;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.Verdict;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.shadow.ShadowPolicy.Decision;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.RecordedMeters;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The dependency of these tests answers with verdicts, and the classifier believes them. */
class GatePolicyTest {
    private static final long MILLI = 1_000_000;
    private static final Classifier AS_IT_SAYS =
            (value, error) -> value instanceof Verdict verdict ? verdict : Verdict.SUCCESS;
    private static final Verdict TWO_SECONDS = Verdict.pushback(ofSeconds(2));

    private final VirtualTime time = new VirtualTime();
    private final long origin = time.nanos();
    private final List<Long> starts = new ArrayList<>();

    @AfterEach
    void close() {
        time.close();
    }

    private Pipeline pipeline(Policy... policies) {
        return Pipeline.builder("inventory")
                .policies(policies)
                .classifier(AS_IT_SAYS)
                .time(time)
                .build();
    }

    /** Begins a call that is answered so, at once. */
    private Running<Verdict> call(Way way, Pipeline pipeline, Verdict answer) {
        return call(way, work(pipeline), ZERO, answer);
    }

    private static Call<Verdict> work(Pipeline pipeline) {
        return pipeline.<Verdict>operation("work").unkeyed();
    }

    /** Begins a call whose attempts take so long and are answered so, one after the other. */
    private Running<Verdict> call(Way way, Call<Verdict> call, Duration work, Verdict... verdicts) {
        Iterator<Verdict> answers = List.of(verdicts).iterator();
        if (way == Way.CALL_ASYNC) {
            return Running.async(call.callAsync(attempt -> {
                starts.add(time.nanos() - origin);
                CompletableFuture<Verdict> answer = new CompletableFuture<>();
                if (work.isZero()) {
                    answer.complete(answers.next());
                } else {
                    time.schedule(work.toNanos(), () -> answer.complete(answers.next()));
                }
                return answer;
            }));
        }
        return Running.blocking(
                time,
                () -> call.call(attempt -> {
                    starts.add(time.nanos() - origin);
                    time.sleep(work);
                    return answers.next();
                }));
    }

    private List<Running<Verdict>> crowd(Way way, Pipeline pipeline, int callers) {
        return IntStream.range(0, callers)
                .mapToObj(caller -> call(way, pipeline, Verdict.SUCCESS))
                .toList();
    }

    /** The answers of calls that have begun. */
    private static List<CompletableFuture<Verdict>> underWay(Pipeline pipeline, int calls) {
        List<CompletableFuture<Verdict>> answers = new ArrayList<>();
        for (int i = 0; i < calls; i++) {
            CompletableFuture<Verdict> answer = new CompletableFuture<>();
            answers.add(answer);
            CompletableFuture<Verdict> unused = pipeline.callAsync(() -> answer);
        }
        return answers;
    }

    private static CallRejectedException rejection(Running<Verdict> call) {
        assertThat(call.error()).isInstanceOf(CallRejectedException.class);
        return (CallRejectedException) call.error();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aPushbackOfOneCallerHoldsAllOthersUntilItHasPassed(Way way) {
        GatePolicy gate = GatePolicy.ofDefaults();
        Pipeline pipeline = pipeline(gate);
        Running<Verdict> told = call(way, pipeline, TWO_SECONDS);
        time.advance(ofMillis(500));
        assertThat(told.result()).isCompletedWithValue(TWO_SECONDS);

        List<Running<Verdict>> others = crowd(way, pipeline, 100);
        time.advance(ofMillis(1_499));

        assertThat(starts).containsExactly(0L);
        assertThat(others).allSatisfy(other -> {
            CallRejectedException rejection = rejection(other);
            assertThat(rejection.reason()).isEqualTo(Reason.THROTTLED);
            assertThat(rejection.policy()).isEqualTo("gate");
            assertThat(rejection.retryAfter().orElseThrow()).isBetween(ofMillis(1_500), ofMillis(1_700));
            assertThat(rejection)
                    .hasMessage("gate of 'inventory' is held, because the dependency asked for time, for another 1.5 s")
                    .hasNoCause();
        });
        assertThat(others.stream().map(other -> rejection(other).retryAfter()).distinct())
                .as("different times to come back")
                .hasSizeGreaterThan(50);
        assertThat(gate.held()).isEqualTo(ofMillis(1));
        time.advance(ofMillis(1));
        assertThat(gate.held()).isZero();
        Running<Verdict> later = call(way, pipeline, Verdict.SUCCESS);
        time.run();
        assertThat(later.result()).isCompletedWithValue(Verdict.SUCCESS);
        assertThat(gate.holds()).isOne();
        assertThat(gate.rejected()).isEqualTo(100);
    }

    /** The control: without the gate, each caller learns it alone. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void withoutAGateAllOthersReachTheDependencyThatAskedForTime(Way way) {
        Pipeline pipeline = pipeline();
        call(way, pipeline, TWO_SECONDS);
        time.advance(ofMillis(500));

        crowd(way, pipeline, 100);
        time.advance(ofMillis(1));

        assertThat(starts).hasSize(101);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callsThatMayWaitStartAfterTheHoldAndNotTogether(Way way) {
        GatePolicy gate = GatePolicy.of(g -> g.maxWait(ofSeconds(5)));
        Pipeline pipeline = pipeline(gate);
        call(way, pipeline, TWO_SECONDS);
        time.advance(ofMillis(1));
        List<Running<Verdict>> others = crowd(way, pipeline, 100);
        time.advance(ofMillis(1));
        assertThat(gate.waiting()).isEqualTo(100);

        time.run();

        assertThat(others).allSatisfy(other -> assertThat(other.result()).isCompletedWithValue(Verdict.SUCCESS));
        assertThat(starts.subList(1, 101))
                .allSatisfy(start -> assertThat(start).isBetween(2_000 * MILLI, 2_200 * MILLI));
        assertThat(new HashSet<>(starts)).hasSizeGreaterThan(90);
        assertThat(gate.waited()).isEqualTo(100);
        assertThat(gate.rejected()).isZero();
        assertThat(gate.waiting()).isZero();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callsThatWaitForAsLongAsTheyMayDoNotStartTogether(Way way) {
        GatePolicy gate = GatePolicy.of(g -> g.maxWait(ofSeconds(2)));
        Pipeline pipeline = pipeline(gate);
        call(way, pipeline, TWO_SECONDS);
        time.advance(ZERO);
        List<Running<Verdict>> others = crowd(way, pipeline, 100);
        time.run();

        assertThat(others).allSatisfy(other -> assertThat(other.result()).isCompletedWithValue(Verdict.SUCCESS));
        assertThat(starts.subList(1, 101))
                .allSatisfy(start -> assertThat(start).isBetween(2_000 * MILLI, 2_200 * MILLI));
        assertThat(new HashSet<>(starts)).hasSizeGreaterThan(90);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aWaitThatIsTooLongForMaxWaitOrTheCallIsNotBegun(Way way) {
        GatePolicy gate = GatePolicy.of(g -> g.maxWait(ofMillis(1_900)));
        Pipeline pipeline = pipeline(gate);
        call(way, pipeline, TWO_SECONDS);
        time.advance(ZERO);
        Running<Verdict> tooEarly = call(way, pipeline, Verdict.SUCCESS);
        time.advance(ofMillis(500));
        Running<Verdict> tooShort = call(way, work(pipeline).deadline(ofMillis(1_500)), ZERO, Verdict.SUCCESS);
        time.advance(ZERO);

        assertThat(rejection(tooEarly).reason()).isEqualTo(Reason.THROTTLED);
        assertThat(rejection(tooShort).reason()).isEqualTo(Reason.THROTTLED);
        assertThat(gate.waited()).isZero();

        Running<Verdict> inTime = call(way, work(pipeline).deadline(ofMillis(1_501)), ZERO, Verdict.SUCCESS);
        time.run();
        assertThat(inTime.result()).isCompletedWithValue(Verdict.SUCCESS);
        assertThat(starts.get(1)).isBetween(2_000 * MILLI, 2_001 * MILLI);
    }

    /** 50 ms are left after the hold, less than the jitter of 95 ms. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void callsWhoseTimeEndsWithinTheJitterSpreadOverAHalfOfItAndHaveTheOther(Way way) {
        GatePolicy gate = GatePolicy.of(g -> g.maxWait(ofSeconds(1)));
        Pipeline pipeline = pipeline(gate);
        call(way, pipeline, Verdict.pushback(ofMillis(950)));
        time.advance(ZERO);
        List<Running<Verdict>> others = IntStream.range(0, 100)
                .mapToObj(caller -> call(way, work(pipeline).deadline(ofSeconds(1)), ofMillis(20), Verdict.SUCCESS))
                .toList();
        time.run();

        assertThat(others).allSatisfy(other -> assertThat(other.result()).isCompletedWithValue(Verdict.SUCCESS));
        List<Long> waited = starts.subList(1, 101);
        assertThat(waited).allSatisfy(start -> assertThat(start).isBetween(950 * MILLI, 975 * MILLI));
        assertThat(new HashSet<>(waited)).hasSizeGreaterThan(90);
        assertThat(Collections.max(waited) - Collections.min(waited)).isGreaterThan(20 * MILLI);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aCallWhoseTimeEndsWithTheHoldIsRejectedAtOnce(Way way) {
        GatePolicy gate = GatePolicy.of(g -> g.maxWait(ofSeconds(5)));
        Pipeline pipeline = pipeline(gate);
        call(way, pipeline, TWO_SECONDS);
        time.advance(ZERO);

        Running<Verdict> other = call(way, work(pipeline).deadline(ofSeconds(2)), ZERO, Verdict.SUCCESS);
        time.advance(ZERO);

        assertThat(rejection(other).reason()).isEqualTo(Reason.THROTTLED);
        assertThat(gate.waited()).isZero();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aQueueThatIsAnsweredSlowlyWithPushbacksHoldsNoLongerThanTheMaximum(Way way) {
        GatePolicy gate = GatePolicy.ofDefaults();
        Pipeline pipeline = pipeline(gate);
        for (int seconds : List.of(1, 9, 18, 27)) {
            call(way, work(pipeline), ofSeconds(seconds), Verdict.pushback(ofHours(1)));
        }
        List<Running<Verdict>> later = new ArrayList<>();
        time.advance(ofMillis(1_500));
        for (int second = 1; second < 30; second++) {
            later.add(call(way, pipeline, Verdict.SUCCESS));
            time.advance(ofSeconds(1));
        }

        assertThat(later.subList(0, 10))
                .as("from 1 to 11 s")
                .allSatisfy(call -> assertThat(rejection(call).reason()).isEqualTo(Reason.THROTTLED));
        assertThat(later.subList(10, 29))
                .allSatisfy(call -> assertThat(call.result()).isCompletedWithValue(Verdict.SUCCESS));
        assertThat(gate.holds()).isOne();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aPushbackOfACallThatBeganAfterTheOpeningHoldsAgain(Way way) {
        GatePolicy gate = GatePolicy.ofDefaults();
        Pipeline pipeline = pipeline(gate);
        call(way, pipeline, Verdict.pushback(ofHours(1)));
        time.advance(ofSeconds(12));
        call(way, work(pipeline), ofSeconds(30), Verdict.pushback(ofHours(1)));
        time.advance(ofSeconds(30).plusMillis(1));

        assertThat(gate.held()).isEqualTo(ofSeconds(10).minusMillis(1));
        assertThat(gate.holds()).isEqualTo(2);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void anAnswerToAnOlderCallTakesNoTimeFromAPushbackOfACallThatBeganAfterTheOpening(Way way) {
        GatePolicy gate = GatePolicy.ofDefaults();
        Pipeline pipeline = pipeline(gate);
        call(way, work(pipeline), ofMillis(9_300), Verdict.pushback(ofSeconds(5)));
        call(way, work(pipeline), ofMillis(100), Verdict.pushback(ofSeconds(9)));
        time.advance(ofMillis(9_200));
        call(way, work(pipeline), ofMillis(200), Verdict.pushback(ofSeconds(30)));
        time.advance(ofMillis(100));
        assertThat(gate.held()).as("until the maximum after the first closing").isEqualTo(ofMillis(800));

        time.advance(ofMillis(100));

        assertThat(gate.held()).isEqualTo(ofMillis(9_900));
        assertThat(gate.holds()).isEqualTo(2);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callsSpreadOverATenthOfTheHoldThatALateAnswerHasBegun(Way way) {
        GatePolicy gate = GatePolicy.of(g -> g.maxWait(ofSeconds(2)));
        Pipeline pipeline = pipeline(gate);
        call(way, work(pipeline), ofSeconds(8), Verdict.pushback(ofSeconds(1)));
        call(way, pipeline, Verdict.pushback(ofSeconds(1)));
        time.advance(ofSeconds(8));
        List<Running<Verdict>> others = crowd(way, pipeline, 100);
        time.run();

        assertThat(others).allSatisfy(other -> assertThat(other.result()).isCompletedWithValue(Verdict.SUCCESS));
        assertThat(starts.subList(2, 102))
                .allSatisfy(start -> assertThat(start).isBetween(9_000 * MILLI, 9_100 * MILLI));
        assertThat(new HashSet<>(starts)).hasSizeGreaterThan(90);
    }

    /** It passed the open gate, waited for a turn, and started when the gate was open again. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void whatCountsIsThatTheAttemptStartedAfterTheOpeningAndNotThatItsCallCameBefore(Way way) {
        GatePolicy gate = GatePolicy.of(g -> g.maxHold(ofSeconds(1)));
        ThrottlePolicy throttle =
                ThrottlePolicy.of(t -> t.limit(1).per(ofSeconds(5)).burst(1).maxWait(ofSeconds(10)));
        Pipeline pipeline = pipeline(gate, throttle);
        call(way, work(pipeline), ofMillis(100), TWO_SECONDS);
        time.advance(ZERO);
        call(way, pipeline, TWO_SECONDS);
        time.advance(ofSeconds(5).plusMillis(1));

        assertThat(starts).containsExactly(0L, 5_000 * MILLI);
        assertThat(gate.holds()).isEqualTo(2);
        assertThat(gate.held()).isEqualTo(ofMillis(999));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void thoseThatWaitedAreHeldAgainIfTheFirstOfThemIsPushedBack(Way way) {
        GatePolicy gate = GatePolicy.of(g -> g.maxWait(ofSeconds(3)));
        Pipeline pipeline = pipeline(gate);
        call(way, pipeline, TWO_SECONDS);
        time.advance(ZERO);
        List<Running<Verdict>> all = IntStream.range(0, 50)
                .mapToObj(caller -> call(way, pipeline, TWO_SECONDS))
                .toList();
        time.run();

        assertThat(starts)
                .as("the first call and the first of those that waited")
                .hasSize(2);
        assertThat(all.stream().filter(call -> !call.result().isCompletedExceptionally()))
                .hasSize(1);
        assertThat(gate.holds()).isEqualTo(2);
        assertThat(gate.rejected()).isEqualTo(49);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aCallThatWaitsFurtherInWhenTheGateClosesIsRejectedAndReturnsItsTurn(Way way) {
        GatePolicy gate = GatePolicy.ofDefaults();
        ThrottlePolicy throttle = ThrottlePolicy.of(t -> t.limit(10).burst(1).maxWait(ofSeconds(1)));
        Pipeline pipeline = pipeline(gate, throttle);
        call(way, pipeline, Verdict.SUCCESS);
        time.advance(ZERO);
        call(way, pipeline, TWO_SECONDS);
        Running<Verdict> queued = call(way, pipeline, Verdict.SUCCESS);

        time.run();

        assertThat(starts).containsExactly(0L, 100 * MILLI);
        assertThat(rejection(queued).policy()).isEqualTo("gate");
        assertThat(throttle.givenBack()).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aRetryComesWhenTheGateIsOpenAgainWhateverItsBackoff(Way way) {
        GatePolicy gate = GatePolicy.ofDefaults();
        RetryPolicy retry = RetryPolicy.of(r -> r.maxAttempts(2).jitter(Jitter.NONE));
        Pipeline pipeline = pipeline(retry, gate);
        Running<Verdict> retried = call(way, work(pipeline), ofMillis(200), Verdict.FAILURE, Verdict.SUCCESS);
        Running<Verdict> hasty =
                call(way, work(pipeline).deadline(ofSeconds(1)), ofMillis(200), Verdict.FAILURE, Verdict.SUCCESS);
        call(way, work(pipeline(gate)), ofMillis(100), TWO_SECONDS);
        time.advance(ofMillis(201));
        assertThat(hasty.result()).as("no time for the wait").isCompletedWithValue(Verdict.FAILURE);

        time.run();

        assertThat(retried.result()).isCompletedWithValue(Verdict.SUCCESS);
        assertThat(starts)
                .hasSize(4)
                .last()
                .satisfies(start -> assertThat(start).isBetween(2_100 * MILLI, 2_300 * MILLI));
        assertThat(gate.rejected()).isZero();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aRetryOfRejectionsComesAtTheTimeThatTheGateHasSaid(Way way) {
        GatePolicy gate = GatePolicy.ofDefaults();
        RetryPolicy retry = RetryPolicy.of(r -> r.retryRejections(true).jitter(Jitter.NONE));
        call(way, pipeline(gate), TWO_SECONDS);
        time.advance(ZERO);

        List<Running<Verdict>> others = crowd(way, pipeline(retry, gate), 20);
        time.run();

        assertThat(others).allSatisfy(other -> assertThat(other.result()).isCompletedWithValue(Verdict.SUCCESS));
        assertThat(gate.rejected()).as("each once").isEqualTo(20);
        assertThat(starts.subList(1, 21))
                .allSatisfy(start -> assertThat(start).isBetween(2_000 * MILLI, 2_200 * MILLI));
    }

    @Test
    void theLongestTimeCountsAndNoneIsLongerThanTheMaximum() {
        GatePolicy gate = GatePolicy.ofDefaults();
        Pipeline pipeline = pipeline(gate);
        List<CompletableFuture<Verdict>> answers = underWay(pipeline, 4);

        answers.get(0).complete(TWO_SECONDS);
        assertThat(gate.held()).isEqualTo(ofSeconds(2));
        answers.get(1).complete(Verdict.pushback(ofSeconds(1)));
        assertThat(gate.held()).isEqualTo(ofSeconds(2));
        answers.get(2).complete(Verdict.pushback(ofHours(1)));
        assertThat(gate.held()).isEqualTo(ofSeconds(10));
        answers.get(3).complete(Verdict.pushback(ZERO));
        assertThat(gate.held()).isEqualTo(ofSeconds(10));
        assertThat(gate.holds()).as("one hold, made longer").isOne();
    }

    @Test
    void aPushbackWithoutATimeHoldsForTheDefault() {
        for (Verdict verdict : List.of(Verdict.PUSHBACK, Verdict.STOP, Verdict.PUSHBACK.withUnreadableRetryAfter())) {
            GatePolicy none = GatePolicy.ofDefaults();
            call(Way.CALL_ASYNC, pipeline(none), verdict);
            assertThat(none.held()).as("%s", verdict).isZero();
            GatePolicy some = GatePolicy.of(g -> g.defaultHold(ofSeconds(1)));
            call(Way.CALL_ASYNC, pipeline(some), verdict);
            assertThat(some.held()).as("%s", verdict).isEqualTo(ofSeconds(1));
        }
    }

    @Test
    void anyAnswerThatAsksForTimeHolds() {
        for (Verdict verdict : List.of(Verdict.SUCCESS, Verdict.IGNORED, Verdict.FAILURE)) {
            GatePolicy gate = GatePolicy.of(g -> g.defaultHold(ofSeconds(1)));
            Pipeline pipeline = pipeline(gate);
            call(Way.CALL_ASYNC, pipeline, verdict);
            assertThat(gate.held()).as("%s", verdict).isZero();
            call(Way.CALL_ASYNC, pipeline, verdict.withRetryAfter(ofSeconds(3)));
            assertThat(gate.held()).as("%s", verdict).isEqualTo(ofSeconds(3));
        }
    }

    @Test
    void aTimeThatCannotBeReadIsCountedAndHoldsNobody() {
        GatePolicy gate = GatePolicy.ofDefaults();
        Pipeline pipeline = pipeline(gate);

        call(Way.CALL_ASYNC, pipeline, Verdict.SUCCESS.withUnreadableRetryAfter());
        call(Way.CALL_ASYNC, pipeline, Verdict.PUSHBACK.withUnreadableRetryAfter());
        call(Way.CALL_ASYNC, pipeline, Verdict.SUCCESS);

        assertThat(gate.malformed()).isEqualTo(2);
        assertThat(gate.held()).isZero();
        assertThat(starts).hasSize(3);
    }

    @Test
    void aRejectionOfAPipelineInsideTheAttemptIsNotTheDependencysWord() {
        GatePolicy gate = GatePolicy.of(g -> g.defaultHold(ofSeconds(1)));
        Pipeline pipeline = pipeline(gate);

        Running<Verdict> call =
                Running.async(pipeline.callAsync(() -> CompletableFuture.failedFuture(new CallRejectedException(
                        Reason.CIRCUIT_OPEN, "inner", "circuit-breaker", "open", 5_000 * MILLI, null))));

        assertThat(call.error()).isInstanceOf(CallRejectedException.class);
        assertThat(gate.held()).isZero();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aCallThatGivesUpWhileItWaitsLeavesNothing(Way way) {
        GatePolicy gate = GatePolicy.of(g -> g.maxWait(ofSeconds(5)));
        Pipeline pipeline = pipeline(gate);
        call(way, pipeline, TWO_SECONDS);
        time.advance(ZERO);
        Running<Verdict> impatient = call(way, pipeline, Verdict.SUCCESS);
        time.advance(ofMillis(1));
        assertThat(gate.waiting()).isOne();

        impatient.giveUp().run();
        time.advance(ofMillis(1));

        assertThat(gate.waiting()).isZero();
        assertThat(impatient.result()).isCompletedExceptionally();
        time.run();
        assertThat(starts).hasSize(1);
    }

    @Test
    void aGateThatIsOffHoldsNobody() {
        GatePolicy gate = GatePolicy.of(g -> g.maxHold(ZERO).defaultHold(ofSeconds(1)));
        Pipeline pipeline = pipeline(gate);

        call(Way.CALL_ASYNC, pipeline, TWO_SECONDS);
        call(Way.CALL_ASYNC, pipeline, Verdict.PUSHBACK);

        assertThat(starts).hasSize(2);
        assertThat(gate.holds()).isZero();
        assertThat(gate.held()).isZero();
    }

    @Test
    void aGateThatTakesOverKeepsTheHoldAsFarAsItsMaximumAllows() {
        GatePolicy first = GatePolicy.ofDefaults();
        Pipeline pipeline = pipeline(first);
        List<CompletableFuture<Verdict>> late = underWay(pipeline, 2);
        call(Way.CALL_ASYNC, pipeline, Verdict.pushback(ofSeconds(8)));
        time.advance(ofSeconds(1));

        GatePolicy second = GatePolicy.of(g -> g.maxHold(ofSeconds(20)));
        pipeline.replace(second);
        assertThat(second.held()).isEqualTo(ofSeconds(7));
        assertThat(second.holds()).isOne();
        // A call that began before tells the present gate what it is told.
        late.get(0).complete(Verdict.pushback(ofSeconds(15)));
        assertThat(second.held()).isEqualTo(ofSeconds(15));
        assertThat(first.held()).isEqualTo(ofSeconds(15));
        GatePolicy third = GatePolicy.of(g -> g.maxHold(ofSeconds(3)));
        pipeline.replace(third);
        assertThat(third.held()).isEqualTo(ofSeconds(3));
        assertThat(rejection(call(Way.CALL_ASYNC, pipeline, Verdict.SUCCESS)).policy())
                .isEqualTo("gate");

        time.advance(ofSeconds(1));
        late.get(1).complete(Verdict.pushback(ofSeconds(15)));
        assertThat(third.held()).as("its call began before the gate closed").isEqualTo(ofSeconds(2));
        assertThat(first.held()).isEqualTo(ofSeconds(2));
        GatePolicy off = GatePolicy.of(g -> g.maxHold(ZERO));
        pipeline.replace(off);
        assertThat(off.held()).isZero();
        Running<Verdict> well = call(Way.CALL_ASYNC, pipeline, Verdict.SUCCESS);
        assertThat(well.result()).isCompletedWithValue(Verdict.SUCCESS);
    }

    @Test
    void aGateInShadowCountsWhatItWouldHaveHeldAndHoldsNobody() {
        GatePolicy gate = GatePolicy.ofDefaults();
        ShadowPolicy shadow = ShadowPolicy.of(gate);
        Pipeline pipeline = pipeline(shadow);
        call(Way.CALL_ASYNC, pipeline, TWO_SECONDS);

        List<Running<Verdict>> others = crowd(Way.CALL_ASYNC, pipeline, 10);

        assertThat(others).allSatisfy(other -> assertThat(other.result()).isCompletedWithValue(Verdict.SUCCESS));
        assertThat(shadow.count(Decision.REJECTED)).isEqualTo(10);
        assertThat(gate.holds()).isOne();
        GatePolicy patient = GatePolicy.of(g -> g.maxWait(ofSeconds(5)));
        ShadowPolicy waiting = ShadowPolicy.of(patient);
        Pipeline second = pipeline(waiting);
        call(Way.CALL_ASYNC, second, TWO_SECONDS);
        call(Way.CALL_ASYNC, second, Verdict.SUCCESS);
        assertThat(waiting.count(Decision.DELAYED)).isOne();
        assertThat(starts).hasSize(13);
    }

    /** Each call waits for a second. */
    private static final class Waiting extends Policy {
        Waiting() {
            super("waiting", ENTER);
        }

        @Override
        public int enter(Passage passage) {
            return passage.pause(ofSeconds(1).toNanos());
        }
    }

    @ParameterizedTest
    @EnumSource
    void inShadowItHeedsNoPushbackOfACallThatItWouldHaveTurnedAwayAfterItsWait(Way way) {
        for (boolean active : new boolean[] {true, false}) {
            GatePolicy gate = GatePolicy.ofDefaults();
            ShadowPolicy shadow = ShadowPolicy.of(gate);
            Pipeline pipeline = pipeline(active ? gate : shadow, new Waiting());
            call(way, pipeline, TWO_SECONDS);
            time.advance(ofMillis(500));
            call(way, pipeline, Verdict.pushback(ofSeconds(8)));
            time.advance(ofSeconds(3));

            Running<Verdict> later = call(way, pipeline, Verdict.SUCCESS);
            time.run();

            assertThat(later.result()).isCompletedWithValue(Verdict.SUCCESS);
            assertThat(gate.rejected()).isOne();
            assertThat(gate.holds()).isOne();
            assertThat(shadow.count(Decision.REJECTED)).isEqualTo(active ? 0 : 1);
        }
    }

    @Test
    void metersTellForHowLongItIsHeldAndWhatHappened() {
        GatePolicy gate = GatePolicy.ofDefaults();
        RecordedMeters meters = new RecordedMeters();
        gate.meters(meters);
        Pipeline pipeline = pipeline(gate);
        assertThat(meters.values()).containsEntry("gate.held", 0.0);

        call(Way.CALL_ASYNC, pipeline, Verdict.SUCCESS.withUnreadableRetryAfter());
        call(Way.CALL_ASYNC, pipeline, TWO_SECONDS);
        crowd(Way.CALL_ASYNC, pipeline, 3);

        assertThat(meters.values())
                .containsEntry("gate.held", 2.0)
                .containsEntry("gate.holds", 1.0)
                .containsEntry("gate.rejected", 3.0)
                .containsEntry("gate.waited", 0.0)
                .containsEntry("gate.malformed", 1.0)
                .hasSize(5);
    }
}
