/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Actions without a value, actions that throw two checked exceptions, and the policy of a type. */
@Logs({"timeout-outside-retry", "two-retries"})
class CallShapesTest {
    private final VirtualTime time = new VirtualTime();

    @AfterEach
    void close() {
        time.close();
    }

    private Pipeline pipeline(Policy... policies) {
        return Pipeline.builder("p").policies(policies).time(time).build();
    }

    /** As java.net.http's {@code send}. */
    private static String send(AtomicInteger requests, int failures) throws IOException, InterruptedException {
        if (requests.incrementAndGet() <= failures) {
            throw new IOException("reset");
        }
        return "body " + requests.get();
    }

    // That these compile without throws Exception is half of the test.

    private static String sent(Pipeline p, AtomicInteger requests, int failures)
            throws IOException, InterruptedException {
        return p.callInterruptibly(() -> send(requests, failures));
    }

    private static String sent(Call<String> call, AtomicInteger requests, int failures)
            throws IOException, InterruptedException {
        return call.callInterruptibly(attempt -> send(requests, failures));
    }

    private static void awaited(Pipeline p) throws InterruptedException {
        p.callInterruptibly(() -> {
            new CountDownLatch(0).await();
            return "awaited";
        });
    }

    @Test
    void anActionOfTwoCheckedExceptionsIsRetriedAndDeliversAsAnyOther() throws IOException, InterruptedException {
        Pipeline p = pipeline(RetryPolicy.of(r -> r.maxAttempts(3).initialBackoff(Duration.ofMillis(1))));
        AtomicInteger first = new AtomicInteger();
        AtomicInteger second = new AtomicInteger();
        List<String> got = new ArrayList<>();
        CompletableFuture<@Nullable Object> caller = time.spawn(() -> {
            got.add(sent(p, first, 2));
            got.add(sent(p.<String>operation("send").key(1), second, 1));
            return null;
        });
        time.advance(Duration.ofSeconds(1));
        assertThat(caller).isCompleted();
        assertThat(got).containsExactly("body 3", "body 2");
        awaited(p);
    }

    @Test
    void bothExceptionsLeaveAsTheyAre() {
        Pipeline p = pipeline();
        assertThatThrownBy(() -> sent(p, new AtomicInteger(), 9))
                .isInstanceOf(IOException.class)
                .hasMessage("reset");
        InterruptedException mine = new InterruptedException("mine");
        assertThatThrownBy(() -> p.callInterruptibly(() -> {
                    throw mine;
                }))
                .isSameAs(mine);
        assertThatThrownBy(() -> p.<String>operation("o").unkeyed().callInterruptibly(attempt -> {
                    throw mine;
                }))
                .isSameAs(mine);
        Thread.interrupted();
    }

    @Test
    void anActionWithoutAValueRunsUnderThePolicies() throws IOException {
        Pipeline p = pipeline(RetryPolicy.of(r -> r.maxAttempts(2).initialBackoff(Duration.ofMillis(1))));
        AtomicInteger runs = new AtomicInteger();
        List<Integer> attempts = new ArrayList<>();
        CompletableFuture<@Nullable Object> caller = time.spawn(() -> {
            p.run(() -> {
                if (runs.incrementAndGet() == 1) {
                    throw new IOException("reset");
                }
            });
            p.operation("delete").unkeyed().run(attempt -> {
                attempts.add(attempt.number());
                if (attempt.number() == 1) {
                    throw new IOException("reset");
                }
            });
            return null;
        });
        time.advance(Duration.ofSeconds(1));
        assertThat(caller).isCompleted();
        assertThat(runs).hasValue(2);
        assertThat(attempts).containsExactly(1, 2);
        // No checked exception is declared where none is thrown.
        p.run(() -> runs.addAndGet(10));
        assertThat(runs).hasValue(12);
    }

