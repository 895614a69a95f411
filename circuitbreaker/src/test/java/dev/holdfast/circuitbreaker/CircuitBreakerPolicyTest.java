/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import static dev.holdfast.circuitbreaker.Rig.ILL;
import static dev.holdfast.circuitbreaker.Rig.WELL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.Reply;
import dev.holdfast.Reply.Source;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy.State;
import dev.holdfast.circuitbreaker.CircuitBreakerSettings.SlidingWindowType;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.RecordedMeters;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testcalls.Work;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.TransitionCheckResult;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Logs({
    "fallback-inside-circuit-breaker",
    "the circuit breaker '.*' records certain exceptions only",
    "circuit breaker '.*' threw when it was told of a result; told once: .*predicate"
})
class CircuitBreakerPolicyTest {
    private static final Duration WAIT = Duration.ofMillis(100);
    /** The first call after the wait is let through, not the one at its last nanosecond. */
    private static final Duration AFTER_WAIT = WAIT.plusNanos(1);

    private static final Duration LONG = Duration.ofMillis(100);

    private final CircuitBreakerPolicy policy = CircuitBreakerPolicy.ofDefaults();

    private static void open(Rig rig) {
        rig.run(20, ILL);
    }

    private static void halfOpen(Rig rig) {
        open(rig);
        rig.advance(AFTER_WAIT);
    }

    @ParameterizedTest
    @EnumSource
    void itRejectsAllWhileItsWaitLastsAndWhenForcedOpen(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            assertThat(policy.rejectsAll()).isFalse();
            open(rig);
            rig.advance(WAIT);
            assertThat(policy.rejectsAll()).as("at the last nanosecond").isTrue();
            rig.advance(Duration.ofNanos(1));
            assertThat(policy.rejectsAll()).as("the next call is a probe").isFalse();
            assertThat(policy.state()).isEqualTo(State.OPEN);
            policy.asResilience4j().transitionToForcedOpenState();
            rig.advance(Duration.ofDays(1));
            assertThat(policy.rejectsAll()).as("forced open").isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void opensWhenNothingComesThrough(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            rig.run(19, ILL);
            assertThat(policy.state()).isEqualTo(State.CLOSED);
            assertThat(rig.errorOf(ILL)).isInstanceOf(IOException.class);
            assertThat(policy.state()).isEqualTo(State.OPEN);
        }
    }

    /** A window of 50 calls would need minutes. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void anOutageIsSeenAlsoWhereCallsAreFew(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            rig.run(20, WELL);
            for (int i = 0; i < 4; i++) {
                rig.run(1, ILL);
                rig.advance(Duration.ofSeconds(1));
            }
            assertThat(policy.state()).isEqualTo(State.CLOSED);
            rig.run(1, ILL);
            assertThat(policy.state()).isEqualTo(State.OPEN);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void anOutageHasNoSuccessInIt(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            for (int i = 0; i < 10; i++) {
                for (int j = 0; j < 4; j++) {
                    rig.run(1, ILL);
                    rig.advance(Duration.ofSeconds(1));
                }
                rig.run(1, WELL);
            }
            assertThat(policy.state()).isEqualTo(State.CLOSED);
        }
    }

    /** Between two bursts of calls, the retries of those that fail may be all there is. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void aFewCallsThatFailAgainAndAgainAreNoOutage(Way way) {
        RetryPolicy retry = RetryPolicy.of(
                r -> r.maxAttempts(5).initialBackoff(Duration.ofSeconds(1)).budgetEnabled(false));
        try (Rig rig = new Rig(way, retry, policy)) {
            rig.run(20, WELL);
            rig.run(4, ILL);
            assertThat(rig.changes).isEmpty();
            rig.run(1, ILL);
            assertThat(rig.changes).isNotEmpty();
        }
    }

    /** Of an outer pipeline, or of the service that called. */
    @Test
    void anExistingBreakerTwiceInAPipelineIsRefusedAsOurOwn() {
        CircuitBreaker existing = CircuitBreaker.ofDefaults("theirs");
        Policy[] twice = {CircuitBreakerPolicy.of(existing), CircuitBreakerPolicy.of(existing)};

        assertThatIllegalArgumentException()
                .isThrownBy(() -> Pipeline.of("inventory", twice))
                .withMessageStartingWith(
                        "pipeline 'inventory' has the same circuit-breaker twice and can never work: ");
    }

