/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofMinutes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Deadline;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.Refusal;
import dev.holdfast.Reply;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * The limit of an outer call is that of an inner one, too. Which of the two strikes first is chance, and the inner call ends in
 * the same way.
 */
@ThreadKind.Each
class InheritedLimitTest {
    /** The seed decides what happens first in an instant. */
    private static final int SEEDS = 32;

    /** What observers hear of the inner call. */
    private final List<String> told = new ArrayList<>();

    private final HandTime hand = new HandTime();

    private final CallObserver observer = new CallObserver() {
        @Override
        public void rejected(String pipeline, @Nullable String operation, String policy, Reason reason) {
            told.add("rejected by " + policy + " " + reason);
        }

        @Override
        public void retryRefused(String pipeline, @Nullable String operation, int attempts, Refusal why) {
            told.add("no retry " + why);
        }

        @Override
        public void attemptSettled(
                String pipeline, @Nullable String operation, int attempt, Outcome outcome, long nanos) {
            told.add("attempt " + outcome);
        }

        @Override
        public void callSettled(
                String pipeline,
                @Nullable String operation,
                Outcome outcome,
                Reply.Source source,
                int attempts,
                long nanos) {
            told.add("call " + outcome);
        }
    };

    /** As a bulkhead that is full. */
    private static final class Waits extends Policy {
        Waits() {
            super("waits", ENTER);
        }

        @Override
        public int enter(Passage passage) {
            return passage.await(new Completion(), Long.MAX_VALUE);
        }
    }

    /** As a fallback that makes a call. */
    private static final class AnswersNever extends Policy {
        AnswersNever() {
            super("answers never", FAILURE);
        }

        @Override
        public int settle(Passage passage) {
            return passage.answerFromStage(error -> new CompletableFuture<>());
        }
    }

    private static Pipeline.Builder pipeline(VirtualTime time, String name, Policy... policies) {
        return Pipeline.builder(name).time(time).policies(policies);
    }

    /** One that hangs, or fails at once. */
    private static Object act(VirtualTime time, boolean hangs) throws Exception {
        if (!hangs) {
            throw new IOException("down");
        }
        time.sleep(ofMinutes(1));
        return "late";
    }

    private static CompletableFuture<Object> stage(boolean hangs) {
        return hangs ? new CompletableFuture<>() : CompletableFuture.failedFuture(new IOException("down"));
    }

    private void assertTold(boolean hangs, Supplier<Policy> policy, String... expected) {
        for (int seed = 0; seed < SEEDS; seed++) {
            for (boolean async : new boolean[] {false, true}) {
                try (VirtualTime time = VirtualTime.seeded(seed)) {
                    told.clear();
                    Pipeline outer = pipeline(time, "outer", TimeoutPolicy.of(ofMillis(30)))
                            .build();
                    Pipeline inner = pipeline(time, "inner", policy.get())
                            .observer(observer)
                            .build();
                    CompletableFuture<Object> answer = async
                            ? outer.callAsync(() -> inner.callAsync(() -> stage(hangs)))
                            : time.spawn(() -> outer.call(() -> inner.call(() -> act(time, hangs))));
                    time.run();
                    String run = "seed " + seed + (async ? ", asynchronous" : ", blocking");
                    assertThat(answer).as(run).isCompletedExceptionally();
                    assertThat(told).as(run).containsExactly(expected);
                }
            }
        }
    }

    @Test
    void aCallThatWaitsIsRejectedForItsDeadline() {
        assertTold(true, Waits::new, "rejected by call DEADLINE_EXCEEDED", "call REJECTED");
    }

    @Test
    void anAttemptIsATimeout() {
        assertTold(true, RetryPolicy::ofDefaults, "attempt TIMEOUT", "no retry DEADLINE", "call TIMEOUT");
    }

    @Test
    void aCallThatWaitsForItsFallbackKeepsWhatItCameTo() {
        assertTold(false, AnswersNever::new, "attempt FAILURE", "call FAILURE");
    }

    @Test
    void theActionAroundACallThatWaitsStillFindsTheInterrupt() {
        Pipeline outer = Pipeline.builder("outer")
                .time(hand)
                .policies(TimeoutPolicy.of(ofMillis(30)))
                .build();
        Pipeline inner = waitsAfter(() -> hand.advance(ofMillis(30)));
        assertThatThrownBy(() -> outer.call(() -> noting(inner))).isInstanceOf(CallTimeoutException.class);
        assertThat(Thread.interrupted()).isFalse();
        assertThat(told).containsExactly("rejected by call DEADLINE_EXCEEDED", "call REJECTED", "flag true");
    }

    @Test
    void anInterruptBeforeTheLimitIsNoDeadline() {
        Pipeline inner = waitsAfter(() -> {
            hand.advance(ofMillis(30).minusNanos(1));
            Thread.currentThread().interrupt();
        });
        assertThatThrownBy(() -> Deadline.within(hand, ofMillis(30), () -> noting(inner)))
                .isInstanceOf(CallRejectedException.class);
        assertThat(Thread.interrupted()).isTrue();
        assertThat(told).containsExactly("rejected by pipeline INTERRUPTED", "call INTERRUPTED", "flag true");
    }

    private Pipeline waitsAfter(Runnable before) {
        Policy waits = new Policy("waits", Policy.ENTER) {
            @Override
            public int enter(Passage passage) {
                before.run();
                return passage.await(new Completion(), Long.MAX_VALUE);
            }
        };
        return Pipeline.builder("inner")
                .time(hand)
                .policies(waits)
                .observer(observer)
                .build();
    }

    private String noting(Pipeline inner) {
        try {
            return inner.call(() -> "not reached");
        } finally {
            told.add("flag " + Thread.currentThread().isInterrupted());
        }
    }
}
