/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerSettings;
import dev.holdfast.circuitbreaker.CircuitBreakerSettings.SlidingWindowType;
import dev.holdfast.circuitbreaker.Engines;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** What the engine does with tokens, leases, running calls and pushback, which resilience4j does not have. */
class EngineTest {
    private static final long MILLISECOND = 1_000_000;
    private static final long WAIT = 200 * MILLISECOND;
    private static final long LEASE = 5_000 * MILLISECOND;

    private final List<String> told = new ArrayList<>();

    private final Witness witness = new Witness() {
        @Override
        public void exceeded(int thresholds, Totals totals) {
            told.add("exceeded " + thresholds + " at " + totals.failureRate() + ", " + totals.slowRate());
        }

        @Override
        public void changed(State from, State to) {
            told.add(from + " > " + to);
        }

        @Override
        public void reset() {
            told.add("reset");
        }
    };

    private Engine engine(UnaryOperator<CircuitBreakerSettings.Builder> options) {
        CircuitBreakerSettings.Builder builder = CircuitBreakerSettings.builder()
                .slidingWindowSize(10)
                .minimumNumberOfCalls(4)
                .permittedNumberOfCallsInHalfOpenState(2)
                .waitDurationInOpenState(Duration.ofNanos(WAIT))
                .waitMultiplierInOpenState(1);
        return Engines.of(options.apply(builder).build(), witness);
    }

    private Engine engine() {
        return engine(b -> b);
    }

    private static void calls(Engine engine, int count, int kind, long now) {
        for (int i = 0; i < count; i++) {
            engine.record(engine.acquire(now), kind, now);
        }
    }

    /** Half-open at {@link #WAIT} + 1, without a probe out. */
    private Engine halfOpen(UnaryOperator<CircuitBreakerSettings.Builder> options) {
        Engine engine = engine(options);
        calls(engine, 4, Window.FAILED, 0);
        engine.release(engine.acquire(WAIT + 1), false, WAIT + 1);
        assertThat(engine.life().state).isEqualTo(State.HALF_OPEN);
        told.clear();
        return engine;
    }

    @Test
    void resultOfAnEarlierGenerationChangesNothing() {
        Engine engine = engine();
        List<Long> early = List.of(engine.acquire(0), engine.acquire(0), engine.acquire(0), engine.acquire(0));
        engine.reset(0);
        for (long token : early) {
            engine.record(token, Window.FAILED, 0);
            engine.release(token, true, 0);
            engine.overdue(token, 0);
            engine.hold(token, LEASE, 0);
        }
        assertThat(engine.life().state).isEqualTo(State.CLOSED);
        assertThat(engine.life().window.totals(0))
                .isEqualTo(engine().life().window.totals(0));
    }

    @Test
    void resultFromClosedIsNotTakenForAProbes() {
        Engine engine = engine();
        long early = engine.acquire(0);
        calls(engine, 4, Window.FAILED, 0);
        long probe = engine.acquire(WAIT + 1);
        engine.record(early, Window.GOOD, WAIT + 1);
        engine.record(early, Window.GOOD, WAIT + 1);
        assertThat(engine.life().window.totals(WAIT + 1).calls()).isZero();
        engine.record(probe, Window.FAILED, WAIT + 1);
        assertThat(engine.life().window.totals(WAIT + 1).calls()).isOne();
    }

    @Test
    void tokensOfTwoLivesAndTwoProbesDiffer() {
        Engine engine = halfOpen(b -> b);
        long one = engine.acquire(WAIT + 1);
        long two = engine.acquire(WAIT + 1);
        assertThat(one).isNotEqualTo(two);
        assertThat(one >>> 32).isEqualTo(two >>> 32).isNotZero();
        engine.moveTo(State.CLOSED, WAIT + 1);
        assertThat(engine.acquire(WAIT + 1) >>> 32).isEqualTo((one >>> 32) + 1);
    }

    @Test
    void aHoldLastsWhereverTheClockBegan() {
        for (long begin : new long[] {0, -1_000_000_000_000_000L, Long.MAX_VALUE - LEASE / 2}) {
            Engine engine = engine();
            engine.hold(engine.acquire(begin), LEASE, begin);
            engine.hold(engine.acquire(begin), WAIT, begin);
            calls(engine, 4, Window.FAILED, begin);
            assertThat(engine.life().nanosLeft(begin)).isEqualTo(LEASE + 1);
        }
    }

