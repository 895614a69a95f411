/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import static dev.holdfast.circuitbreaker.Rig.ILL;
import static dev.holdfast.circuitbreaker.Rig.WELL;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Reason;
import dev.holdfast.Reply;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy.State;
import dev.holdfast.circuitbreaker.CircuitBreakerSettings.SlidingWindowType;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testcalls.Work;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.Metrics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A dependency that answered and now answers nothing, with few permits, so that few calls can say so. */
class HangTest {
    private static final Duration SLOW = Duration.ofSeconds(1);
    private static final Duration TEN_MINUTES = Duration.ofMinutes(10);
    private static final Work HUNG = WELL.taking(Duration.ofDays(1));

    private static CircuitBreakerPolicy policy(double threshold, SlidingWindowType type) {
        return CircuitBreakerPolicy.of(b -> b.slowCallDurationThreshold(SLOW)
                .slowCallRateThreshold(threshold)
                .slidingWindowType(type)
                .slidingWindowSize(type == SlidingWindowType.COUNT_BASED ? 50 : 3_600)
                .waitDurationInOpenState(Duration.ofDays(1)));
    }

    private static List<Running<Reply<Object>>> start(Rig rig, int times, Work work) {
        List<Running<Reply<Object>>> started = new ArrayList<>();
        for (int i = 0; i < times; i++) {
            started.add(rig.start(work));
        }
        return started;
    }

    private static void giveUp(List<Running<Reply<Object>>> calls, Rig rig) {
        calls.forEach(call -> call.giveUp().run());
        rig.advance(Duration.ZERO);
    }

