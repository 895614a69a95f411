/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import static dev.holdfast.circuitbreaker.Rig.ILL;
import static dev.holdfast.circuitbreaker.Rig.WELL;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.Reply;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy.State;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testcalls.Work;
import dev.holdfast.timeout.TimeoutPolicy;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What resilience4j's breaker does not have, through a pipeline. */
class BeyondResilience4jTest {
    private static final Duration SLOW = Duration.ofMillis(50);
    private static final Work HUNG = WELL.taking(Duration.ofHours(1));

    private static CircuitBreakerPolicy impatient() {
        return CircuitBreakerPolicy.of(b -> b.slowCallDurationThreshold(SLOW));
    }

    private static void start(Rig rig, int times, Work work) {
        for (int i = 0; i < times; i++) {
            Running<Reply<Object>> unused = rig.start(work);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callsThatHangOpenItBeforeTheyEnd(Way way) {
        CircuitBreakerPolicy policy = impatient();
        try (Rig rig = new Rig(way, policy)) {
            start(rig, 20, HUNG);
            rig.advance(SLOW);
            assertThat(policy.state()).isEqualTo(State.CLOSED);
            rig.advance(Duration.ofMillis(40));
            assertThat(policy.state()).isEqualTo(State.OPEN);
            assertThat(rig.start(WELL).error()).hasMessageContaining("is open");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callsThatHangDoNotOpenItWhereThatIsOff(Way way) {
        CircuitBreakerPolicy policy = CircuitBreakerPolicy.of(impatientAsResilience4j());
        try (Rig rig = new Rig(way, policy)) {
            start(rig, 20, HUNG);
            rig.advance(Duration.ofMinutes(30));
            assertThat(policy.state()).isEqualTo(State.CLOSED);
        }
    }

    private static CircuitBreakerSettings impatientAsResilience4j() {
        return CircuitBreakerSettings.from(CircuitBreakerConfig.custom()
                .slowCallDurationThreshold(SLOW)
                .slidingWindowSize(20)
                .build());
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callThatWasOverdueAndEndsIsCountedOnce(Way way) {
        CircuitBreakerPolicy policy = impatient();
        try (Rig rig = new Rig(way, policy)) {
            rig.run(3, WELL.taking(SLOW.plusSeconds(1)));
            rig.run(2, WELL.taking(SLOW));
            assertThat(policy.asResilience4j().getMetrics().getNumberOfSlowCalls())
                    .isEqualTo(3);
            assertThat(policy.asResilience4j().getMetrics().getNumberOfBufferedCalls())
                    .isEqualTo(5);
            start(rig, 16, HUNG);
            rig.advance(Duration.ofMillis(100));
            assertThat(policy.state()).as("19 of 21 calls are slow").isEqualTo(State.CLOSED);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void overdueCallThatIsGivenUpIsForgotten(Way way) {
        CircuitBreakerPolicy policy = impatient();
        try (Rig rig = new Rig(way, policy)) {
            for (int i = 0; i < 30; i++) {
                Running<Reply<Object>> hung = rig.start(HUNG);
                rig.advance(Duration.ofMillis(100));
                hung.giveUp().run();
                rig.advance(Duration.ZERO);
            }
            assertThat(policy.state()).isEqualTo(State.CLOSED);
            assertThat(policy.asResilience4j().getMetrics().getNumberOfBufferedCalls())
                    .isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void overdueCallThatTimesOutIsASlowFailure(Way way) {
        CircuitBreakerPolicy policy = impatient();
        try (Rig rig = new Rig(way, policy, TimeoutPolicy.of(Duration.ofMillis(200)))) {
            rig.run(2, HUNG);
            assertThat(policy.asResilience4j().getMetrics().getNumberOfSlowFailedCalls())
                    .isEqualTo(2);
            assertThat(policy.asResilience4j().getMetrics().getNumberOfBufferedCalls())
                    .isEqualTo(2);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void probesThatHangOpenItAgain(Way way) {
        CircuitBreakerPolicy policy = impatient();
        try (Rig rig = new Rig(way, policy)) {
            policy.asResilience4j().transitionToOpenState();
            policy.asResilience4j().transitionToHalfOpenState();
            start(rig, 5, HUNG);
            rig.advance(Duration.ofMillis(100));
            assertThat(policy.state()).isEqualTo(State.OPEN);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void dependencyThatAsksForTimeGetsItOnceTheBreakerOpens(Way way) {
        CircuitBreakerPolicy policy = CircuitBreakerPolicy.of(b -> b.waitDurationInOpenState(Duration.ofMillis(1)));
        // The rig's classifier says of "busy" that it asks for a millisecond; "busy for 3 s" and "busy for 1 m" say so.
        try (Rig rig = new Rig(way, policy)) {
            rig.run(19, ILL);
            rig.run(1, Work.value("busy for 3 s"));
            assertThat(rig.rejection().retryAfter())
                    .contains(Duration.ofSeconds(3).plusNanos(1));
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void askingForMoreThanTheMostGetsTheMost(Way way) {
        CircuitBreakerPolicy policy = CircuitBreakerPolicy.ofDefaults();
        try (Rig rig = new Rig(way, policy)) {
            rig.run(20, Work.value("busy for 1 m"));
            assertThat(rig.rejection().retryAfter())
                    .contains(Duration.ofSeconds(10).plusNanos(1));
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void pushbackIsAFailureLikeAnyOtherWhereHoldingIsOff(Way way) {
        CircuitBreakerPolicy policy = CircuitBreakerPolicy.of(b -> b.maxPushbackHold(Duration.ZERO));
        try (Rig rig = new Rig(way, policy)) {
            rig.run(20, Work.value("busy for 1 m"));
            assertThat(rig.rejection().retryAfter())
                    .contains(Duration.ofMillis(100).plusNanos(1));
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void becomesHalfOpenForWhoeverLooksWhereThatIsWanted(Way way) {
        CircuitBreakerPolicy policy =
                CircuitBreakerPolicy.of(b -> b.automaticTransitionFromOpenToHalfOpenEnabled(true));
        try (Rig rig = new Rig(way, policy)) {
            rig.run(20, ILL);
            rig.advance(Duration.ofMillis(100).minusNanos(1));
            assertThat(policy.state()).isEqualTo(State.OPEN);
            rig.advance(Duration.ofNanos(1));
            assertThat(policy.state()).isEqualTo(State.HALF_OPEN);
            rig.run(1, ILL);
            assertThat(rig.changes).last().isEqualTo("inventory circuit-breaker open > half_open");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void startsInTheStateThatIsAskedFor(Way way) {
        CircuitBreakerPolicy policy = CircuitBreakerPolicy.of(b -> b.initialState(State.FORCED_OPEN));
        try (Rig rig = new Rig(way, policy)) {
            assertThat(rig.rejection()).hasMessageContaining("forced open");
        }
    }

    /** Some time of the machine passes before the pipeline is built. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void waitOfTheFirstStateBeginsWithThePipeline(Way way) {
        Duration wait = Duration.ofMillis(100);
        CircuitBreakerPolicy open = CircuitBreakerPolicy.of(b -> b.initialState(State.OPEN)
                .waitDurationInOpenState(wait)
                .automaticTransitionFromOpenToHalfOpenEnabled(true));
        CircuitBreakerPolicy halfOpen =
                CircuitBreakerPolicy.of(b -> b.initialState(State.HALF_OPEN).maxWaitDurationInHalfOpenState(wait));
        try (Rig rig = new Rig(way, open);
                Rig other = new Rig(rig, halfOpen)) {
            assertThat(rig.rejection().retryAfter()).contains(wait.plusNanos(1));
            other.advance(wait.minusNanos(1));
            assertThat(open.state()).isEqualTo(State.OPEN);
            assertThat(halfOpen.state()).isEqualTo(State.HALF_OPEN);
            rig.advance(Duration.ofNanos(1));
            assertThat(open.state()).isEqualTo(State.HALF_OPEN);
            assertThat(halfOpen.state()).isEqualTo(State.OPEN);
        }
    }

    @Test
    void secondPipelineDoesNotBeginTheFirstStateAnew() {
        CircuitBreakerPolicy open = CircuitBreakerPolicy.of(
                b -> b.initialState(State.OPEN).waitDurationInOpenState(Duration.ofMillis(100)));
        try (Rig rig = new Rig(Way.CALL, open)) {
            rig.advance(Duration.ofMillis(60));
            try (Rig other = new Rig(rig, open)) {
                assertThat(other.rejection().retryAfter())
                        .contains(Duration.ofMillis(40).plusNanos(1));
            }
        }
    }

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES)
    void consumerThatBlocksWhenARunningCallOpensItHoldsUpNoOtherBreaker() throws InterruptedException {
        CircuitBreakerPolicy heard = opensAtOneSlowCall();
        CircuitBreakerPolicy other = opensAtOneSlowCall();
        CountDownLatch told = new CountDownLatch(1);
        CompletableFuture<String> goOn = new CompletableFuture<>();
        heard.asResilience4j().getEventPublisher().onStateTransition(event -> {
            told.countDown();
            goOn.join();
        });
        try (Pipeline first = Pipeline.of("first", heard);
                Pipeline second = Pipeline.of("second", other)) {
            CompletableFuture<Object> hung = first.callAsync(CompletableFuture::new);
            told.await();
            CompletableFuture<Object> hungToo = second.callAsync(CompletableFuture::new);
            while (other.state() != State.OPEN) {
                assertThat(Thread.interrupted()).as("out of time").isFalse();
                Thread.onSpinWait();
            }
            goOn.complete("now");
            assertThat(hung.cancel(true)).isTrue();
            assertThat(hungToo.cancel(true)).isTrue();
        }
    }

    private static CircuitBreakerPolicy opensAtOneSlowCall() {
        return CircuitBreakerPolicy.of(
                b -> b.slowCallDurationThreshold(Duration.ofMillis(1)).minimumNumberOfCalls(1));
    }
}