    @Test
    void anActionWithoutAValueEndsInItsOwnExceptionOrInAFallback() {
        IOException mine = new IOException("mine");
        assertThatThrownBy(() -> pipeline().run(() -> {
                    throw mine;
                }))
                .isSameAs(mine);
        pipeline(FallbackPolicy.value("made up")).run(() -> {
            throw new IllegalStateException("handled");
        });
    }

    @Test
    void anActionWithoutAValueHasNoKeyButKeepsWhatElseTheCallSays() {
        List<@Nullable Object> keys = new ArrayList<>();
        List<Boolean> idempotent = new ArrayList<>();
        List<Duration> remaining = new ArrayList<>();
        Policy sees = new Policy("sees", Policy.ENTER) {
            @Override
            public int enter(Passage passage) {
                keys.add(passage.key());
                idempotent.add(passage.idempotent());
                return PROCEED;
            }
        };
        pipeline(sees)
                .<String>operation("o")
                .key("k")
                .idempotent(false)
                .deadline(Duration.ofSeconds(3))
                .run(attempt -> remaining.add(attempt.remaining()));
        assertThat(keys).hasSize(1).containsOnlyNulls();
        assertThat(idempotent).containsExactly(false);
        assertThat(remaining).containsExactly(Duration.ofSeconds(3));
    }

    @Test
    @SuppressWarnings("NullAway") // as a program would that is not checked for nulls
    void noActionIsToldBeforeAnythingHappens() {
        Pipeline p = pipeline();
        assertThatThrownBy(() -> p.policy(null)).hasMessage("type");
        assertThatThrownBy(() -> p.run(null))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("action");
        assertThatThrownBy(() -> p.callInterruptibly(null)).hasMessage("action");
        assertThatThrownBy(() -> p.operation("o").unkeyed().run(null)).hasMessage("action");
        assertThatThrownBy(() -> p.operation("o").unkeyed().callInterruptibly(null))
                .hasMessage("action");
    }

    @Test
    void thePolicyOfATypeIsFoundIfThereIsExactlyOne() {
        TimeoutPolicy timeout = TimeoutPolicy.of(Duration.ofSeconds(1));
        Pipeline p = pipeline(RetryPolicy.ofDefaults(), timeout, RetryPolicy.ofDefaults());
        assertThat(p.policy(TimeoutPolicy.class)).isSameAs(timeout);
        assertThatThrownBy(() -> p.policy(FallbackPolicy.class))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("pipeline 'p' has no FallbackPolicy, but exactly one is asked for; it has"
                        + " [RetryPolicy, TimeoutPolicy, RetryPolicy]");
        assertThatThrownBy(() -> p.policy(RetryPolicy.class)).hasMessageContaining("'p' has 2 RetryPolicy");
    }

    @Test
    void aCallOfNoOperationHasOptionsAndAnAttempt() throws Exception {
        Pipeline p = pipeline();
        Call<Integer> call = p.unkeyed();
        assertThat(call.<Exception>call(Attempt::number)).isOne();
        assertThatThrownBy(() -> call.deadline(Duration.ZERO).call(Attempt::number))
                .isInstanceOf(CallRejectedException.class);
    }

    @Test
    void aValueThatNobodyGetsIsToldToTheCallAndThenToTheOperation() {
        List<String> told = new ArrayList<>();
        Operation<String> o = pipeline(RetryPolicy.of(r -> r.maxAttempts(2)))
                .operation(
                        "o",
                        options -> options.classifier((value, error) -> Verdict.FAILURE)
                                .discard(value -> told.add("operation " + value)));
        Call<String> call = o.key("k").discard(value -> told.add("call " + value));
        CompletableFuture<String> last = time.spawn(() -> call.call(attempt -> "value " + attempt.number()));
        time.run();
        assertThat(last).isCompletedWithValue("value 2");
        assertThat(told).containsExactly("call value 1", "operation value 1");
        told.clear();
        // Of one call alone, and with further options.
        CompletableFuture<String> next = call.idempotent(true)
                .unkeyed()
                .deadline(Duration.ofMinutes(1))
                .callAsync(attempt -> CompletableFuture.completedFuture("value " + attempt.number()));
        CompletableFuture<String> another =
                o.unkeyed().callAsync(attempt -> CompletableFuture.completedFuture("value " + attempt.number()));
        time.run();
        assertThat(next).isCompletedWithValue("value 2");
        assertThat(another).isCompletedWithValue("value 2");
        assertThat(told).containsOnly("call value 1", "operation value 1").hasSize(3);
    }