    @ParameterizedTest
    @CsvSource({
        "CALL, COUNT_BASED, 34",
        "CALL, COUNT_BASED, 50",
        "CALL, COUNT_BASED, 80",
        "CALL, COUNT_BASED, 100",
        "CALL, TIME_BASED, 34",
        "CALL, TIME_BASED, 50",
        "CALL, TIME_BASED, 80",
        "CALL, TIME_BASED, 100",
        "CALL_ASYNC, COUNT_BASED, 34",
        "CALL_ASYNC, COUNT_BASED, 50",
        "CALL_ASYNC, COUNT_BASED, 100",
        "CALL_ASYNC, TIME_BASED, 34",
        "CALL_ASYNC, TIME_BASED, 50",
        "CALL_ASYNC, TIME_BASED, 100"
    })
    void allPermitsThatHangOpenItAtAnyThreshold(Way way, SlidingWindowType type, double threshold) {
        CircuitBreakerPolicy policy = policy(threshold, type);
        try (Rig rig = new Rig(way, policy, new Permits(25))) {
            rig.run(50, WELL);
            List<Running<Reply<Object>>> hung = start(rig, 25, HUNG);
            rig.advance(TEN_MINUTES);
            assertThat(policy.state()).isEqualTo(State.OPEN);
            assertThat(rig.start(WELL).result()).isCompletedExceptionally();
            giveUp(hung, rig);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callsThatComeMeanwhileAreTurnedAwayByTheBreakerThoughNobodyAskedForItsState(Way way) {
        CircuitBreakerPolicy policy = policy(100, SlidingWindowType.COUNT_BASED);
        try (Rig rig = new Rig(way, policy, new Permits(25))) {
            rig.run(50, WELL);
            List<Running<Reply<Object>>> hung = start(rig, 25, HUNG);
            rig.advance(SLOW.plusMillis(500));
            assertThat(reason(rig))
                    .as("half of the window may have been answered")
                    .isEqualTo(Reason.BULKHEAD_FULL);
            rig.advance(SLOW);
            assertThat(reason(rig)).as("and nothing has been for a second").isEqualTo(Reason.CIRCUIT_OPEN);
            giveUp(hung, rig);
        }
    }

    private static Reason reason(Rig rig) {
        return ((CallRejectedException) rig.start(WELL).error()).reason();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void defaultsSeeItTooAfterTheirMinute(Way way) {
        CircuitBreakerPolicy policy = CircuitBreakerPolicy.of(b -> b.waitDurationInOpenState(Duration.ofDays(1)));
        try (Rig rig = new Rig(way, policy, new Permits(25))) {
            rig.run(50, WELL);
            List<Running<Reply<Object>>> hung = start(rig, 25, HUNG);
            rig.advance(Duration.ofSeconds(115));
            assertThat(policy.state()).isEqualTo(State.CLOSED);
            rig.advance(Duration.ofSeconds(10));
            assertThat(policy.state()).isEqualTo(State.OPEN);
            giveUp(hung, rig);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void answersThatStillComeKeepItClosed(Way way) {
        CircuitBreakerPolicy policy = policy(100, SlidingWindowType.COUNT_BASED);
        try (Rig rig = new Rig(way, policy, new Permits(26))) {
            rig.run(50, WELL);
            List<Running<Reply<Object>>> hung = start(rig, 25, HUNG);
            for (int i = 0; i < 100; i++) {
                rig.advance(Duration.ofMillis(500));
                assertThat(rig.start(WELL).result()).isCompleted();
            }
            rig.advance(TEN_MINUTES);
            assertThat(policy.state())
                    .as("the last that was heard were answers")
                    .isEqualTo(State.CLOSED);
            giveUp(hung, rig);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void fewerThanTheMinimumSayNothing(Way way) {
        CircuitBreakerPolicy policy = policy(50, SlidingWindowType.COUNT_BASED);
        try (Rig rig = new Rig(way, policy, new Permits(19))) {
            rig.run(50, WELL);
            List<Running<Reply<Object>>> hung = start(rig, 19, HUNG);
            rig.advance(TEN_MINUTES);
            assertThat(policy.state()).isEqualTo(State.CLOSED);
            giveUp(hung, rig);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void hungCallCountsOnceWhateverBecomesOfIt(Way way) {
        CircuitBreakerPolicy policy = policy(100, SlidingWindowType.COUNT_BASED);
        Metrics metrics = policy.asResilience4j().getMetrics();
        try (Rig rig = new Rig(way, policy)) {
            rig.run(50, WELL);
            start(rig, 10, WELL.taking(SLOW.plusSeconds(2)));
            start(rig, 5, ILL.taking(SLOW.plusSeconds(3)));
            List<Running<Reply<Object>>> hung = start(rig, 4, HUNG);
            rig.advance(SLOW.plusMillis(100));
            assertThat(metrics.getNumberOfBufferedCalls()).as("that have ended").isEqualTo(50);
            assertThat(metrics.getSlowCallRate())
                    .as("19 in place of the oldest")
                    .isEqualTo(38);
            rig.advance(Duration.ofSeconds(4));
            assertThat(metrics.getNumberOfBufferedCalls()).isEqualTo(50);
            assertThat(metrics.getNumberOfSlowCalls()).isEqualTo(15);
            assertThat(metrics.getSlowCallRate()).isEqualTo(38);
            assertThat(metrics.getNumberOfSlowFailedCalls()).isEqualTo(5);
            assertThat(metrics.getNumberOfFailedCalls()).isEqualTo(5);
            giveUp(hung, rig);
            assertThat(metrics.getNumberOfBufferedCalls()).isEqualTo(50);
            assertThat(metrics.getSlowCallRate()).isEqualTo(30);
            rig.run(50, WELL);
            assertThat(metrics.getNumberOfBufferedCalls()).isEqualTo(50);
            assertThat(metrics.getNumberOfSlowCalls()).isZero();
        }
    }

    /** So many calls at once, and none waits. */
    private static final class Permits extends Policy {
        private int free;

        Permits(int permits) {
            super("permits", ENTER | SUCCESS | FAILURE);
            free = permits;
        }

        @Override
        public synchronized int enter(Passage passage) {
            if (free == 0) {
                return passage.reject(Reason.BULKHEAD_FULL, -1, "all permits are out");
            }
            free--;
            return PROCEED;
        }

        @Override
        public synchronized int settle(Passage passage) {
            free++;
            return KEEP;
        }
    }
}
