/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import static dev.holdfast.circuitbreaker.Rig.ILL;
import static dev.holdfast.circuitbreaker.Rig.WELL;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.circuitbreaker.CircuitBreakerPolicy.State;
import dev.holdfast.circuitbreaker.CircuitBreakerSettings.SlidingWindowType;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testcalls.Work;
import dev.holdfast.timeout.TimeoutPolicy;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Limits from outside the breaker: what is cut short by one says nothing, what hangs until one does. */
class ShortDeadlineTest {
    private static final Duration SHORT = Duration.ofMillis(5);
    private static final Work ANSWERED = WELL.taking(Duration.ofMillis(50));
    private static final Work HUNG = WELL.taking(Duration.ofHours(1));

    private enum Kind {
        OWN,
        BY_TIME,
        EXISTING;

        Breaker make() {
            return switch (this) {
                case OWN -> Breaker.own(CircuitBreakerPolicy.ofDefaults());
                case BY_TIME ->
                    Breaker.own(CircuitBreakerPolicy.of(b -> b.slidingWindowType(SlidingWindowType.TIME_BASED)));
                case EXISTING ->
                    Breaker.existing(CircuitBreaker.of(
                            "existing",
                            CircuitBreakerConfig.custom()
                                    .slidingWindowSize(20)
                                    .minimumNumberOfCalls(20)
                                    .permittedNumberOfCallsInHalfOpenState(1)
                                    .build()));
            };
        }
    }

    /** From where the limit comes. */
    private enum From {
        CALL,
        INHERITED,
        OUTER_POLICY
    }

    private static Rig rig(Way way, From from, Duration limit, Policy breaker) {
        return from == From.OUTER_POLICY ? new Rig(way, DeadlinePolicy.of(limit), breaker) : new Rig(way, breaker);
    }