    @Test
    void retriesOfOthersAreNoOutageEither() {
        RetryPolicy retry = RetryPolicy.of(
                r -> r.maxAttempts(5).initialBackoff(Duration.ofSeconds(1)).budgetEnabled(false));
        try (VirtualTime time = new VirtualTime();
                Pipeline outer =
                        Pipeline.builder("page").policies(retry).time(time).build();
                Pipeline inner = Pipeline.builder("inventory")
                        .policies(policy)
                        .time(time)
                        .build()) {
            for (int calls = 0; calls < 20; calls++) {
                assertThat(inner.call(() -> "well")).isEqualTo("well");
            }
            for (int calls = 0; calls < 4; calls++) {
                CompletableFuture<Object> unused = outer.callAsync(
                        () -> inner.callAsync(() -> CompletableFuture.failedFuture(new IOException("ill"))));
                time.run();
            }
            assertThat(policy.state()).isEqualTo(State.CLOSED);
        }
    }

    /** It sees one end of each call, whose attempts are all inside. */
    @ParameterizedTest
    @EnumSource(Way.class)
    @Logs("retry-inside-circuit-breaker")
    void aBreakerAroundTheRetrySeesAnOutage(Way way) {
        RetryPolicy retry = RetryPolicy.of(
                r -> r.maxAttempts(3).initialBackoff(Duration.ofSeconds(1)).budgetEnabled(false));
        try (Rig rig = new Rig(way, policy, retry)) {
            rig.run(5, ILL);
            assertThat(rig.changes).isNotEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void anOutageLastsForAMoment(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            rig.run(18, ILL);
            rig.advance(Duration.ofSeconds(2).minusNanos(1));
            rig.run(1, ILL);
            assertThat(policy.state()).isEqualTo(State.CLOSED);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theThresholdOfAnOutageCanBeSwitchedOff(Way way) {
        CircuitBreakerPolicy off = CircuitBreakerPolicy.of(b -> b.outageDurationThreshold(Duration.ZERO));
        try (Rig rig = new Rig(way, off)) {
            for (int i = 0; i < 19; i++) {
                rig.run(1, ILL);
                rig.advance(Duration.ofSeconds(1));
            }
            assertThat(off.state()).isEqualTo(State.CLOSED);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void staysClosedWhileOneCallInFiveIsAnswered(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            for (int i = 0; i < 40; i++) {
                rig.run(1, WELL);
                rig.run(4, ILL);
            }
            assertThat(policy.state()).isEqualTo(State.CLOSED);
            assertThat(rig.changes).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void openBreakerAdmitsNothingAndSaysForHowLong(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            open(rig);
            rig.advance(Duration.ofMillis(20));
            CallRejectedException rejection = rig.rejection();
            assertThat(rejection)
                    .hasMessage("circuit breaker of 'inventory' is open, next probe in 81 ms")
                    .hasCauseInstanceOf(CallNotPermittedException.class);
            assertThat(rejection.reason()).isEqualTo(Reason.CIRCUIT_OPEN);
            assertThat(rejection.policy()).isEqualTo("circuit-breaker");
            assertThat(rejection.retryAfter()).contains(Duration.ofMillis(80).plusNanos(1));
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void longWaitIsToldInTenthsOfASecond(Way way) {
        CircuitBreakerPolicy patient =
                CircuitBreakerPolicy.of(b -> b.waitDurationInOpenState(Duration.ofMillis(4_150)));
        try (Rig rig = new Rig(way, patient)) {
            open(rig);
            assertThat(rig.rejection()).hasMessage("circuit breaker of 'inventory' is open, next probe in 4.2 s");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void rejectionsOfOneOpeningShareOneCauseWithoutStackTrace(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            open(rig);
            Throwable cause = rig.rejection().getCause();
            assertThat(cause).isSameAs(rig.rejection().getCause()).hasNoSuppressedExceptions();
            assertThat(cause).extracting(Throwable::getStackTrace).isEqualTo(new StackTraceElement[0]);
            assertThat(cause).hasMessage("CircuitBreaker 'inventory' is OPEN and does not permit further calls");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void retryAfterOfARejectionIsLongEnough(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            open(rig);
            rig.advance(rig.rejection().retryAfter().orElseThrow());
            assertThat(rig.run(WELL)).isCompleted();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void valuesThatCountAsFailuresOpenIt(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            rig.run(20, Work.value("failure"));
            assertThat(policy.state()).isEqualTo(State.OPEN);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void pushbackOpensIt(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            rig.run(20, Work.value("busy"));
            assertThat(policy.state()).isEqualTo(State.OPEN);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void attemptsThatRunOutOfTimeOpenIt(Way way) {
        try (Rig rig = new Rig(way, policy, TimeoutPolicy.of(Duration.ofMillis(10)))) {
            rig.run(20, WELL.taking(LONG));
            assertThat(policy.state()).isEqualTo(State.OPEN);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callersOwnFaultIsNotCounted(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            rig.run(100, Work.error(new IllegalArgumentException("404")));
            rig.run(100, Work.value("unauthorized"));
            assertThat(policy.asResilience4j().getMetrics().getNumberOfBufferedCalls())
                    .isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callThatWasGivenUpIsNotCounted(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            for (int i = 0; i < 30; i++) {
                Running<Reply<Object>> started = rig.start(WELL.taking(LONG));
                started.giveUp().run();
                rig.time.run();
            }
            assertThat(policy.asResilience4j().getMetrics().getNumberOfBufferedCalls())
                    .isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void rejectionFurtherInIsNotCountedAndGivesTheProbeBack(Way way) {
        Gate gate = new Gate();
        try (Rig rig = new Rig(way, policy, gate)) {
            halfOpen(rig);
            gate.closed = true;
            rig.run(50, WELL);
            assertThat(policy.state()).isEqualTo(State.HALF_OPEN);
            gate.closed = false;
            rig.run(5, WELL);
            assertThat(policy.state()).isEqualTo(State.CLOSED);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void answerThatAFallbackFurtherInMadeUpIsNotCounted(Way way) {
        try (Rig rig = new Rig(way, policy, FallbackPolicy.value("made up"))) {
            rig.run(30, ILL);
            assertThat(policy.asResilience4j().getMetrics().getNumberOfBufferedCalls())
                    .isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whatAnotherCallOfTheSameKeyGotIsNotCountedAgain(Way way) {
        Gate gate = new Gate();
        try (Rig rig = new Rig(way, policy, gate)) {
            gate.shares = true;
            rig.run(30, WELL);
            assertThat(policy.asResilience4j().getMetrics().getNumberOfBufferedCalls())
                    .isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void firstCallAfterTheWaitIsAProbe(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            open(rig);
            rig.advance(WAIT);
            assertThat(rig.errorOf(WELL)).isInstanceOf(CallRejectedException.class);
            rig.advance(Duration.ofNanos(1));
            assertThat(rig.errorOf(ILL)).isSameAs(ILL.error());
            assertThat(policy.state()).isEqualTo(State.HALF_OPEN);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void oneAnswerInFiveProbesClosesIt(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            halfOpen(rig);
            rig.run(4, ILL);
            rig.run(1, WELL);
            assertThat(policy.state()).isEqualTo(State.CLOSED);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void noAnswerInFiveProbesOpensItAgain(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            halfOpen(rig);
            rig.run(5, ILL);
            assertThat(policy.state()).isEqualTo(State.OPEN);
            assertThat(rig.rejection().retryAfter())
                    .as("a twentieth longer than before")
                    .contains(Duration.ofMillis(105).plusNanos(1));
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void noMoreThanThePermittedProbesAreOutAtOnce(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            halfOpen(rig);
            for (int i = 0; i < 5; i++) {
                rig.start(WELL.taking(LONG));
            }
            CallRejectedException rejection =
                    (CallRejectedException) rig.start(WELL).error();
            assertThat(rejection).hasMessage("circuit breaker of 'inventory' is half-open, all 5 probes are out");
            assertThat(rejection.retryAfter()).isEmpty();
            rig.time.run();
            assertThat(policy.state()).isEqualTo(State.CLOSED);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void probesThatEndInAnyOtherWayGiveTheirPlacesBack(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            halfOpen(rig);
            rig.run(20, Work.error(new IllegalArgumentException("404")));
            rig.run(20, Work.error(new StackOverflowError("deep")));
            for (int i = 0; i < 20; i++) {
                Running<Reply<Object>> started = rig.start(WELL.taking(LONG));
                started.giveUp().run();
                rig.time.run();
            }
            assertThat(policy.state()).isEqualTo(State.HALF_OPEN);
            rig.run(5, WELL);
            assertThat(policy.state()).isEqualTo(State.CLOSED);
        }
    }

    /** Any value is an answer: the dependency can be reached. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void probeThatEndsWithAnIgnoredValueClosesIt(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            halfOpen(rig);
            rig.run(1, Work.error(new IllegalArgumentException("sent nothing")));
            assertThat(policy.state()).isEqualTo(State.HALF_OPEN);
            rig.run(1, Work.value("unauthorized"));
            assertThat(policy.state()).isEqualTo(State.CLOSED);
        }
    }

    /** The dependency has not given this value now. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void ignoredValueThatWasKeptInsideIsNoGoodProbe(Way way) {
        AtomicBoolean kept = new AtomicBoolean();
        Policy keeps = new Policy("keeps", Policy.FAILURE) {
            @Override
            public int settle(Passage passage) {
                return kept.get() ? passage.answer(Outcome.IGNORED, "unauthorized", Source.FRESH, 0) : KEEP;
            }
        };
        try (Rig rig = new Rig(way, policy, keeps)) {
            halfOpen(rig);
            kept.set(true);
            rig.run(20, ILL);
            assertThat(policy.state()).isEqualTo(State.HALF_OPEN);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void errorOfTheActionCountsLikeAnyFailure(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            halfOpen(rig);
            rig.run(5, Work.error(new AssertionError("bug")));
            assertThat(policy.state()).isEqualTo(State.OPEN);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void probesThatNeverEndDoNotKeepItHalfOpenForEver(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            halfOpen(rig);
            Work hung = WELL.taking(Duration.ofHours(1));
            for (int i = 0; i < 5; i++) {
                rig.start(hung);
            }
            rig.advance(Duration.ofSeconds(5).minusNanos(1));
            assertThat(rig.start(WELL).error()).hasMessageContaining("probes are out");
            rig.advance(Duration.ofNanos(1));
            for (int i = 0; i < 5; i++) {
                assertThat(rig.start(WELL).result()).isCompleted();
            }
            assertThat(policy.state()).isEqualTo(State.CLOSED);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void resultsOfSlowProbesCountAfterOthersHaveBeenLetThrough(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            halfOpen(rig);
            for (int i = 0; i < 5; i++) {
                rig.start(WELL.taking(Duration.ofSeconds(8)));
            }
            rig.advance(Duration.ofSeconds(6));
            rig.start(WELL.taking(Duration.ofSeconds(8)));
            rig.advance(Duration.ofSeconds(2));
            assertThat(policy.state()).isEqualTo(State.CLOSED);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void resultOfAnEarlierStateIsNotCounted(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            for (int i = 0; i < 5; i++) {
                rig.start(WELL.taking(Duration.ofSeconds(1)));
            }
            for (int i = 0; i < 20; i++) {
                rig.start(ILL);
            }
            rig.advance(AFTER_WAIT);
            assertThat(rig.start(ILL).result()).isCompletedExceptionally();
            assertThat(policy.state()).isEqualTo(State.HALF_OPEN);
            rig.advance(Duration.ofSeconds(1));
            assertThat(policy.state()).isEqualTo(State.HALF_OPEN);
            assertThat(policy.asResilience4j().getMetrics().getNumberOfBufferedCalls())
                    .isOne();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void resultOfAnEarlierLifeOfTheSameStateIsNotCounted(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            rig.start(ILL.taking(LONG));
            policy.asResilience4j().reset();
            rig.start(ILL.taking(LONG.plusMillis(1)));
            rig.time.run();
            assertThat(policy.asResilience4j().getMetrics().getNumberOfFailedCalls())
                    .isOne();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callThatWaitedWhileItOpenedIsTurnedAway(Way way) {
        Gate gate = new Gate();
        try (Rig rig = new Rig(way, policy, gate)) {
            gate.pause = WAIT.dividedBy(2);
            Running<Reply<Object>> waiting = rig.start(WELL);
            policy.asResilience4j().transitionToOpenState();
            rig.time.run();
            assertThat(waiting.error()).hasMessageStartingWith("circuit breaker of 'inventory' is open");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callThatWaitedUntilItIsHalfOpenIsAProbe(Way way) {
        Gate gate = new Gate();
        try (Rig rig = new Rig(way, policy, gate)) {
            gate.pause = Duration.ofSeconds(1);
            Running<Reply<Object>> waiting = rig.start(WELL);
            policy.asResilience4j().transitionToOpenState();
            rig.time.run();
            assertThat(waiting.result()).isCompleted();
            assertThat(rig.changes)
                    .containsExactly(
                            "inventory circuit-breaker closed > open",
                            "inventory circuit-breaker open > half_open",
                            "inventory circuit-breaker half_open > closed");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void retryWaitsUntilItMayBeAProbe(Way way) {
        CircuitBreakerPolicy touchy =
                CircuitBreakerPolicy.of(b -> b.slidingWindowSize(1).permittedNumberOfCallsInHalfOpenState(1));
        RetryPolicy retry = RetryPolicy.of(r -> r.maxAttempts(2).initialBackoff(Duration.ofMillis(1)));
        try (Rig rig = new Rig(way, retry, touchy)) {
            long start = rig.time.nanos();
            assertThat(rig.errorOf(ILL)).isInstanceOf(IOException.class);
            assertThat(rig.time.nanos() - start).isGreaterThan(WAIT.toNanos());
            assertThat(touchy.asResilience4j().getMetrics().getNumberOfNotPermittedCalls())
                    .isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void everyChangeOfStateIsToldOnce(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            open(rig);
            rig.run(3, WELL);
            rig.advance(AFTER_WAIT);
            rig.run(5, ILL);
            rig.advance(AFTER_WAIT.multipliedBy(2));
            rig.run(20, WELL);
            assertThat(rig.changes)
                    .containsExactly(
                            "inventory circuit-breaker closed > open",
                            "inventory circuit-breaker open > half_open",
                            "inventory circuit-breaker half_open > open",
                            "inventory circuit-breaker open > half_open",
                            "inventory circuit-breaker half_open > closed");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void canBeForcedOpenDisabledAndReset(Way way) {
        try (Rig rig = new Rig(way, policy)) {
            policy.asResilience4j().transitionToForcedOpenState();
            CallRejectedException rejection = rig.rejection();
            assertThat(rejection).hasMessage("circuit breaker of 'inventory' is forced open");
            assertThat(rejection.retryAfter()).isEmpty();
            policy.asResilience4j().transitionToDisabledState();
            rig.run(100, ILL);
            assertThat(policy.state()).isEqualTo(State.DISABLED);
            policy.asResilience4j().reset();
            assertThat(rig.run(WELL)).isCompleted();
            assertThat(rig.changes)
                    .containsExactly(
                            "inventory circuit-breaker closed > forced_open",
                            "inventory circuit-breaker forced_open > disabled",
                            "inventory circuit-breaker disabled > closed");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void slowCallsOpenItWhereThatIsWanted(Way way) {
        CircuitBreakerPolicy impatient =
                CircuitBreakerPolicy.of(b -> b.slowCallDurationThreshold(Duration.ofMillis(50)));
        try (Rig rig = new Rig(way, impatient)) {
            rig.run(20, WELL.taking(LONG));
            assertThat(impatient.state()).isEqualTo(State.OPEN);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void waitFurtherInDoesNotMakeACallSlow(Way way) {
        CircuitBreakerPolicy impatient =
                CircuitBreakerPolicy.of(b -> b.slowCallDurationThreshold(Duration.ofMillis(50)));
        Gate gate = new Gate();
        gate.pause = LONG;
        try (Rig rig = new Rig(way, impatient, gate)) {
            rig.run(30, WELL);
            assertThat(impatient.asResilience4j().getMetrics().getNumberOfSlowCalls())
                    .isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void timeWindowForgetsByThePipelinesTime(Way way) {
        CircuitBreakerPolicy timed = CircuitBreakerPolicy.of(
                b -> b.slidingWindowType(SlidingWindowType.TIME_BASED).slidingWindowSize(10));
        try (Rig rig = new Rig(way, timed)) {
            rig.run(19, ILL);
            rig.advance(Duration.ofSeconds(11));
            rig.run(1, ILL);
            assertThat(timed.asResilience4j().getMetrics().getNumberOfFailedCalls())
                    .isOne();
            rig.run(19, ILL);
            assertThat(timed.state()).isEqualTo(State.OPEN);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void existingBreakerStaysSharedWithItsOtherUsers(Way way) {
        CircuitBreaker existing = CircuitBreaker.of(
                "theirs",
                CircuitBreakerConfig.custom()
                        .slidingWindowSize(4)
                        .minimumNumberOfCalls(4)
                        .build());
        Policy shared = CircuitBreakerPolicy.of(existing);
        assertThat(shared.warnings()).isEmpty();
        try (Rig rig = new Rig(way, shared)) {
            rig.run(2, ILL);
            assertThat(existing.getMetrics().getNumberOfFailedCalls()).isEqualTo(2);
            existing.onError(1, TimeUnit.MILLISECONDS, new IOException("elsewhere"));
            rig.run(1, ILL);
            CallRejectedException rejection = rig.rejection();
            assertThat(rejection).hasMessage("circuit breaker of 'inventory' is open");
            assertThat(rejection.retryAfter()).isEmpty();
            assertThat(rejection.getCause())
                    .hasMessage("CircuitBreaker 'theirs' is OPEN and does not permit further calls");
            assertThat(rejection.getCause())
                    .extracting(Throwable::getStackTrace)
                    .isEqualTo(new StackTraceElement[0]);
            existing.transitionToClosedState();
            assertThat(rig.run(WELL)).isCompleted();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void existingBreakerWhoseProbesAreOutIsTheCauseOfARejectionToo(Way way) {
        CircuitBreaker existing = CircuitBreaker.of(
                "theirs",
                CircuitBreakerConfig.custom()
                        .permittedNumberOfCallsInHalfOpenState(1)
                        .build());
        existing.transitionToOpenState();
        existing.transitionToHalfOpenState();
        assertThat(existing.tryAcquirePermission()).isTrue();
        try (Rig rig = new Rig(way, CircuitBreakerPolicy.of(existing))) {
            assertThat(rig.rejection())
                    .hasMessage("circuit breaker of 'inventory' is half-open, all 1 probes are out")
                    .cause()
                    .isInstanceOf(CallNotPermittedException.class)
                    .hasMessage("CircuitBreaker 'theirs' is HALF_OPEN and does not permit further calls");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void predicateOfAnExistingBreakerThatThrowsLosesNoProbe(Way way) {
        CircuitBreaker existing = CircuitBreaker.of(
                "theirs",
                CircuitBreakerConfig.custom()
                        .permittedNumberOfCallsInHalfOpenState(2)
                        .recordException(e -> {
                            throw new IllegalStateException("predicate");
                        })
                        .build());
        existing.transitionToOpenState();
        existing.transitionToHalfOpenState();
        try (Rig rig = new Rig(way, CircuitBreakerPolicy.of(existing))) {
            for (int i = 0; i < 10; i++) {
                assertThat(rig.errorOf(ILL)).isSameAs(ILL.error());
            }
            rig.run(2, WELL);
            assertThat(existing.getState()).isEqualTo(CircuitBreaker.State.CLOSED);
        }
    }

    @Test
    void anExistingBreakerIsAskedItselfAndNotThroughThePipeline() {
        try (Pipeline pipeline = Pipeline.of("p", CircuitBreakerPolicy.of(CircuitBreaker.ofDefaults("theirs")))) {
            assertThatThrownBy(() -> pipeline.policy(CircuitBreakerPolicy.class))
                    .hasMessage("pipeline 'p' has no CircuitBreakerPolicy, but exactly one is asked for; it has"
                            + " [ExistingCircuitBreakerPolicy]; an Existing… policy was made of an object of yours: ask"
                            + " that one");
        }
    }

    @Test
    void predicatesOfAnExistingBreakerAreWarnedOf() {
        CircuitBreaker existing = CircuitBreaker.of(
                "theirs",
                CircuitBreakerConfig.custom()
                        .recordExceptions(IOException.class)
                        .ignoreExceptions(IllegalStateException.class)
                        .recordResult("bad"::equals)
                        .transitionOnResult(result -> TransitionCheckResult.noTransition())
                        .build());
        assertThat(CircuitBreakerPolicy.of(existing).warnings())
                .hasSize(4)
                .allMatch(warning -> warning.startsWith("resilience4j-predicates: the circuit breaker 'theirs' "))
                .anyMatch(warning -> warning.contains("records certain exceptions only"))
                .anyMatch(warning -> warning.contains("ignores certain exceptions"))
                .anyMatch(warning -> warning.contains("recordResult is not asked"))
                .anyMatch(warning -> warning.contains("transitionOnResult is asked of exceptions alone"));
    }

    @Test
    void twoPipelinesWithDifferentTimesCannotShareABreaker() {
        try (Rig one = new Rig(Way.CALL, policy)) {
            one.run(1, WELL);
            assertThatThrownBy(() -> new Rig(Way.CALL, policy))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("another TimeSource");
        }
    }

    @Test
    void stateAndFailureRateCanBePolled() {
        RecordedMeters meters = new RecordedMeters();
        policy.meters(meters);
        try (Rig rig = new Rig(Way.CALL, policy)) {
            assertThat(meters.values()).containsEntry("circuitbreaker.failure.rate", -1.0);
            open(rig);
            assertThat(meters.values())
                    .containsEntry("circuitbreaker.failure.rate", 100.0)
                    .containsEntry("circuitbreaker.state{state=closed}", 0.0)
                    .containsEntry("circuitbreaker.state{state=open}", 1.0)
                    .hasSize(State.values().length + 4);
        }
    }

    /** A layer further in that turns calls away, gives them another call's error, or makes them wait. */
    private static final class Gate extends Policy {
        volatile boolean closed;
        volatile boolean shares;
        volatile Duration pause = Duration.ZERO;

        Gate() {
            super("gate", ENTER);
        }

        @Override
        public int enter(Passage passage) {
            if (closed) {
                return passage.reject(Reason.OTHER, -1, "the gate is closed");
            }
            if (shares) {
                return passage.share(Outcome.FAILURE, null, new IOException("another call's"), Source.LIVE);
            }
            return pause.isZero() ? PROCEED : passage.pause(pause.toNanos());
        }
    }
}
