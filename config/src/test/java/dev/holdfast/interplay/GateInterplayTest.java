/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.interplay;

import static dev.holdfast.interplay.Rig.millis;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Classifier;
import dev.holdfast.Pipeline;
import dev.holdfast.Verdict;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy.State;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.interplay.Rig.Step;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.throttling.GatePolicy;
import dev.holdfast.throttling.GateSettings;
import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The gate between the real policies: it alone obeys a pushback, and a call that it holds costs the others nothing. */
@Logs("probes-above-permits")
@Logs(value = "bulkhead-waits-beyond-deadline", sometimes = true)
class GateInterplayTest {
    private static final Verdict FOUR_SECONDS = Verdict.pushback(Duration.ofSeconds(4));
    private static final Classifier POLITE =
            (value, error) -> "429".equals(value) ? FOUR_SECONDS : Classifier.DEFAULT.classify(value, error);

    /** One failure opens it, for a second. */
    private static CircuitBreakerPolicy breaker() {
        return CircuitBreakerPolicy.of(b -> b.failureRateThreshold(50)
                .slidingWindowSize(10)
                .minimumNumberOfCalls(1)
                .waitDurationInOpenState(millis(1_000))
                .maxWaitDurationInOpenState(millis(1_000))
                .automaticTransitionFromOpenToHalfOpenEnabled(true));
    }

    private static GatePolicy gate(Consumer<GateSettings.Builder> changes) {
        return GatePolicy.of(g -> changes.accept(g.jitter(0)));
    }

    private static void assertOpenFor(CircuitBreakerPolicy breaker, Rig rig, long millis) {
        assertThat(breaker.state()).isEqualTo(State.OPEN);
        rig.time.advance(millis(millis - 1));
        assertThat(breaker.state()).isEqualTo(State.OPEN);
        rig.time.advance(millis(1));
        assertThat(breaker.state()).isEqualTo(State.HALF_OPEN);
    }

    private static void pushedBack(Rig rig) {
        Rig.Running told = rig.start(Step.of("429"));
        rig.time.advance(Duration.ZERO);
        assertThat(told.end()).isEqualTo("429 LIVE at 0");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aPushbackHoldsTheBreakerOpenOnlyIfNoGateObeysIt(Way way) {
        CircuitBreakerPolicy alone = breaker();
        try (Rig rig = new Rig(way, POLITE, alone)) {
            pushedBack(rig);
            assertOpenFor(alone, rig, 4_000);
        }
        CircuitBreakerPolicy behind = breaker();
        GatePolicy gate = gate(g -> {});
        try (Rig rig = new Rig(way, POLITE, behind, gate)) {
            pushedBack(rig);
            assertThat(gate.held()).isEqualTo(millis(4_000));
            assertOpenFor(behind, rig, 1_000);
            Rig.Running probe = rig.start(Step.of("never"));
            rig.time.advance(Duration.ZERO);
            assertThat(probe.end()).isEqualTo("gate THROTTLED at 0");
            assertThat(behind.state()).as("the gate's rejection is no result").isEqualTo(State.HALF_OPEN);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aPushbackThatComesTooLateToHoldTheGateDoesNotHoldTheBreaker(Way way) {
        CircuitBreakerPolicy breaker = breaker();
        GatePolicy gate = gate(g -> g.maxHold(millis(500)));
        try (Rig rig = new Rig(way, POLITE, breaker, gate)) {
            Rig.Running late = rig.start(Step.of("429").after(600));
            rig.time.advance(Duration.ZERO);
            try (Pipeline other = pipeline(rig.time, gate)) {
                assertThat(other.call(() -> "429")).isEqualTo("429");
            }
            rig.time.advance(millis(600));
            assertThat(late.end()).isEqualTo("429 LIVE at 600");
            assertThat(gate.holds()).isOne();
            assertOpenFor(breaker, rig, 1_000);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aGateThatIsOffOrInShadowLeavesThePushbackToTheBreaker(Way way) {
        for (Policy idle : List.of(gate(g -> g.maxHold(Duration.ZERO)), ShadowPolicy.of(gate(g -> {})))) {
            CircuitBreakerPolicy breaker = breaker();
            try (Rig rig = new Rig(way, POLITE, breaker, idle)) {
                pushedBack(rig);
                assertOpenFor(breaker, rig, 4_000);
            }
        }
    }

    /** One breaker in two pipelines obeys what comes through the one that has no gate. */
    @Test
    void aSharedBreakerObeysThePushbacksThatNoGateHasSeen() {
        CircuitBreakerPolicy shared = CircuitBreakerPolicy.of(b -> b.failureRateThreshold(50)
                .minimumNumberOfCalls(2)
                .waitDurationInOpenState(millis(1_000))
                .maxWaitDurationInOpenState(millis(1_000))
                .automaticTransitionFromOpenToHalfOpenEnabled(true));
        try (VirtualTime time = new VirtualTime();
                Pipeline gated = pipeline(time, shared, gate(g -> g.maxHold(millis(60_000))));
                Pipeline plain = pipeline(time, shared)) {
            assertThat(plain.call(() -> "429")).isEqualTo("429");
            time.advance(millis(500));
            assertThat(gated.call(() -> "429")).isEqualTo("429");
            assertThat(shared.state()).isEqualTo(State.OPEN);

            time.advance(millis(3_499));
            assertThat(shared.state())
                    .as("held by what the plain pipeline was told")
                    .isEqualTo(State.OPEN);
            time.advance(millis(1));
            assertThat(shared.state()).as("and no longer").isEqualTo(State.HALF_OPEN);
        }
    }

    private static Pipeline pipeline(VirtualTime time, Policy... policies) {
        return Pipeline.builder("stock")
                .policies(policies)
                .classifier(POLITE)
                .time(time)
                .build();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callsThatTheGateHoldsHaveNoPermitAndAreNoFailures(Way way) {
        CircuitBreakerPolicy breaker = CircuitBreakerPolicy.of(b -> b.minimumNumberOfCalls(10));
        BulkheadPolicy bulkhead = BulkheadPolicy.of(b -> b.maxConcurrentCalls(1).maxWaitingCalls(0));
        GatePolicy gate = GatePolicy.of(g -> g.maxWait(millis(10_000)));
        try (Rig rig = new Rig(way, POLITE, breaker, gate, bulkhead)) {
            pushedBack(rig);
            List<Rig.Running> held = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                held.add(rig.start(Step.of("served")));
            }
            rig.time.advance(millis(3_999));
            assertThat(bulkhead.inFlight()).isZero();
            rig.time.run();
            assertThat(held).allSatisfy(call -> assertThat(call.end()).startsWith("served LIVE at 4"));
            assertThat(breaker.asResilience4j().getMetrics().getNumberOfFailedCalls())
                    .as("the pushback alone")
                    .isOne();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aHedgeDoesNotPassAGateThatIsHeld(Way way) {
        GatePolicy gate = GatePolicy.of(g -> g.maxWait(millis(10_000)));
        HedgePolicy hedge = HedgePolicy.of(h -> h.delay(millis(100)));
        try (Rig rig = new Rig(way, POLITE, hedge, gate)) {
            Rig.Running slow = rig.start(Step.of("slow").after(1_000));
            Rig.Running told = rig.start(Step.of("429").after(50));
            rig.time.run();
            assertThat(told.end()).isEqualTo("429 LIVE at 50");
            assertThat(slow.end()).isEqualTo("slow LIVE at 1000");
            assertThat(slow.attempts).hasValue(1);
        }
    }
}
