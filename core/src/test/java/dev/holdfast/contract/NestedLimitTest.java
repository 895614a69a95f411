/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofMinutes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.holdfast.CallTimeoutException;
import dev.holdfast.CheckedSupplier;
import dev.holdfast.Deadline;
import dev.holdfast.Pipeline;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A limit around a pipeline that is around another one: who set it reports it, and the flag is as it was. */
@ThreadKind.Each
class NestedLimitTest {
    private final VirtualTime virtual = VirtualTime.seeded(1);
    private final HandTime hand = new HandTime();

    private static Pipeline pipeline(TimeSource time, String name, Policy... policies) {
        return Pipeline.builder(name).time(time).policies(policies).build();
    }

    /** As a service method that calls a client, which calls another one. */
    private static CheckedSupplier<String, Exception> nested(
            TimeSource time, int levels, CheckedSupplier<String, Exception> action) {
        CheckedSupplier<String, Exception> work = action;
        for (int level = levels; level > 0; level--) {
            Pipeline pipeline = pipeline(time, "level " + level, RetryPolicy.ofDefaults());
            CheckedSupplier<String, Exception> inner = work;
            work = () -> pipeline.call(inner);
        }
        return work;
    }

    private static void assertTimeoutOf(Throwable thrown, String pipeline, String policy) {
        assertThat(thrown)
                .asInstanceOf(InstanceOfAssertFactories.type(CallTimeoutException.class))
                .satisfies(timeout -> {
                    assertThat(timeout.pipeline()).isEqualTo(pipeline);
                    assertThat(timeout.policy()).isEqualTo(policy);
                });
    }

    private String sleepInVirtualTime() throws InterruptedException {
        virtual.sleep(ofMinutes(1));
        return "slept";
    }