    private static void run(Rig rig, From from, Duration limit, int times, Work work) {
        for (int i = 0; i < times; i++) {
            switch (from) {
                case CALL -> rig.run(limit, work);
                case INHERITED -> rig.runWithin(limit, work);
                case OUTER_POLICY -> rig.run(1, work);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "CALL, CALL, OWN", "CALL, CALL, BY_TIME", "CALL, CALL, EXISTING", "CALL, INHERITED, OWN",
        "CALL_ASYNC, CALL, OWN", "CALL_ASYNC, CALL, BY_TIME", "CALL_ASYNC, CALL, EXISTING", "CALL_ASYNC, INHERITED, OWN"
    })
    void shortDeadlineOfACallerSaysNothingOfTheDependency(Way way, From from, Kind kind) {
        Breaker breaker = kind.make();
        try (Rig rig = rig(way, from, SHORT, breaker.policy())) {
            run(rig, from, SHORT, 60, ANSWERED);
            assertThat(breaker.view().getState()).isEqualTo(CircuitBreaker.State.CLOSED);
            assertThat(breaker.view().getMetrics().getNumberOfBufferedCalls()).isZero();
        }
    }

    @ParameterizedTest
    @CsvSource({"CALL, OWN", "CALL, EXISTING", "CALL_ASYNC, OWN", "CALL_ASYNC, EXISTING"})
    void probeThatIsCutShortGivesItsPlaceBack(Way way, Kind kind) {
        Breaker breaker = kind.make().halfOpen();
        try (Rig rig = rig(way, From.CALL, SHORT, breaker.policy())) {
            run(rig, From.CALL, SHORT, 30, ANSWERED);
            assertThat(breaker.view().getState()).isEqualTo(CircuitBreaker.State.HALF_OPEN);
            rig.run(1, ANSWERED);
            assertThat(breaker.view().getState()).isEqualTo(CircuitBreaker.State.CLOSED);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "CALL, CALL, OWN", "CALL, INHERITED, OWN", "CALL, OUTER_POLICY, OWN", "CALL, CALL, EXISTING",
        "CALL_ASYNC, CALL, OWN", "CALL_ASYNC, INHERITED, OWN", "CALL_ASYNC, OUTER_POLICY, OWN",
                "CALL_ASYNC, CALL, EXISTING"
    })
    void hangBeyondWhatAnswersTookOpensItAlsoWhereOnlyADeadlineBoundsIt(Way way, From from, Kind kind) {
        Breaker breaker = kind.make();
        Duration limit = Duration.ofMillis(200);
        try (Rig rig = rig(way, from, limit, breaker.policy())) {
            rig.run(5, ANSWERED);
            for (int i = 0; i < 50 && breaker.view().getState() == CircuitBreaker.State.CLOSED; i++) {
                run(rig, from, limit, 1, HUNG);
            }
            assertThat(breaker.view().getState()).isEqualTo(CircuitBreaker.State.OPEN);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theBreakerThatTakesOverKnowsHowLongAnswersTook(Way way) {
        CircuitBreakerPolicy next = CircuitBreakerPolicy.of(b -> b.minimumNumberOfCalls(10));
        try (Rig rig = new Rig(way, CircuitBreakerPolicy.ofDefaults())) {
            rig.run(5, ANSWERED);
            rig.pipeline.replace(next);
            for (int i = 0; i < 50 && next.state() == State.CLOSED; i++) {
                run(rig, From.CALL, Duration.ofMillis(200), 1, HUNG);
            }
            assertThat(next.state()).isEqualTo(State.OPEN);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void slowCallThatACallersDeadlineCutsShortIsNotCountedWhenItEnds(Way way) {
        CircuitBreakerPolicy policy = CircuitBreakerPolicy.of(b -> b.slowCallDurationThreshold(Duration.ofMillis(4)));
        try (Rig rig = new Rig(way, policy)) {
            rig.run(1, ANSWERED);
            run(rig, From.CALL, Duration.ofMillis(45), 60, ANSWERED);
            assertThat(policy.state()).isEqualTo(State.CLOSED);
            assertThat(policy.asResilience4j().getMetrics().getNumberOfBufferedCalls())
                    .isOne();
            assertThat(policy.asResilience4j().getMetrics().getSlowCallRate()).isEqualTo(-1);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void limitFurtherInCountsHoweverShort(Way way) {
        CircuitBreakerPolicy policy = CircuitBreakerPolicy.ofDefaults();
        try (Rig rig = new Rig(way, policy, TimeoutPolicy.of(SHORT))) {
            rig.run(20, ANSWERED);
            assertThat(policy.state()).isEqualTo(State.OPEN);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void shortDeadlinesAmongFailuresHideThemNot(Way way) {
        CircuitBreakerPolicy policy = CircuitBreakerPolicy.ofDefaults();
        try (Rig rig = new Rig(way, policy)) {
            for (int i = 0; i < 20; i++) {
                rig.run(SHORT, ANSWERED);
                rig.run(1, ILL);
            }
            assertThat(policy.state()).isEqualTo(State.OPEN);
        }
    }

    private static void assertOpens(CircuitBreakerPolicy policy, Rig rig, From from, Duration limit) {
        for (int i = 0; i < 100 && policy.state() == State.CLOSED; i++) {
            run(rig, from, limit, 1, HUNG);
        }
        assertThat(policy.state()).isEqualTo(State.OPEN);
    }

    private static void healthyBefore(Rig rig) {
        rig.run(50, WELL.taking(Duration.ofMillis(5)));
    }

    @ParameterizedTest
    @CsvSource({"CALL, CALL", "CALL, INHERITED", "CALL_ASYNC, CALL", "CALL_ASYNC, INHERITED"})
    void oneSlowAnswerHidesNoHangBelowIt(Way way, From from) {
        CircuitBreakerPolicy policy = CircuitBreakerPolicy.ofDefaults();
        try (Rig rig = new Rig(way, DeadlinePolicy.of(Duration.ofSeconds(1)), policy)) {
            healthyBefore(rig);
            rig.run(1, WELL.taking(Duration.ofMillis(700)));
            assertOpens(policy, rig, from, Duration.ofMillis(400));
        }
    }

    @ParameterizedTest
    @CsvSource({"CALL, CALL", "CALL, INHERITED", "CALL_ASYNC, CALL", "CALL_ASYNC, INHERITED"})
    void answersThatGetSlowHideNoHangThatFollows(Way way, From from) {
        CircuitBreakerPolicy policy = CircuitBreakerPolicy.ofDefaults();
        try (Rig rig = new Rig(way, DeadlinePolicy.of(Duration.ofSeconds(1)), policy)) {
            healthyBefore(rig);
            rig.run(20, WELL.taking(Duration.ofMillis(350)));
            assertOpens(policy, rig, from, Duration.ofMillis(400));
        }
    }

    @ParameterizedTest
    @CsvSource({"CALL, CALL", "CALL, INHERITED", "CALL_ASYNC, CALL", "CALL_ASYNC, INHERITED"})
    void deadlinesAmidTheUsualTimesOfAnswersAreNotCounted(Way way, From from) {
        CircuitBreakerPolicy policy = CircuitBreakerPolicy.ofDefaults();
        try (Rig rig = new Rig(way, policy)) {
            Random random = new Random(1);
            for (int i = 0; i < 500; i++) {
                run(rig, from, Duration.ofMillis(50), 1, WELL.taking(Duration.ofMillis(20 + random.nextInt(41))));
            }
            assertThat(policy.state()).isEqualTo(State.CLOSED);
            assertThat(policy.asResilience4j().getMetrics().getNumberOfFailedCalls())
                    .isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void coldDependencyThatHangsIsNotToldFromASlowOneByDeadlinesUnderASecond(Way way) {
        CircuitBreakerPolicy policy = CircuitBreakerPolicy.ofDefaults();
        try (Rig rig = new Rig(way, policy)) {
            run(rig, From.CALL, Duration.ofMillis(999), 200, HUNG);
            assertThat(policy.state()).isEqualTo(State.CLOSED);
            assertOpens(policy, rig, From.CALL, Duration.ofSeconds(1));
        }
    }

    private static Policy outer(boolean deadline, Duration limit) {
        return deadline ? DeadlinePolicy.of(limit) : TimeoutPolicy.of(limit);
    }

    @ParameterizedTest
    @CsvSource({"CALL, true", "CALL, false", "CALL_ASYNC, true", "CALL_ASYNC, false"})
    void answersOfOnePipelineSayWhatIsShortForAnotherWithTheSameBreaker(Way way, boolean deadline) {
        CircuitBreakerPolicy policy = CircuitBreakerPolicy.ofDefaults();
        Work answered = WELL.taking(Duration.ofMillis(100));
        try (Rig slow = new Rig(way, policy, TimeoutPolicy.of(Duration.ofSeconds(2)));
                Rig fast = new Rig(slow, outer(deadline, Duration.ofMillis(20)), policy)) {
            slow.run(20, answered);
            fast.run(200, answered);
            assertThat(policy.state()).isEqualTo(State.CLOSED);
            assertThat(policy.asResilience4j().getMetrics().getNumberOfFailedCalls())
                    .isZero();
        }
    }

    @ParameterizedTest
    @CsvSource({"CALL, true", "CALL, false", "CALL_ASYNC, true", "CALL_ASYNC, false"})
    void hangOpensTheBreakerOfTwoPipelines(Way way, boolean deadline) {
        CircuitBreakerPolicy policy = CircuitBreakerPolicy.ofDefaults();
        try (Rig slow = new Rig(way, policy, TimeoutPolicy.of(Duration.ofSeconds(2)));
                Rig fast = new Rig(slow, outer(deadline, Duration.ofMillis(200)), policy)) {
            slow.run(20, ANSWERED);
            assertOpens(policy, fast, From.OUTER_POLICY, Duration.ofMillis(200));
        }
    }
}
