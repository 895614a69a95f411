/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.interplay;

import static dev.holdfast.interplay.Rig.millis;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Classifier;
import dev.holdfast.Verdict;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy.State;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.interplay.Rig.Step;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.throttling.GatePolicy;
import dev.holdfast.throttling.ThrottlePolicy;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The interplay table of DESIGN section 3 with the real policies, each test named after its row. */
@Logs({"fallback-inside-circuit-breaker", "fallback-inside-stale-cache", "retry-waits-without-deadline"})
@ThreadKind.Each
@Logs(value = "bulkhead-waits-beyond-deadline", sometimes = true)
class PoliciesInterplayTest {

    private static CircuitBreakerPolicy breaker() {
        return CircuitBreakerPolicy.of(b -> b.failureRateThreshold(50)
                .slidingWindowSize(10)
                .minimumNumberOfCalls(1)
                .permittedNumberOfCallsInHalfOpenState(1)
                .waitDurationInOpenState(millis(10_000)));
    }

    private static RetryPolicy retry() {
        return RetryPolicy.of(r -> r.maxAttempts(3).initialBackoff(millis(10)).jitter(Jitter.NONE));
    }

    private static BulkheadPolicy bulkhead(int permits) {
        return BulkheadPolicy.of(
                b -> b.maxConcurrentCalls(permits).maxWaitingCalls(100).maxWait(millis(60_000)));
    }

    /** One call every 10 ms. */
    private static ThrottlePolicy throttle() {
        return ThrottlePolicy.of(t -> t.limit(100).per(millis(1_000)).burst(1).maxWait(millis(60_000)));
    }

    private static StaleCachePolicy cache() {
        return StaleCachePolicy.of(
                c -> c.fresh(millis(100)).staleWhileRevalidate(millis(1_000)).staleIfError(millis(100_000)));
    }

    private static Step ill() {
        return Step.of(new IOException("ill"));
    }