    @Test
    void generationsThatHaveRunOutBeginAtOneAgain() {
        Window window = new NoWindow(new Thresholds(1, 1, 1, false, 1));
        Life last = new Life.Builder(State.CLOSED, 0xffff_ffffL, window).begin();
        assertThat(last.token).isEqualTo(0xffff_ffff_0000_0000L);
        assertThat(last.admitted(0xffff_ffff_0000_0007L)).isTrue();
        assertThat(Engine.generationAfter(last)).isOne();
        assertThat(Engine.generationAfter(new Life.Builder(State.CLOSED, 0xffff_fffeL, window).begin()))
                .isEqualTo(0xffff_ffffL);
        assertThat(Engine.generationAfter(new Life.Builder(State.CLOSED, 7, window).begin()))
                .isEqualTo(8);
    }

    @Test
    void probeThatGivesItsPermitBackTwiceMakesNoSecondPlace() {
        Engine engine = halfOpen(b -> b);
        long one = engine.acquire(WAIT + 1);
        long two = engine.acquire(WAIT + 1);
        engine.release(one, false, WAIT + 1);
        engine.release(one, false, WAIT + 1);
        assertThat(engine.acquire(WAIT + 1)).isNotEqualTo(Engine.REFUSED).isNotEqualTo(one);
        assertThat(engine.acquire(WAIT + 1)).isEqualTo(Engine.REFUSED);
        engine.record(two, Window.FAILED, WAIT + 1);
        engine.release(two, false, WAIT + 1);
        assertThat(engine.acquire(WAIT + 1)).isEqualTo(Engine.REFUSED);
    }

    @Test
    void probeThatNeverReportsLosesItsPermitAfterTheLeaseAndNotBefore() {
        Engine engine = halfOpen(b -> b.probeLease(Duration.ofNanos(LEASE)));
        long start = WAIT + 1;
        long first = engine.acquire(start);
        long second = engine.acquire(start + 10);
        assertThat(engine.acquire(start + LEASE - 1)).isEqualTo(Engine.REFUSED);
        long third = engine.acquire(start + LEASE);
        assertThat(third).isNotIn(Engine.REFUSED, first, second);
        assertThat(engine.acquire(start + LEASE)).isEqualTo(Engine.REFUSED);
        // What the first one gives back is not its own any more.
        engine.release(first, false, start + LEASE);
        assertThat(engine.acquire(start + LEASE)).isEqualTo(Engine.REFUSED);
        assertThat(engine.acquire(start + 10 + LEASE)).isNotIn(Engine.REFUSED, third);
        assertThat(engine.life().window.notPermitted()).isEqualTo(3);
    }

    @Test
    void lateResultOfAProbeStillCounts() {
        Engine engine = halfOpen(b -> b.probeLease(Duration.ofNanos(LEASE)).failureRateThreshold(50));
        long first = engine.acquire(WAIT + 1);
        long second = engine.acquire(WAIT + 1);
        long later = WAIT + 1 + LEASE;
        assertThat(engine.acquire(later)).isNotEqualTo(Engine.REFUSED);
        engine.record(first, Window.GOOD, later);
        assertThat(engine.life().state).isEqualTo(State.HALF_OPEN);
        engine.record(second, Window.GOOD, later);
        assertThat(engine.life().state).isEqualTo(State.CLOSED);
    }

    @Test
    void withoutALeaseAProbeKeepsItsPermit() {
        Engine engine = halfOpen(b -> b.probeLease(Duration.ZERO));
        calls(engine, 1, Window.FAILED, WAIT + 1);
        assertThat(engine.acquire(WAIT + 1)).isNotEqualTo(Engine.REFUSED);
        assertThat(engine.acquire(WAIT + 1)).isEqualTo(Engine.REFUSED);
        assertThat(engine.acquire(Long.MAX_VALUE / 2)).isEqualTo(Engine.REFUSED);
    }

    @Test
    void permitThatIsUsedUpHasNoLease() {
        Engine engine = halfOpen(b -> b.permittedNumberOfCallsInHalfOpenState(3).probeLease(Duration.ofNanos(LEASE)));
        calls(engine, 1, Window.FAILED, WAIT + 1);
        long out = engine.acquire(WAIT + 100);
        assertThat(engine.acquire(WAIT + 100)).isNotEqualTo(Engine.REFUSED);
        assertThat(engine.acquire(WAIT + LEASE + 1)).isEqualTo(Engine.REFUSED);
        engine.release(out, false, WAIT + LEASE + 1);
        assertThat(engine.acquire(WAIT + LEASE + 1)).isNotEqualTo(Engine.REFUSED);
    }

