/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import static dev.holdfast.circuitbreaker.Rig.ILL;
import static dev.holdfast.circuitbreaker.Rig.WELL;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Reason;
import dev.holdfast.Reply;
import dev.holdfast.Reply.Source;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy.State;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import java.time.Duration;
import java.util.function.ToIntFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What policies further in do to a breaker, its own engine's and resilience4j's. */
class BetweenOtherPoliciesTest {
    /** Far longer than what passes of the system's time before a pipeline brings its own. */
    private static final Duration WAIT = Duration.ofHours(1);

    private enum Kind {
        OWN {
            @Override
            Breaker make() {
                return Breaker.own(CircuitBreakerPolicy.of(
                        b -> b.permittedNumberOfCallsInHalfOpenState(1).minimumNumberOfCalls(4)));
            }
        },
        EXISTING {
            @Override
            Breaker make() {
                return Breaker.existing(CircuitBreaker.of(
                        "existing",
                        CircuitBreakerConfig.custom()
                                .permittedNumberOfCallsInHalfOpenState(1)
                                .minimumNumberOfCalls(4)
                                .build()));
            }
        };

        abstract Breaker make();
    }

    private static Policy inside(ToIntFunction<Passage> enter) {
        return new Policy("inside", Policy.ENTER) {
            @Override
            public int enter(Passage passage) {
                return enter.applyAsInt(passage);
            }
        };
    }

    private static void assertOnePermit(CircuitBreaker breaker) {
        assertThat(breaker.getState()).isEqualTo(CircuitBreaker.State.HALF_OPEN);
        assertThat(breaker.tryAcquirePermission()).isTrue();
        assertThat(breaker.tryAcquirePermission()).isFalse();
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void probeThatIsTurnedAwayFurtherInIsGivenBack(Kind kind) {
        Breaker breaker = kind.make().halfOpen();
        try (Rig rig = new Rig(Way.CALL, breaker.policy(), inside(p -> p.reject(Reason.BULKHEAD_FULL, -1, "full")))) {
            assertThat(rig.rejection().reason()).isEqualTo(Reason.BULKHEAD_FULL);
        }
        assertOnePermit(breaker.view());
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void probeThatIsAnsweredWithoutTheDependencyIsGivenBack(Kind kind) {
        Breaker breaker = kind.make().halfOpen();
        try (Rig rig = new Rig(Way.CALL, breaker.policy(), inside(p -> p.answer("old", Source.FRESH, 0)))) {
            assertThat(rig.run(WELL).join().value()).isEqualTo("old");
        }
        assertOnePermit(breaker.view());
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void callThatWaitedFurtherInWhileItOpenedIsTurnedAway(Kind kind) {
        Breaker breaker = kind.make();
        try (Rig rig = new Rig(Way.CALL_ASYNC, breaker.policy(), inside(p -> p.pause(1_000_000)))) {
            Running<Reply<Object>> waiting = rig.start(WELL);
            breaker.view().transitionToOpenState();
            rig.advance(Duration.ofMillis(1));
            assertThat(waiting.error())
                    .isInstanceOfSatisfying(
                            CallRejectedException.class,
                            rejection -> assertThat(rejection.reason()).isEqualTo(Reason.CIRCUIT_OPEN));
            assertThat(rig.changes).containsExactly("inventory circuit-breaker closed > open");
        }
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void failureRateIsToldWithThePipelinesMeters(Kind kind) {
        Breaker breaker = kind.make();
        try (Rig rig = new Rig(Way.CALL, breaker.policy())) {
            rig.run(3, WELL);
            rig.run(1, ILL);
            assertThat(rig.pipeline.snapshot().numbers().toString()).contains("25");
        }
    }

    @Test
    void breakerThatWasOpenedBeforeItsPipelineGoesByThePipelinesTimeFromThenOn() {
        CircuitBreakerPolicy policy = CircuitBreakerPolicy.of(b -> b.waitDurationInOpenState(WAIT)
                .waitMultiplierInOpenState(1)
                .permittedNumberOfCallsInHalfOpenState(1)
                .minimumNumberOfCalls(1));
        policy.asResilience4j().transitionToOpenState();
        try (Rig rig = new Rig(Way.CALL, policy)) {
            rig.advance(WAIT.dividedBy(2));
            assertThat(rig.rejection().reason()).isEqualTo(Reason.CIRCUIT_OPEN);
            rig.advance(WAIT);
            assertThat(rig.errorOf(ILL)).isSameAs(ILL.error());
            assertThat(policy.state()).isEqualTo(State.OPEN);
            rig.advance(WAIT.dividedBy(2));
            assertThat(rig.rejection().retryAfterNanos()).isBetween(1L, WAIT.toNanos() / 2 + 1);
            rig.advance(WAIT.dividedBy(2).plusNanos(1));
            assertThat(rig.run(WELL).join().value()).isEqualTo("well");
            assertThat(policy.state()).isEqualTo(State.CLOSED);
        }
    }

    @Test
    void callThatRunsTooLongIsSeenOnABreakerThatWasUsedBeforeItsPipeline() {
        CircuitBreakerPolicy policy = CircuitBreakerPolicy.of(b -> b.slowCallDurationThreshold(Duration.ofMillis(10))
                .minimumNumberOfCalls(1)
                .waitDurationInOpenState(WAIT));
        policy.asResilience4j().transitionToOpenState();
        policy.asResilience4j().transitionToClosedState();
        try (Rig rig = new Rig(Way.CALL_ASYNC, policy)) {
            Running<Reply<Object>> unused = rig.start(WELL.taking(Duration.ofHours(1)));
            rig.advance(Duration.ofMillis(100));
            assertThat(policy.state()).isEqualTo(State.OPEN);
            assertThat(rig.start(WELL).result()).isCompletedExceptionally();
            rig.advance(WAIT);
            assertThat(rig.start(WELL).result().join().value()).isEqualTo("well");
        }
    }
}
