/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import static dev.holdfast.contract.Lab.millis;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Outcome;
import dev.holdfast.Reply.Source;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testing.ThreadKind;
import java.io.IOException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An executor of the user's that runs a task twice, or takes it and throws all the same: nothing is lost, nothing done twice. */
@ThreadKind.Each
class OddExecutorTest {
    /** What it does with a task that it should run once. */
    private enum Oddity {
        RUNS_TWICE,
        TAKES_AND_THROWS;

        Executor over(Executor executor) {
            return task -> {
                executor.execute(task);
                if (this == TAKES_AND_THROWS) {
                    throw new RejectedExecutionException("taken all the same");
                }
                executor.execute(task);
            };
        }
    }

    private final AtomicInteger held = new AtomicInteger();
    private final AtomicInteger most = new AtomicInteger();
    private final Policy holds = new Policy("holds", Policy.ENTER | Policy.ENDED) {
        @Override
        public int enter(Passage passage) {
            most.accumulateAndGet(held.incrementAndGet(), Math::max);
            return PROCEED;
        }

        @Override
        public void ended(Passage passage) {
            held.decrementAndGet();
        }
    };

    @ParameterizedTest
    @EnumSource(Oddity.class)
    void hedgesAreMadeOnceAndGiveBackWhatTheyHold(Oddity oddity) {
        for (Way way : Way.values()) {
            try (Lab lab = new Lab()) {
                lab.building(builder -> builder.backgroundExecutor(oddity.over(lab.time.executor())));
                lab.layers(HedgePolicy.of(h -> h.delay(millis(5))), holds);
                Lab.End end = lab.run(
                                way,
                                Step.value("slow").after(50),
                                Step.value("fast").after(5))
                        .end();
                // What it says it does not take is not begun, whatever it does with it.
                assertThat(end.what())
                        .as("%s", way)
                        .isEqualTo(oddity == Oddity.RUNS_TWICE ? "fast from LIVE" : "slow from LIVE");
                lab.time.advance(millis(1_000));
                assertThat(held).as("%s", way).hasValue(0);
                assertThat(most.getAndSet(0)).as("%s", way).isLessThanOrEqualTo(2);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Oddity.class)
    void callsGoOnOnceAndGiveBackWhatTheyHold(Oddity oddity) {
        try (Lab lab = new Lab()) {
            lab.building(builder -> builder.executor(oddity.over(lab.time.executor())));
            lab.layers(RetryPolicy.of(r -> r.maxAttempts(3)), holds);
            Lab.End end = lab.run(
                            Way.CALL_ASYNC,
                            Step.error(new IOException("1")).after(1),
                            Step.error(new IOException("2")).after(1),
                            Step.value("3").after(1))
                    .end();
            assertThat(end.what()).isEqualTo(oddity == Oddity.RUNS_TWICE ? "3 from LIVE" : "IOException: 1");
            assertThat(end.attempts()).isEqualTo(oddity == Oddity.RUNS_TWICE ? 3 : 1);
            assertThat(held).hasValue(0);
            assertThat(most).hasValue(1);
        }
    }

    /** Also if it is the last thread that a call can end on. */
    @Test
    void callEndsOnceWhateverTheTimesExecutorDoes() {
        try (Lab lab = new Lab()) {
            AtomicInteger settled = new AtomicInteger();
            TimeSource odd = new Around(lab.time) {
                @Override
                public Executor executor() {
                    return Oddity.TAKES_AND_THROWS.over(lab.time.executor());
                }
            };
            CallObserver observer = new CallObserver() {
                @Override
                public void callSettled(
                        String pipeline,
                        @Nullable String operation,
                        Outcome outcome,
                        Source source,
                        int attempts,
                        long nanos) {
                    settled.incrementAndGet();
                }
            };
            lab.building(builder -> builder.time(odd)
                    .executor(task -> {
                        throw new RejectedExecutionException("no thread");
                    })
                    .observer(observer));
            lab.layers(lab.probe("pausing").entering(passage -> Decision.pause(1)));
            assertThat(lab.run(Way.CALL_ASYNC, Step.value("never")).isDone()).isTrue();
            assertThat(settled).hasValue(1);
            lab.assertLivesOver();
        }
    }
}