    /** Waits until it is interrupted, while the clock is moved beyond the limit. */
    private CheckedSupplier<String, Exception> strikes(List<String> felt, Runnable onInterrupt) {
        return () -> {
            hand.advance(ofMillis(20));
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException struck) {
                felt.add("interrupted");
                onInterrupt.run();
                throw struck;
            }
            return "never";
        };
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void limitAroundNestedCallsEndsAsATimeoutOfItsOwner(int levels) {
        List<Throwable> ends = new ArrayList<>();
        Pipeline outer = pipeline(virtual, "outer", TimeoutPolicy.of(ofMillis(20)));
        CompletableFuture<Boolean> flag = virtual.spawn(() -> {
            ends.add(catchThrowable(() -> outer.call(nested(virtual, levels, this::sleepInVirtualTime))));
            return virtual.isInterrupted(Thread.currentThread());
        });
        virtual.run();
        assertTimeoutOf(ends.get(0), "outer", "timeout");
        assertThat(flag).isCompletedWithValue(false);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void limitAroundNestedCallsInterruptsTheActionOnceAndLeavesNoFlag(int levels) {
        Pipeline outer = pipeline(hand, "outer", TimeoutPolicy.of(ofMillis(20)));
        List<String> felt = new ArrayList<>();
        Throwable thrown = catchThrowable(() -> outer.call(nested(hand, levels, strikes(felt, () -> {}))));
        assertThat(Thread.interrupted()).as("the flag").isFalse();
        assertTimeoutOf(thrown, "outer", "timeout");
        assertThat(felt).containsExactly("interrupted");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void actionThatSetsTheFlagAgainTurnsNoTimeoutIntoAnInterruption(int levels) {
        Pipeline outer = pipeline(hand, "outer", TimeoutPolicy.of(ofMillis(20)));
        Throwable thrown = catchThrowable(() -> outer.call(nested(
                hand,
                levels,
                strikes(new ArrayList<>(), () -> Thread.currentThread().interrupt()))));
        assertThat(Thread.interrupted()).as("the flag").isFalse();
        assertTimeoutOf(thrown, "outer", "timeout");
    }

    @Test
    void deadlineBoundAroundTwoPipelinesIsReportedByTheOuterOne() {
        Pipeline outer = pipeline(hand, "outer", RetryPolicy.ofDefaults());
        Throwable thrown = catchThrowable(() -> Deadline.within(
                hand, ofMillis(20), () -> outer.call(nested(hand, 1, strikes(new ArrayList<>(), () -> {})))));
        assertThat(Thread.interrupted()).as("the flag").isFalse();
        assertTimeoutOf(thrown, "outer", "call");
    }

    @Test
    void attemptThatTheOuterLimitEndedInsideANestedCallIsRetried() {
        Pipeline outer = pipeline(
                virtual,
                "outer",
                RetryPolicy.of(r -> r.maxAttempts(3).initialBackoff(ofMillis(1)).budgetEnabled(false)),
                TimeoutPolicy.of(ofMillis(20)));
        AtomicInteger runs = new AtomicInteger();
        CompletableFuture<String> answer = virtual.spawn(() -> outer.call(nested(virtual, 2, () -> {
            if (runs.incrementAndGet() < 3) {
                virtual.sleep(ofMinutes(1));
            }
            return "of run " + runs;
        })));
        virtual.run();
        assertThat(answer).isCompletedWithValue("of run 3");
    }

    @Test
    void answerOfAHedgeWinsOverANestedCallThatHangs() {
        Pipeline inner = pipeline(virtual, "inner", RetryPolicy.ofDefaults());
        Pipeline outer = pipeline(
                virtual, "outer", HedgePolicy.of(h -> h.delay(ofMillis(20)).budgetEnabled(false)));
        CompletableFuture<String> answer = virtual.spawn(() -> outer.<String>operation("o")
                .unkeyed()
                .call(attempt -> inner.call(() -> {
                    if (attempt.number() == 1) {
                        virtual.sleep(ofMinutes(1));
                    }
                    return "of attempt " + attempt.number();
                })));
        virtual.run();
        assertThat(answer).isCompletedWithValue("of attempt 2");
    }

    @Test
    void innerTimeoutThatTheOuterActionHandlesLeavesTheOuterLimitInForce() {
        Pipeline inner = pipeline(hand, "inner", RetryPolicy.ofDefaults());
        Pipeline outer = pipeline(hand, "outer", TimeoutPolicy.of(ofMillis(20)));
        List<String> felt = new ArrayList<>();
        Throwable thrown = catchThrowable(() -> outer.call(() -> {
            // Deaf to its interrupt: the inner call ends with its limit, and the outer action must still see its own.
            assertThat(catchThrowable(() -> inner.call(() -> {
                        hand.advance(ofMillis(20));
                        return "late";
                    })))
                    .isNotNull();
            felt.add(Thread.currentThread().isInterrupted() ? "interrupted" : "not interrupted");
            return "handled";
        }));
        assertThat(Thread.interrupted()).as("the flag").isFalse();
        assertTimeoutOf(thrown, "outer", "timeout");
        assertThat(felt).containsExactly("interrupted");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void interruptFromOutsideBeforeTheLimitStrikesStaysSetAfterTheTimeout(int levels) {
        Pipeline outer = pipeline(hand, "outer", TimeoutPolicy.of(ofMillis(20)));
        Thread caller = Thread.currentThread();
        Throwable thrown = catchThrowable(() -> outer.call(nested(hand, levels, () -> {
            caller.interrupt();
            hand.advance(ofMillis(20));
            return "late";
        })));
        assertThat(Thread.interrupted()).as("the interrupt from outside").isTrue();
        assertTimeoutOf(thrown, "outer", "timeout");
    }

    @Test
    void innerAsynchronousCallThatTheOuterLimitEndsIsReportedByTheOuterOne() {
        Pipeline outer = pipeline(virtual, "outer", TimeoutPolicy.of(ofMillis(20)));
        Pipeline inner = pipeline(virtual, "inner", RetryPolicy.ofDefaults());
        CompletableFuture<String> answer =
                outer.callAsync(() -> inner.callAsync(() -> inner.callAsync(CompletableFuture::new)));
        virtual.run();
        assertTimeoutOf(catchThrowable(answer::join).getCause(), "outer", "timeout");
    }

    @Test
    void blockingCallInsideAnAsynchronousOneIsEndedByItsLimit() {
        Pipeline outer = pipeline(hand, "outer", TimeoutPolicy.of(ofMillis(20)));
        CompletableFuture<String> answer = outer.callAsync(() -> {
            try {
                return CompletableFuture.completedFuture(
                        nested(hand, 2, strikes(new ArrayList<>(), () -> {})).get());
            } catch (Exception e) {
                return CompletableFuture.failedFuture(e);
            }
        });
        assertThat(Thread.interrupted()).as("the flag").isFalse();
        assertTimeoutOf(catchThrowable(answer::join).getCause(), "outer", "timeout");
    }

    @Test
    void errorOfTheUsersAroundAnInnerTimeoutIsTheOuterTimeoutToo() {
        Pipeline outer = pipeline(virtual, "outer", TimeoutPolicy.of(ofMillis(20)));
        Pipeline inner = pipeline(virtual, "inner", RetryPolicy.ofDefaults());
        CompletableFuture<String> answer = virtual.spawn(() -> outer.call(() -> {
            try {
                return inner.call(this::sleepInVirtualTime);
            } catch (CallTimeoutException e) {
                throw new IllegalStateException("no stock", e);
            }
        }));
        virtual.run();
        assertTimeoutOf(catchThrowable(answer::join).getCause(), "outer", "timeout");
    }

    @Test
    void timeoutOfAnInnerPolicyIsAnErrorLikeAnyOther() {
        Pipeline outer = pipeline(virtual, "outer", TimeoutPolicy.of(ofMillis(20)));
        Pipeline inner = pipeline(virtual, "inner", TimeoutPolicy.of(ofMillis(5)));
        CompletableFuture<String> answer = virtual.spawn(() -> outer.call(() -> inner.call(this::sleepInVirtualTime)));
        virtual.run();
        assertTimeoutOf(catchThrowable(answer::join).getCause(), "inner", "timeout");
    }
}