    @Test
    void halfOpenThatLastsTooLongIsOver() {
        UnaryOperator<CircuitBreakerSettings.Builder> options =
                b -> b.maxWaitDurationInHalfOpenState(Duration.ofSeconds(1));
        Engine engine = halfOpen(options);
        long end = WAIT + 1 + 1_000 * MILLISECOND;
        assertThat(engine.life(end - 1).state).isEqualTo(State.HALF_OPEN);
        assertThat(engine.life(end).state).isEqualTo(State.OPEN);
        assertThat(told).containsExactly("HALF_OPEN > OPEN");
        Engine lenient =
                halfOpen(b -> options.apply(b).transitionToStateAfterWaitDuration(CircuitBreakerPolicy.State.CLOSED));
        assertThat(lenient.acquire(end)).isNotEqualTo(Engine.REFUSED);
        assertThat(lenient.life().state).isEqualTo(State.CLOSED);
    }

    @Test
    void becomesHalfOpenByItselfWhereThatIsWanted() {
        Engine engine = engine(b -> b.automaticTransitionFromOpenToHalfOpenEnabled(true));
        calls(engine, 4, Window.FAILED, 0);
        assertThat(engine.life(WAIT - 1).state).isEqualTo(State.OPEN);
        assertThat(engine.life(WAIT).state).isEqualTo(State.HALF_OPEN);
        Engine waiting = engine();
        calls(waiting, 4, Window.FAILED, 0);
        assertThat(waiting.life(WAIT + 1).state).isEqualTo(State.OPEN);
    }

    @Test
    void waitGrowsWithEachOpeningInARowAndIsTheFirstAgainAfterClosing() {
        Engine engine = engine(b -> b.waitMultiplierInOpenState(2));
        calls(engine, 4, Window.FAILED, 0);
        assertThat(engine.life().nanosLeft(0)).isEqualTo(WAIT + 1);
        long probing = WAIT + 1;
        calls(engine, 2, Window.FAILED, probing);
        assertThat(engine.life().nanosLeft(probing)).isEqualTo(2 * WAIT + 1);
        probing += 2 * WAIT + 1;
        calls(engine, 2, Window.FAILED, probing);
        assertThat(engine.life().nanosLeft(probing)).isEqualTo(4 * WAIT + 1);
        probing += 4 * WAIT + 1;
        calls(engine, 1, Window.GOOD, probing);
        assertThat(engine.life().state).isEqualTo(State.CLOSED);
        calls(engine, 4, Window.FAILED, probing);
        assertThat(engine.life().nanosLeft(probing)).isEqualTo(WAIT + 1);
    }

