/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.Policy.Timing;
import dev.holdfast.spi.TimeSource;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** When a call looks at the clock: when somebody asks, once a stage, and not at all where nobody does. */
class ClockTest {
    /** Each look at it is one later than the last one. Those of the timer's thread come when they come, and do not count. */
    private static final class Ticks extends Around {
        private final Thread test = Thread.currentThread();
        private long looks;

        Ticks() {
            super(TimeSource.system());
        }

        @Override
        public long nanos() {
            return Thread.currentThread() == test ? ++looks : looks;
        }
    }

    /** Asks for the time on the way in and up, and for nothing else. */
    private static final class Asks extends Policy {
        private final List<Long> times = new ArrayList<>();
        private final Timing timing;

        Asks(Timing timing) {
            super("asks", ENTER | SUCCESS | FAILURE);
            this.timing = timing;
        }

        @Override
        public Timing timing() {
            return timing;
        }

        @Override
        public int enter(Passage passage) {
            times.add(passage.now());
            return PROCEED;
        }

        @Override
        public int settle(Passage passage) {
            times.add(passage.now());
            return KEEP;
        }
    }

    private final Ticks time = new Ticks();

    private Pipeline pipeline(Policy... policies) {
        return Pipeline.builder("p").policies(policies).time(time).build();
    }

    private long looksOf(Pipeline pipeline, boolean async) {
        // The first calls go the long way, later ones the straight one.
        long most = 0;
        for (int i = 0; i < 4; i++) {
            long before = time.looks;
            if (async) {
                assertThat(pipeline.callAsync(() -> CompletableFuture.completedFuture("x")))
                        .isCompletedWithValue("x");
            } else {
                assertThat(pipeline.<String, RuntimeException>call(() -> "x")).isEqualTo("x");
            }
            most = Math.max(most, time.looks - before);
        }
        return most;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void callOfWhichNobodyAsksLooksNeverAtIt(boolean async) {
        RetryPolicy withoutBudget = RetryPolicy.of(r -> r.budgetEnabled(false));
        assertThat(looksOf(pipeline(), async)).isZero();
        assertThat(looksOf(pipeline(FallbackPolicy.value("y"), withoutBudget), async))
                .isZero();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whoeverMeasuresLooksTwice(boolean async) {
        assertThat(looksOf(pipeline(new Asks(Timing.NONE)), async)).isEqualTo(2);
        assertThat(looksOf(pipeline(new Asks(Timing.EVERY), RetryPolicy.ofDefaults()), async))
                .isEqualTo(2);
        Pipeline observed =
                Pipeline.builder("p").time(time).observer(new CallObserver() {}).build();
        assertThat(looksOf(observed, async)).isEqualTo(2);
    }

    @Test
    void budgetLooksAtASampleOfTheCallsOfAThread() {
        try (Pipeline retrying = pipeline(RetryPolicy.ofDefaults())) {
            int calls = 10_000;
            for (int i = 0; i < calls; i++) {
                assertThat(retrying.<String, RuntimeException>call(() -> "x")).isEqualTo("x");
            }
            // Both looks of one call in sixteen, and one for each eighth success.
            assertThat(time.looks).isBetween(calls / 8L, calls / 3L);
            assertThat(looksOf(retrying, true)).isEqualTo(2);
        }
    }

    @Test
    void callWithADeadlineAndAReplyAreMeasured() {
        Operation<String> operation = pipeline().operation("o");
        assertThat(operation.unkeyed().deadline(Duration.ofHours(1)).call(attempt -> "x"))
                .isEqualTo("x");
        assertThat(time.looks).isEqualTo(2);
        assertThat(operation.unkeyed().reply(attempt -> "x").history().get(0).duration())
                .contains(Duration.ofNanos(1));
    }

    @Test
    void timeIsTheSameForAllLayersOfAStage() {
        Asks outer = new Asks(Timing.NONE);
        Asks inner = new Asks(Timing.NONE);
        looksOf(pipeline(outer, inner), false);
        assertThat(outer.times).isEqualTo(inner.times).hasSize(8).isSorted().doesNotHaveDuplicates();
    }

    @Test
    void timeAfterAnAttemptIsAfterIt() {
        Asks asks = new Asks(Timing.NONE);
        looksOf(pipeline(asks), true);
        looksOf(pipeline(asks), false);
        assertThat(asks.times).hasSize(16).isSorted().doesNotHaveDuplicates();
    }
}
