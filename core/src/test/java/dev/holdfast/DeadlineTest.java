/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DeadlineTest {
    private final VirtualTime time = new VirtualTime();

    @AfterEach
    void close() {
        time.close();
    }

    private Pipeline pipeline(Policy... policies) {
        return Pipeline.builder("p").policies(policies).time(time).build();
    }

    private long remaining(Pipeline p) {
        return p.<Long>operation("x")
                .unkeyed()
                .call(attempt -> attempt.remaining().toMillis());
    }

    @Test
    void everyPipelineBelowTakesTheSmallerTime() throws Exception {
        Pipeline p = pipeline(DeadlinePolicy.of(Duration.ofMillis(300)));
        assertThat(Deadline.within(time, Duration.ofMillis(100), () -> remaining(p)))
                .isEqualTo(100);
        assertThat(Deadline.within(time, Duration.ofMillis(900), () -> remaining(p)))
                .isEqualTo(300);
        assertThat(remaining(p)).isEqualTo(300);
    }

    @Logs("another TimeSource")
    @Test
    void aDeadlineOfAnotherClockIsToldOnce() throws Exception {
        Pipeline p = pipeline();
        for (int i = 0; i < 2; i++) {
            assertThat(Deadline.within(Duration.ofDays(1), () -> remaining(p))).isPositive();
        }
    }

    @Test
    void theLimitOfACallIsNamedAsItsDeadline() {
        Pipeline p = pipeline();
        Call<String> call = p.<String>operation("x").unkeyed();
        CompletableFuture<String> hangs =
                call.deadline(Duration.ofMillis(100)).callAsync(attempt -> new CompletableFuture<>());
        time.run();
        assertThatThrownBy(hangs::join)
                .hasRootCauseMessage(
                        "attempt 1 of 'p' was given up after 100 ms by the deadline of the call (limit 100 ms)");
        assertThatThrownBy(() -> call.deadline(Duration.ZERO).call(attempt -> "none"))
                .hasMessage("call of 'p' could not be made within the time of its own deadline (limit 0 ms)");
    }

    /** The caller's deadline has passed in the action around it, or passes while the call waits. */
    @Test
    void aCallThatIsNotMadeSaysWhoseDeadlineItWasAndHowLong() throws Exception {
        Pipeline p = pipeline();
        Call<String> call = p.<String>operation("x").unkeyed();
        assertThatThrownBy(() -> Deadline.within(time, Duration.ZERO, () -> call.call(attempt -> "none")))
                .hasMessage("call of 'p' could not be made within the time of its inherited deadline,"
                        + " which was over when the call began");
        Pipeline waits = Pipeline.builder("waits")
                .time(time)
                .policies(new Policy("queue", Policy.ENTER) {
                    @Override
                    public int enter(Passage passage) {
                        return passage.pause(Duration.ofSeconds(1).toNanos());
                    }
                })
                .build();
        Call<String> waiting = waits.<String>operation("x").unkeyed();
        assertThatThrownBy(() -> waiting.deadline(Duration.ofMillis(50)).call(attempt -> "none"))
                .hasMessage("call of 'waits' could not be made within the time of its own deadline (limit 50 ms)");
        assertThatThrownBy(() -> Deadline.within(
                        time,
                        Duration.ofMillis(40),
                        () -> waiting.deadline(Duration.ofMillis(50)).call(attempt -> "none")))
                .hasMessage(
                        "call of 'waits' could not be made within the time of its inherited deadline (limit 40 ms)");
    }

    @Test
    void anInnerDeadlineCanOnlyShorten() throws Exception {
        Pipeline p = pipeline();
        long inner = Deadline.within(
                time, Duration.ofMillis(100), () -> Deadline.within(time, Duration.ofMillis(500), () -> remaining(p)));
        assertThat(inner).isEqualTo(100);
    }

    @Test
    void anActionThatThrowsLeavesTheOuterDeadlineAndThenNone() throws Exception {
        Pipeline p = pipeline();
        long outer = Deadline.within(time, Duration.ofMillis(500), () -> {
            assertThatThrownBy(() -> Deadline.within(time, Duration.ofMillis(100), () -> {
                        throw new IOException("down");
                    }))
                    .hasMessage("down");
            return remaining(p);
        });
        assertThat(outer).isEqualTo(500);
        assertThat(Deadline.remaining()).isEmpty();
    }

    @Test
    void aNestedCallInheritsWhatRemains() throws Exception {
        Pipeline outer = pipeline(DeadlinePolicy.of(Duration.ofMillis(100)));
        Pipeline inner = pipeline();
        long left = outer.call(() -> {
            time.sleep(Duration.ofMillis(30));
            return remaining(inner);
        });
        assertThat(left).isEqualTo(70);
    }

    @Test
    void aCallsOwnDeadlineHoldsOverAllAttempts() throws Exception {
        Call<String> call = pipeline().<String>operation("x").unkeyed().deadline(Duration.ofMillis(40));
        assertThatThrownBy(() -> call.call(attempt -> {
                    time.sleep(Duration.ofSeconds(1));
                    return "x";
                }))
                .isInstanceOfSatisfying(
                        CallTimeoutException.class, e -> assertThat(e.policy()).isEqualTo("call"));
        assertThatThrownBy(() -> call.deadline(Duration.ofDays(366)))
                .hasMessage("deadline is 366d but must be at most 365d");
    }

    /** What is left of a request's time is worked out while it passes. */
    @Test
    void aTimeThatIsOverIsADeadlineExceededAndNoError() throws Exception {
        List<String> started = new ArrayList<>();
        Call<Boolean> call = pipeline().<Boolean>operation("x").unkeyed();
        Call<Boolean> plain = pipeline().<Boolean>operation("x").unkeyed();
        for (Duration over : List.of(Duration.ZERO, Duration.ofNanos(-1), Duration.ofSeconds(Long.MIN_VALUE))) {
            Call<Boolean> late = call.deadline(over);
            assertExceeded(() -> late.call(attempt -> started.add("x")));
            assertExceeded(() -> Deadline.within(time, over, () -> plain.call(attempt -> started.add("x"))));
            assertThat(late.callAsync(attempt -> CompletableFuture.completedFuture(started.add("x"))))
                    .failsWithin(Duration.ZERO)
                    .withThrowableOfType(ExecutionException.class)
                    .havingCause()
                    .isInstanceOfSatisfying(
                            CallRejectedException.class,
                            e -> assertThat(e.reason()).isEqualTo(Reason.DEADLINE_EXCEEDED));
        }
        assertThat(started).isEmpty();
    }

    private static void assertExceeded(ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        CallRejectedException.class, e -> assertThat(e.reason()).isEqualTo(Reason.DEADLINE_EXCEEDED));
    }

    @Test
    void aCallWhoseTimeIsOverIsNotStarted() throws Exception {
        List<String> started = new ArrayList<>();
        Pipeline p = pipeline();
        assertThatThrownBy(() -> Deadline.within(time, Duration.ofMillis(10), () -> {
                    time.sleep(Duration.ofMillis(10));
                    return p.call(() -> started.add("x"));
                }))
                .isInstanceOfSatisfying(
                        CallRejectedException.class, e -> assertThat(e.reason()).isEqualTo(Reason.DEADLINE_EXCEEDED));
        assertThat(started).isEmpty();
    }

    @Test
    void anExecutorCarriesItOverAndLeavesNothingBehind() throws Exception {
        List<Object> seen = new ArrayList<>();
        Executor sameThread = Runnable::run;
        List<Runnable> later = new ArrayList<>();
        Executor propagating = Deadline.propagating(later::add);
        Deadline.within(time, Duration.ofMillis(100), () -> {
            propagating.execute(() -> seen.add(remaining(pipeline())));
            Deadline.propagating(sameThread)
                    .execute(() -> seen.add(Deadline.remaining().isPresent()));
            return null;
        });
        time.advance(Duration.ofMillis(60));
        later.forEach(Runnable::run);
        assertThat(seen).containsExactly(true, 40L);
        assertThat(Deadline.remaining()).isEmpty();
        Deadline.propagating(sameThread).execute(() -> seen.add(Deadline.remaining()));
        assertThat(seen).hasSize(3);
    }

    @Test
    void onTheSystemsTimeItIsToldAndNeverNegative() throws Exception {
        assertThat(Deadline.within(Duration.ofHours(1), Deadline::remaining))
                .hasValueSatisfying(left -> assertThat(left).isBetween(Duration.ofMinutes(50), Duration.ofHours(1)));
        assertThat(Deadline.within(Duration.ofNanos(1), Deadline::remaining)).isNotNull();
    }

    @Test
    void aSourceOfTimeThatThrowsLeavesNothingBehindOnTheThread() throws Exception {
        TimeSource broken = (TimeSource) Proxy.newProxyInstance(
                TimeSource.class.getClassLoader(), new Class<?>[] {TimeSource.class}, (proxy, method, arguments) -> {
                    throw new IllegalStateException("no " + method.getName());
                });
        Pipeline onBroken = Pipeline.builder("broken").time(broken).build();
        Pipeline p = pipeline(DeadlinePolicy.of(Duration.ofMillis(300)));
        assertThat(remaining(p)).isEqualTo(300);
        Call<String> limited = onBroken.<String>operation("o").unkeyed().deadline(Duration.ofSeconds(1));
        assertThatThrownBy(() -> limited.call(attempt -> "never")).hasMessage("no nanos");
        assertThat(Deadline.remaining()).isEmpty();
        assertThat(remaining(p)).isEqualTo(300);
    }

    @Test
    void operationsTellKeysPartitionsAndDecoratedFunctions() throws Exception {
        Pipeline p = pipeline();
        Operation<String> stock = p.operation("stock");
        assertThat(stock.name()).isEqualTo("stock");
        assertThat(stock.decorate((Integer sku) -> "sku " + sku).apply(7)).isEqualTo("sku 7");
        assertThat(stock.<Integer>decorateAsync(sku -> CompletableFuture.completedFuture("sku " + sku))
                        .apply(8))
                .isCompletedWithValue("sku 8");
        Reply<String> reply =
                stock.key("a").partition("tenant").idempotent(false).reply(attempt -> "v" + attempt.number());
        assertThat(reply.value()).isEqualTo("v1");
        assertThat(reply.age()).isZero();
        assertThat(reply).hasToString("Reply[LIVE, age PT0S, attempts 1]");
        assertThat(stock.key("a")
                        .replyAsync(attempt -> CompletableFuture.completedFuture("b"))
                        .join()
                        .value())
                .isEqualTo("b");
    }

    @Test
    void anActionWithoutAValueRunsUnderTheDeadline() throws IOException {
        List<Optional<Duration>> seen = new ArrayList<>();
        Deadline.within(Duration.ofHours(1), () -> {
            seen.add(Deadline.remaining());
        });
        assertThat(seen.get(0))
                .hasValueSatisfying(left -> assertThat(left).isBetween(Duration.ofMinutes(50), Duration.ofHours(1)));
        Deadline.within(time, Duration.ofSeconds(2), () -> {
            seen.add(Deadline.remaining());
        });
        assertThat(seen.get(1)).contains(Duration.ofSeconds(2));
        IOException mine = new IOException("mine");
        CheckedRunnable<IOException> fails = () -> {
            throw mine;
        };
        assertThatThrownBy(() -> Deadline.within(Duration.ofSeconds(2), fails)).isSameAs(mine);
        assertThat(Deadline.remaining()).isEmpty();
    }
}
