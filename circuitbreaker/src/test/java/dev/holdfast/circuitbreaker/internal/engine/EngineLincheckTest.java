/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.engine;

import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerSettings;
import dev.holdfast.circuitbreaker.CircuitBreakerSettings.SlidingWindowType;
import dev.holdfast.circuitbreaker.Engines;
import java.time.Duration;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.junit.jupiter.api.Test;

/** Whatever several threads do at once has an order in which one thread could have done it. */
class EngineLincheckTest {
    /** For one invocation, in place of their half a minute. */
    private static final long BUSY_MACHINE_MILLIS = 600_000;

    /** The engine's calls, at a time that stands still. */
    @Param(name = "kind", gen = IntGen.class, conf = "0:3")
    public abstract static class Calls {
        private final Engine engine;

        Calls(SlidingWindowType type, CircuitBreakerPolicy.State initial) {
            CircuitBreakerSettings settings = CircuitBreakerSettings.of(b -> b.slidingWindowType(type)
                    .slidingWindowSize(3)
                    .minimumNumberOfCalls(2)
                    .failureRateThreshold(60)
                    .slowCallRateThreshold(60)
                    .permittedNumberOfCallsInHalfOpenState(2)
                    .probeLease(Duration.ZERO)
                    .initialState(initial));
            engine = Engines.of(settings);
        }

        @Operation
        public boolean acquire() {
            return engine.acquireUntracked(0, 1);
        }

        @Operation
        public void record(@Param(name = "kind") int kind) {
            engine.recordUntracked(kind, 0, 1);
        }

        @Operation
        public void release() {
            engine.releaseUntracked(0, 1);
        }

        @Operation
        public State state() {
            return engine.life(0).state;
        }

        @Operation
        public String moveTo(@Param(name = "kind") int state) {
            State to = state == 0 ? State.CLOSED : state == 1 ? State.OPEN : State.HALF_OPEN;
            return engine.moveTo(to, 0) == null ? "moved" : "refused";
        }
    }

    /** Starts closed, with a window by count. */
    public static final class CountCalls extends Calls {
        public CountCalls() {
            super(SlidingWindowType.COUNT_BASED, CircuitBreakerPolicy.State.CLOSED);
        }
    }

    /** Starts closed, with a window by time. */
    public static final class TimeCalls extends Calls {
        public TimeCalls() {
            super(SlidingWindowType.TIME_BASED, CircuitBreakerPolicy.State.CLOSED);
        }
    }

    /** Starts half-open. */
    public static final class ProbeCalls extends Calls {
        public ProbeCalls() {
            super(SlidingWindowType.COUNT_BASED, CircuitBreakerPolicy.State.HALF_OPEN);
        }
    }

    private static void check(Class<? extends Calls> calls) {
        new ModelCheckingOptions()
                .iterations(3)
                .invocationsPerIteration(25)
                .invocationTimeout$lincheck(BUSY_MACHINE_MILLIS)
                .threads(2)
                .actorsPerThread(2)
                .actorsBefore(3)
                .actorsAfter(1)
                .check(calls);
        new StressOptions()
                .iterations(8)
                .invocationsPerIteration(300)
                .invocationTimeout$lincheck(BUSY_MACHINE_MILLIS)
                .threads(3)
                .actorsPerThread(3)
                .actorsBefore(3)
                .actorsAfter(1)
                .check(calls);
    }

    @Test
    void closedByCount() {
        check(CountCalls.class);
    }

    @Test
    void closedByTime() {
        check(TimeCalls.class);
    }

    @Test
    void halfOpen() {
        check(ProbeCalls.class);
    }
}