    @Test
    void aCallWithoutItsKeyHasNone() throws Exception {
        List<String> keys = new ArrayList<>();
        Policy looks = new Policy("looks", Policy.ENTER) {
            @Override
            public int enter(Passage passage) {
                keys.add(passage.key() == null ? "none" : "one");
                return PROCEED;
            }
        };
        Call<String> keyed = pipeline(looks).<String>operation("o").key("k");
        keyed.call(attempt -> "a");
        keyed.unkeyed().call(attempt -> "a");
        assertThat(keys).containsExactly("one", "none");
    }

    @Test
    void policiesTellTheirSettings() {
        assertThat(FallbackPolicy.value("x").settings()).hasToString("FallbackSettings[value, onIgnored=false]");
        assertThat(RetryPolicy.of(r -> r.maxAttempts(2)).settings())
                .hasToString("RetrySettings[maxAttempts=2, initialBackoff=50ms, multiplier=2.0, maxBackoff=1s,"
                        + " jitter=FULL, maxRetryAfter=30s, budgetEnabled=true, budget.maxTokens=10, budget.tokenRatio=0.1,"
                        + " budget.minRetriesPerMinute=3, budget.replicas=1, retryRejections=false,"
                        + " retryInsideRetries=false]");
        assertThat(HedgePolicy.of(h -> h.delay(Duration.ofMillis(20))).settings())
                .hasToString(
                        "HedgeSettings[delay=20ms, percentile=95.0, window=30s, minimumCalls=100, initialDelay=500ms,"
                                + " maxHedges=1, budgetEnabled=true]");
    }

    @Test
    @SuppressWarnings("NullAway") // as a program would that is not checked for nulls
    void aNullActionIsRefusedAndIsNoCall() {
        AtomicInteger begun = new AtomicInteger();
        Pipeline p = pipeline(RetryPolicy.of(r -> r.initialBackoff(Duration.ZERO)), counting(begun));
        Call<String> keyed = p.<String>operation("o").key(1);
        List<ThrowingCallable> blocking = List.of(
                () -> p.call(null),
                () -> p.run(null),
                () -> p.callInterruptibly(null),
                () -> keyed.call(null),
                () -> keyed.run(null),
                () -> keyed.reply(null),
                () -> keyed.callInterruptibly(null),
                () -> keyed.replyInterruptibly(null),
                () -> keyed.refreshable().call(null),
                () -> keyed.refreshable().reply(null));
        assertThat(blocking)
                .allSatisfy(call -> assertThatThrownBy(call)
                        .isInstanceOf(NullPointerException.class)
                        .hasMessage("action"));
        List<CompletableFuture<?>> asynchronous = List.of(
                p.callAsync(null),
                keyed.callAsync(null),
                keyed.replyAsync(null),
                keyed.refreshable().callAsync(null),
                keyed.refreshable().replyAsync(null));
        assertThat(asynchronous)
                .allSatisfy(call -> assertThat(call)
                        .isCompletedExceptionally()
                        .failsWithin(Duration.ZERO)
                        .withThrowableThat()
                        .havingRootCause()
                        .isInstanceOf(NullPointerException.class)
                        .withMessage("action"));
        assertThat(begun).hasValue(0);
    }

    private static Policy counting(AtomicInteger begun) {
        return new Policy("counting", Policy.ENTER) {
            @Override
            public int enter(Passage passage) {
                begun.incrementAndGet();
                return PROCEED;
            }
        };
    }
}