    @Test
    void runningCallsThatAreSlowAlreadyOpenIt() {
        Engine engine = engine();
        List<Long> hung = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            hung.add(engine.acquire(0));
        }
        for (long token : hung.subList(0, 3)) {
            engine.overdue(token, 1);
        }
        assertThat(engine.life().state).isEqualTo(State.CLOSED);
        engine.overdue(hung.get(3), 1);
        assertThat(engine.life().state).isEqualTo(State.OPEN);
        assertThat(told).containsExactly("exceeded " + Thresholds.SLOW + " at -1.0, 100.0", "CLOSED > OPEN");
    }

    @Test
    void runningCallsAreNoFailuresAndDoNotCoverThemUp() {
        Engine engine = engine(b -> b.failureRateThreshold(50));
        calls(engine, 3, Window.FAILED, 0);
        for (int i = 0; i < 3; i++) {
            engine.overdue(engine.acquire(0), 0);
        }
        assertThat(engine.life().state).isEqualTo(State.CLOSED);
        calls(engine, 1, Window.FAILED, 0);
        assertThat(told).first().asString().startsWith("exceeded " + Thresholds.FAILING + " at 100.0");
    }

    @Test
    void runningCallThatEndsIsCountedOnceAndAsSlow() {
        Engine engine = engine(b -> b.slowCallRateThreshold(50));
        calls(engine, 5, Window.GOOD, 0);
        long token = engine.acquire(0);
        engine.overdue(token, 0);
        assertThat(engine.life().window.totals(0)).isEqualTo(new Totals(5, 0, 0, 0, 1, 0, 100f / 6));
        engine.recordOverdue(token, Window.GOOD, 0);
        assertThat(engine.life().window.totals(0)).isEqualTo(new Totals(6, 0, 1, 0, 0, 0, 100f / 6));
        long failed = engine.acquire(0);
        engine.overdue(failed, 0);
        engine.recordOverdue(failed, Window.FAILED, 0);
        assertThat(engine.life().window.totals(0)).isEqualTo(new Totals(7, 1, 2, 1, 0, 100f / 7, 200f / 7));
    }

    @Test
    void runningCallThatIsGivenUpIsNotCountedAnyMore() {
        Engine engine = engine();
        long token = engine.acquire(0);
        engine.overdue(token, 0);
        engine.release(token, true, 0);
        assertThat(engine.life().window.totals(0).overdue()).isZero();
        for (int i = 0; i < 3; i++) {
            engine.overdue(engine.acquire(0), 0);
        }
        assertThat(engine.life().state).isEqualTo(State.CLOSED);
    }

    @Test
    void callThatEndsBeforeItIsToldToBeOverdueLeavesNothingBehind() {
        Engine engine = engine();
        long token = engine.acquire(0);
        engine.recordOverdue(token, Window.GOOD, 0);
        assertThat(engine.life().window.totals(0).overdue()).isZero();
        engine.overdue(token, 0);
        assertThat(engine.life().window.totals(0)).isEqualTo(new Totals(1, 0, 1, 0, 0, -1, -1));
    }

    @Test
    void runningProbesThatAreSlowAlreadyOpenItAgain() {
        Engine engine = halfOpen(b -> b);
        engine.overdue(engine.acquire(WAIT + 1), WAIT + 2);
        assertThat(engine.life().state).isEqualTo(State.HALF_OPEN);
        engine.overdue(engine.acquire(WAIT + 2), WAIT + 2);
        assertThat(engine.life().state).isEqualTo(State.OPEN);
    }

    @Test
    void overdueProbeThatEndsUsesItsPermitUpAndDecides() {
        Engine engine = halfOpen(b -> b);
        long now = WAIT + 1;
        long one = engine.acquire(now);
        engine.overdue(one, now);
        long two = engine.acquire(now);
        engine.record(two, Window.GOOD, now);
        engine.recordOverdue(one, Window.GOOD, now);
        assertThat(engine.life().state).isEqualTo(State.CLOSED);
        Engine another = halfOpen(b -> b);
        long early = another.acquire(now);
        another.overdue(early, now);
        another.recordOverdue(early, Window.GOOD, now);
        another.release(early, false, now);
        assertThat(another.acquire(now)).isNotEqualTo(Engine.REFUSED);
        assertThat(another.acquire(now)).isEqualTo(Engine.REFUSED);
    }

    @Test
    void permitThatHasBeenOutForLongestIsTakenAwayFirst() {
        Engine engine = halfOpen(b -> b.probeLease(Duration.ofNanos(LEASE)));
        long start = WAIT + 1;
        engine.release(engine.acquire(start), false, start);
        long first = engine.acquire(start);
        long second = engine.acquire(start + 10);
        engine.release(first, false, start + 20);
        long again = engine.acquire(start + 20);
        assertThat(engine.acquire(start + 10 + LEASE)).isNotIn(Engine.REFUSED, again, second);
        engine.release(second, false, start + 10 + LEASE);
        assertThat(engine.acquire(start + 10 + LEASE)).isEqualTo(Engine.REFUSED);
        engine.release(again, false, start + 10 + LEASE);
        assertThat(engine.acquire(start + 10 + LEASE)).isNotEqualTo(Engine.REFUSED);
    }

    @Test
    void openThatIsOverHasNoTimeLeft() {
        Engine engine = engine();
        calls(engine, 4, Window.FAILED, 0);
        assertThat(engine.life().nanosLeft(WAIT)).isOne();
        assertThat(engine.life().nanosLeft(WAIT + 1)).isEqualTo(-1);
    }

    @Test
    void pushbackIsCountedFromTheMomentItWasToldInWhateverLife() {
        Engine engine = engine();
        engine.reset(1_000);
        engine.hold(engine.acquire(2_000), 10 * WAIT, 2_000);
        calls(engine, 4, Window.FAILED, 3_000);
        assertThat(engine.life().nanosLeft(3_000)).isEqualTo(10 * WAIT - 1_000 + 1);
    }

    @Test
    void pushbackHoldsItOpenOnceItOpens() {
        Engine engine = engine();
        engine.hold(engine.acquire(0), 10 * WAIT, 5);
        engine.hold(engine.acquire(0), WAIT, 6);
        calls(engine, 4, Window.FAILED, 10);
        assertThat(engine.life().nanosLeft(10)).isEqualTo(10 * WAIT - 5 + 1);
    }

    @Test
    void pushbackThatIsShorterThanTheWaitChangesNothing() {
        Engine engine = engine();
        engine.hold(engine.acquire(0), WAIT - 1, 0);
        calls(engine, 4, Window.FAILED, 0);
        assertThat(engine.life().nanosLeft(0)).isEqualTo(WAIT + 1);
        assertThat(engine.life().heldFor(0)).isZero();
    }

    @Test
    void metricsOnlyTellsEachThresholdOnce() {
        Engine engine = engine(b -> b.failureRateThreshold(50).slowCallRateThreshold(50));
        engine.moveTo(State.METRICS_ONLY, 0);
        told.clear();
        calls(engine, 8, Window.FAILED, 0);
        assertThat(told).containsExactly("exceeded " + Thresholds.FAILING + " at 100.0, 0.0");
        calls(engine, 20, Window.FAILED | Window.SLOW, 0);
        assertThat(told).hasSize(2).last().asString().startsWith("exceeded " + Thresholds.SLOW + " at ");
        assertThat(engine.life().state).isEqualTo(State.METRICS_ONLY);
    }

    @Test
    void statesThatRememberNothingStayAsTheyAre() {
        Engine engine = engine();
        engine.moveTo(State.DISABLED, 0);
        calls(engine, 100, Window.FAILED, 0);
        engine.overdue(engine.acquire(0), 0);
        engine.recordUntracked(Window.GOOD, 0, 1);
        assertThat(engine.life().state).isEqualTo(State.DISABLED);
        engine.moveTo(State.FORCED_OPEN, 0);
        engine.recordUntracked(Window.FAILED, 0, 1);
        assertThat(engine.acquire(Long.MAX_VALUE / 2)).isEqualTo(Engine.REFUSED);
        assertThat(engine.life().window.totals(0)).isEqualTo(Totals.NONE);
        assertThat(engine.life().window.notPermitted()).isOne();
    }

    @Test
    void changeThatResilience4jDoesNotAllowIsRefused() {
        Engine engine = engine();
        assertThat(engine.moveTo(State.HALF_OPEN, 0)).isEqualTo(State.CLOSED);
        assertThat(engine.moveTo(State.METRICS_ONLY, 0)).isNull();
        assertThat(engine.openFor(1, 0)).isEqualTo(State.METRICS_ONLY);
        assertThat(told).containsExactly("CLOSED > METRICS_ONLY");
    }

    @Test
    void resetForgetsAndTellsSoAfterTheChange() {
        Engine engine = engine();
        calls(engine, 4, Window.FAILED, 0);
        told.clear();
        engine.reset(0);
        assertThat(told).containsExactly("OPEN > CLOSED", "reset");
        assertThat(engine.life().window.totals(0).calls()).isZero();
    }

    @Test
    void timeThatPassesItsOriginIsTimeLikeAnyOther() {
        Engine engine =
                engine(b -> b.slidingWindowType(SlidingWindowType.TIME_BASED).slidingWindowSize(2));
        calls(engine, 4, Window.FAILED, -WAIT);
        assertThat(engine.acquire(0)).isEqualTo(Engine.REFUSED);
        assertThat(engine.acquire(1)).isNotEqualTo(Engine.REFUSED);
    }

    @Test
    void timeMayRunOverTheEndOfItsRange() {
        Engine engine = engine();
        long last = Long.MAX_VALUE;
        calls(engine, 4, Window.FAILED, last);
        assertThat(engine.acquire(last + WAIT)).isEqualTo(Engine.REFUSED);
        assertThat(engine.acquire(last + WAIT + 1)).isNotEqualTo(Engine.REFUSED);
    }

    @Test
    void goodProbeThatEndsWhileAnothersVerdictIsUnderWayDecidesToo() {
        Engine engine = Engines.of(CircuitBreakerSettings.of(b -> b.permittedNumberOfCallsInHalfOpenState(2)
                .failureRateThreshold(60)
                .initialState(CircuitBreakerPolicy.State.HALF_OPEN)));
        engine.recordUntracked(Window.FAILED, 0, 1);
        // Another thread has counted its failure and not come to open yet.
        assertThat(Thresholds.exceeded(engine.life().window.record(Window.FAILED, 0)))
                .isTrue();
        engine.recordUntracked(Window.GOOD, 0, 1);
        assertThat(engine.life().state).isEqualTo(State.CLOSED);
    }

    @Test
    void permitsThatAreUsedUpWithoutAVerdictComeBack() {
        Probes probes = new Probes(2, 100);
        int one = probes.take(0, Probes.TRACKED);
        int two = probes.take(1, Probes.TRACKED);
        probes.used(one);
        probes.used(two);
        assertThat(probes.take(99, Probes.TRACKED)).isZero();
        assertThat(probes.take(100, Probes.TRACKED)).isNotZero();
    }
}