    private static Classifier pushback(long millis) {
        Verdict busy = Verdict.pushback(millis(millis));
        return (value, error) -> error != null ? Verdict.FAILURE : "429".equals(value) ? busy : Verdict.SUCCESS;
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whenTheBreakerOpensWhileCallsWaitForTheThrottleEachIsAskedAgainAndItsReservationReturned(Way way) {
        CircuitBreakerPolicy breaker = breaker();
        ThrottlePolicy throttle = throttle();
        try (Rig rig = new Rig(way, breaker, throttle)) {
            Rig.Running first = rig.start(ill().after(15));
            Rig.Running second = rig.start(Step.of("served").after(1));
            Rig.Running third = rig.start(Step.of("never"));
            Rig.Running fourth = rig.start(Step.of("never"));
            rig.time.run();
            assertThat(first.end()).isEqualTo("ill at 15");
            assertThat(second.end()).isEqualTo("served LIVE at 11");
            assertThat(third.end()).isEqualTo("circuit-breaker CIRCUIT_OPEN at 20");
            assertThat(fourth.end()).isEqualTo("circuit-breaker CIRCUIT_OPEN at 30");
            assertThat(third.attempts.get() + fourth.attempts.get()).isZero();
            assertThat(throttle.givenBack()).isEqualTo(2);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whenARetryAfterOf5sMeetsAnOpenBreakerOf10sTheRetryWaitsForTheLaterOfTheTwo(Way way) {
        try (Rig rig = new Rig(way, pushback(5_000), retry(), breaker())) {
            assertThat(rig.run(Step.of("429"), Step.of("200")).end()).isEqualTo("200 LIVE at 10000");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whenARetryAfterOf15sMeetsAnOpenBreakerOf10sTheRetryWaitsForTheLaterOfTheTwo(Way way) {
        try (Rig rig = new Rig(way, pushback(15_000), retry(), breaker())) {
            assertThat(rig.run(Step.of("429"), Step.of("200")).end()).isEqualTo("200 LIVE at 15000");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whenTheLaterOfTheTwoDoesNotFitTheDeadlineTheCallFailsNow(Way way) {
        try (Rig rig = new Rig(way, pushback(5_000), DeadlinePolicy.of(millis(8_000)), retry(), breaker())) {
            assertThat(rig.run(Step.of("429"), Step.of("never")).end()).isEqualTo("429 LIVE at 0");
            assertThat(rig.told.text()).contains("no retry after 1 attempts: DEADLINE");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whenTheBreakerIsOpenedForADayTheCallUnderWayFailsNow(Way way) {
        CircuitBreakerPolicy breaker = breaker();
        try (Rig rig = new Rig(way, retry(), breaker)) {
            rig.at(5, () -> breaker.asResilience4j().transitionToOpenStateFor(Duration.ofDays(1)));
            Rig.Running running = rig.run(Step.of(new IOException("down")).after(20), Step.of("never"));
            assertThat(running.end()).isEqualTo("down at 20");
            assertThat(rig.told.text()).contains("no retry after 1 attempts: HELD");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whenTheGateIsHeldForLongerThanMaxRetryAfterTheCallFailsNow(Way way) {
        GatePolicy gate = GatePolicy.of(g -> g.maxHold(Duration.ofHours(1)).jitter(0));
        try (Rig rig = new Rig(way, pushback(60_000), retry(), gate)) {
            assertThat(rig.run(Step.of("429"), Step.of("never")).end()).isEqualTo("429 LIVE at 0");
            assertThat(rig.told.text()).contains("no retry after 1 attempts: HELD");
        }
        GatePolicy other = GatePolicy.of(g -> g.maxHold(millis(30_000)).jitter(0.1));
        try (Rig rig = new Rig(way, pushback(30_000), retry(), other)) {
            assertThat(rig.run(Step.of("429"), Step.of("200")).end())
                    .as("a hold of 30s is not refused for its jitter")
                    .startsWith("200 LIVE at 3");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whenTheRetryIsRejectedByTheOpenBreakerTheCallerGetsTheLastRealErrorAndTheObserverTheRejection(Way way) {
        CircuitBreakerPolicy breaker = breaker();
        Verdict after15 = Verdict.pushback(millis(15_000));
        Classifier asked = (value, error) -> error == null ? Verdict.SUCCESS : after15;
        try (Rig rig = new Rig(way, asked, retry(), breaker)) {
            // The only probe of the half-open breaker is under way when the retry is due.
            List<Rig.Running> probe = new ArrayList<>();
            rig.at(14_990, () -> probe.add(rig.start(Step.of("probe").after(50))));
            IOException real = new IOException("the last real error");
            Rig.Running running = rig.start(Step.of(real), Step.of("never"));
            rig.time.run();
            assertThat(running.error()).isSameAs(real).hasNoCause();
            assertThat(real.getSuppressed()).isEmpty();
            assertThat(running.attempts).hasValue(1);
            assertThat(probe.get(0).end()).isEqualTo("probe LIVE at 50");
            assertThat(rig.told.text()).contains("rejected by circuit-breaker: CIRCUIT_OPEN");
            assertThat(breaker.state()).isEqualTo(State.CLOSED);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whenOneDependencySays429ItHasOneOwnerAndIsCountedOnce(Way way) {
        CircuitBreakerPolicy breaker = breaker();
        try (Rig rig = new Rig(way, pushback(5_000), breaker, throttle(), bulkhead(5))) {
            rig.run(Step.of("429"));
            assertThat(breaker.asResilience4j().getMetrics().getNumberOfFailedCalls())
                    .isEqualTo(1);
            assertThat(breaker.state()).isEqualTo(State.OPEN);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whenAPermitIsHandedOverInTheMomentThatTheDeadlineWinsItComesBack(Way way) {
        BulkheadPolicy bulkhead = bulkhead(1);
        try (Rig rig = new Rig(way, bulkhead)) {
            Rig.Running holder = rig.start(Step.of("held").after(5));
            Rig.Running waiter = rig.start(call -> call.deadline(millis(5)), Step.of("never"));
            Rig.Running next = rig.start(Step.of("next").after(1));
            rig.time.run();
            assertThat(holder.end()).isEqualTo("held LIVE at 5");
            assertThat(waiter.end()).endsWith("DEADLINE_EXCEEDED at 5");
            assertThat(next.end()).isEqualTo("next LIVE at 6");
            assertThat(bulkhead.inFlight()).isZero();
            assertThat(bulkhead.waiting()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whenAPermitIsHandedOverInTheMomentThatTheCallerGivesUpItComesBack(Way way) {
        BulkheadPolicy bulkhead = bulkhead(1);
        try (Rig rig = new Rig(way, bulkhead)) {
            rig.start(Step.of("held").after(5));
            Rig.Running waiter = rig.start(Step.of("never"));
            Rig.Running next = rig.start(Step.of("next").after(1));
            rig.at(5, waiter::giveUp);
            rig.time.run();
            assertThat(next.end()).startsWith("next LIVE at ");
            assertThat(bulkhead.inFlight()).isZero();
            assertThat(bulkhead.waiting()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whenAThrottleReservationIsGivenUpCapacityIsRestoredAndLaterReservationsKeepTheirTimes(Way way) {
        ThrottlePolicy throttle = throttle();
        try (Rig rig = new Rig(way, throttle)) {
            Rig.Running first = rig.start(Step.of("first"));
            Rig.Running given = rig.start(Step.of("never"));
            Rig.Running third = rig.start(Step.of("third"));
            rig.at(5, given::giveUp);
            rig.time.run();
            assertThat(first.end()).isEqualTo("first LIVE at 0");
            assertThat(third.end()).isEqualTo("third LIVE at 20");
            assertThat(throttle.givenBack()).isEqualTo(1);
            assertThat(given.attempts).hasValue(0);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whenTheLeaderOfASharedFlightHasAShortDeadlineAWaiterTakesTheFlightOver(Way way) {
        try (Rig rig = new Rig(way, cache())) {
            Rig.Running leader = rig.start(
                    call -> call.key("k").deadline(millis(5)), Step.of("never").after(50));
            rig.time.advance(millis(1));
            Rig.Running heir =
                    rig.start(call -> call.key("k"), Step.of("loaded").after(10));
            Rig.Running other = rig.start(call -> call.key("k"), Step.of("never"));
            rig.time.run();
            assertThat(leader.end()).isEqualTo("timeout of call at 5");
            assertThat(heir.end()).isEqualTo("loaded LIVE at 14");
            assertThat(other.end()).isEqualTo("loaded LIVE at 14");
            assertThat(other.attempts).hasValue(0);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whenTheLeaderOfASharedFlightIsGivenUpAWaiterTakesTheFlightOver(Way way) {
        try (Rig rig = new Rig(way, cache())) {
            Rig.Running leader =
                    rig.start(call -> call.key("k"), Step.of("never").after(50));
            rig.time.advance(millis(1));
            Rig.Running heir =
                    rig.start(call -> call.key("k"), Step.of("loaded").after(10));
            rig.at(4, leader::giveUp);
            rig.time.run();
            assertThat(heir.end()).isEqualTo("loaded LIVE at 14");
            assertThat(heir.attempts).hasValue(1);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whenAWaiterOfASharedFlightHasAShortDeadlineItKeepsIt(Way way) {
        try (Rig rig = new Rig(way, cache())) {
            Rig.Running leader =
                    rig.start(call -> call.key("k"), Step.of("loaded").after(50));
            rig.time.advance(millis(1));
            Rig.Running waiter = rig.start(call -> call.key("k").deadline(millis(5)), Step.of("never"));
            rig.time.run();
            assertThat(waiter.end()).endsWith("DEADLINE_EXCEEDED at 5");
            assertThat(leader.end()).isEqualTo("loaded LIVE at 50");
        }
    }

    @ParameterizedTest
    @EnumSource(value = Way.class, names = "CALL")
    void whenTheCallersThreadIsInterruptedWhileItWaitsItIsRejectedNotRetriedNotCountedAndTheFlagStays(Way way) {
        CircuitBreakerPolicy breaker = breaker();
        BulkheadPolicy bulkhead = bulkhead(1);
        try (Rig rig = new Rig(way, retry(), breaker, bulkhead)) {
            rig.start(Step.of("held").after(50));
            Rig.Running waiter = rig.start(Step.of("never"));
            rig.at(5, waiter::giveUp);
            rig.time.run();
            assertThat(waiter.end()).isEqualTo("pipeline INTERRUPTED at 5");
            assertThat(waiter.flag()).isTrue();
            assertThat(waiter.attempts).hasValue(0);
            assertThat(bulkhead.inFlight()).isZero();
            assertThat(breaker.asResilience4j().getMetrics().getNumberOfBufferedCalls())
                    .isEqualTo(1);
        }
    }

    @ParameterizedTest
    @EnumSource(value = Way.class, names = "CALL")
    void whenTheActionThrowsInterruptedExceptionThatIsNotOursTheBreakerDoesNotCountIt(Way way) {
        CircuitBreakerPolicy breaker = breaker();
        try (Rig rig = new Rig(way, retry(), breaker)) {
            Rig.Running running = rig.run(Step.of(new InterruptedException("from outside")));
            assertThat(running.end()).isEqualTo("from outside at 0");
            assertThat(running.flag()).isTrue();
            assertThat(running.attempts).hasValue(1);
            assertThat(breaker.asResilience4j().getMetrics().getNumberOfBufferedCalls())
                    .isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whatTheBulkheadTurnsAwayTheBreakerDoesNotCountAndTheRetryDoesNotRepeat(Way way) {
        CircuitBreakerPolicy breaker = breaker();
        BulkheadPolicy full = BulkheadPolicy.of(b -> b.maxConcurrentCalls(1).maxWaitingCalls(0));
        try (Rig rig = new Rig(way, retry(), breaker, full)) {
            rig.start(Step.of("held").after(5));
            Rig.Running second = rig.start(Step.of("never"));
            rig.time.run();
            assertThat(second.end()).isEqualTo("bulkhead BULKHEAD_FULL at 0");
            assertThat(breaker.state()).isEqualTo(State.CLOSED);
            assertThat(breaker.asResilience4j().getMetrics().getNumberOfBufferedCalls())
                    .isEqualTo(1);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whatTheBulkheadTurnsAwayGivesTheHalfOpenProbeBack(Way way) {
        CircuitBreakerPolicy breaker = breaker();
        BulkheadPolicy bulkhead = BulkheadPolicy.of(b -> b.maxConcurrentCalls(1).maxWaitingCalls(0));
        try (Rig rig = new Rig(way, breaker, bulkhead)) {
            rig.run(ill());
            assertThat(breaker.state()).isEqualTo(State.OPEN);
            rig.time.advance(millis(10_001));
            // Somebody else, who does not go through the breaker, holds the only permit.
            try (Rig other = new Rig(way, bulkhead)) {
                other.start(Step.of("held").after(5));
                other.time.advance(millis(1));
                assertThat(rig.run(Step.of("never")).end()).isEqualTo("bulkhead BULKHEAD_FULL at 0");
                other.time.run();
            }
            assertThat(rig.run(Step.of("probe")).end()).isEqualTo("probe LIVE at 0");
            assertThat(breaker.state()).isEqualTo(State.CLOSED);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void attemptThatTimesOutIsCountedAtOnceButItsPermitFollowsTheWork(Way way) {
        CircuitBreakerPolicy breaker = breaker();
        BulkheadPolicy bulkhead = bulkhead(1);
        try (Rig rig = new Rig(way, breaker, bulkhead, TimeoutPolicy.of(millis(5)))) {
            Rig.Running running = rig.start(Step.of("late").after(50).stubbornly());
            rig.time.advance(millis(20));
            assertThat(bulkhead.inFlight()).isEqualTo(1);
            // A blocked caller is held by work that ignores its interrupt; an asynchronous one has its answer.
            assertThat(breaker.state()).isEqualTo(way == Way.CALL ? State.CLOSED : State.OPEN);
            rig.time.run();
            assertThat(running.end()).isEqualTo("timeout of timeout at " + (way == Way.CALL ? 50 : 5));
            assertThat(breaker.state()).isEqualTo(State.OPEN);
            assertThat(bulkhead.inFlight()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whenTheDeadlineStrikesTheStaleCacheInsideItStillAnswers(Way way) {
        try (Rig rig = new Rig(way, DeadlinePolicy.of(millis(50)), cache(), retry())) {
            Rig.Running load = rig.start(call -> call.key("k"), Step.of("old"));
            rig.time.run();
            assertThat(load.end()).isEqualTo("old LIVE at 0");
            rig.time.advance(millis(5_000));
            Rig.Running slow = rig.start(call -> call.key("k"), Step.of("never").after(100));
            rig.time.run();
            assertThat(slow.end()).isEqualTo("old STALE_ON_ERROR at 50");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whenTheBreakerIsOpenTheStaleCacheAnswers(Way way) {
        try (Rig rig = new Rig(way, cache(), breaker())) {
            rig.start(call -> call.key("k"), Step.of("old"));
            rig.time.run();
            rig.time.advance(millis(5_000));
            Rig.Running opening = rig.start(call -> call.key("k"), ill());
            rig.time.run();
            assertThat(opening.end()).isEqualTo("old STALE_ON_ERROR at 0");
            Rig.Running open = rig.start(call -> call.key("k"), Step.of("never"));
            rig.time.run();
            assertThat(open.end()).isEqualTo("old STALE_ON_ERROR at 0");
            assertThat(open.attempts).hasValue(0);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whatAFallbackMadeUpIsNeitherStoredNorCountedAsAnAnswerOfTheDependency(Way way) {
        StaleCachePolicy cache = cache();
        CircuitBreakerPolicy breaker = breaker();
        try (Rig rig = new Rig(way, cache, breaker, FallbackPolicy.value("made up"))) {
            Rig.Running running = rig.start(call -> call.key("k"), ill());
            rig.time.run();
            assertThat(running.end()).isEqualTo("made up FALLBACK at 0");
            assertThat(cache.size()).isZero();
            assertThat(breaker.asResilience4j().getMetrics().getNumberOfSuccessfulCalls())
                    .isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void waitForThePermitCountsAgainstTheDeadlineButNotAgainstTheTimeout(Way way) {
        BulkheadPolicy bulkhead = bulkhead(1);
        try (Rig rig = new Rig(way, DeadlinePolicy.of(millis(100)), bulkhead, TimeoutPolicy.of(millis(40)))) {
            Rig.Running holder = rig.start(Step.of("held").after(35));
            Rig.Running waiter = rig.start(Step.of("served").after(35));
            Rig.Running last = rig.start(Step.of("never").after(35));
            rig.time.run();
            assertThat(holder.end()).isEqualTo("held LIVE at 35");
            assertThat(waiter.end()).isEqualTo("served LIVE at 70");
            assertThat(last.end()).isEqualTo("timeout of deadline at 100");
            assertThat(bulkhead.inFlight()).isZero();
        }
    }
}
