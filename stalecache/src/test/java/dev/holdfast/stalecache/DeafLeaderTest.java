/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.CheckedFunction;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Work that ignores its limit holds its own caller, which cannot be helped, and nobody else. */
@ThreadKind.Each
class DeafLeaderTest {
    private static final Duration LIMIT = Duration.ofMillis(200);
    private static final Duration DEAF = Duration.ofSeconds(4);
    /** A load is slow after a second, as long as nothing is known. */
    private static final Duration SLOW = Duration.ofMillis(1_001);
    /** Some milliseconds until a limit strikes, and some more until the leader counts as lost. */
    private static final Duration SOON = LIMIT.plusMillis(60);

    private final VirtualTime time = ThreadKind.current().on(new VirtualTime());
    private final StaleCachePolicy policy = StaleCachePolicy.ofDefaults();
    private final AtomicInteger asked = new AtomicInteger();

    @AfterEach
    void close() {
        time.close();
    }

    private Operation<String> operation(Policy... policies) {
        return Pipeline.builder("inventory")
                .policies(policies)
                .time(time)
                .build()
                .operation("stock");
    }

    private String deaf() {
        return deaf(DEAF);
    }

    private String deaf(Duration howLong) {
        asked.incrementAndGet();
        long until = time.nanos() + howLong.toNanos();
        for (long left = howLong.toNanos(); left > 0; left = until - time.nanos()) {
            try {
                time.sleep(Duration.ofNanos(left));
            } catch (InterruptedException ignored) {
                // That is what deaf means.
            }
        }
        return "late";
    }

    private CompletableFuture<String> lead(Call<String> call) {
        CompletableFuture<String> leader = time.spawn(() -> call.call(attempt -> deaf()));
        time.advance(Duration.ZERO);
        return leader;
    }

    private List<CompletableFuture<String>> follow(int blocking, int asynchronous, Call<String> call) {
        List<CompletableFuture<String>> followers = new ArrayList<>();
        for (int i = 0; i < blocking; i++) {
            followers.add(time.spawn(() -> call.call(attempt -> "quick")));
        }
        for (int i = 0; i < asynchronous; i++) {
            followers.add(call.callAsync(attempt -> CompletableFuture.completedFuture("quick")));
        }
        time.advance(Duration.ofMillis(1));
        return followers;
    }

    private static void assertTimedOut(List<CompletableFuture<String>> followers, String by) {
        assertThat(followers)
                .allSatisfy(follower -> assertThat(Running.errorOf(follower))
                        .isInstanceOfSatisfying(
                                CallTimeoutException.class,
                                timeout -> assertThat(timeout.policy()).isEqualTo(by)));
    }

    @Test
    void whenItsLimitIsOverItsFlightIsOver() {
        Call<String> call = operation(policy, TimeoutPolicy.of(LIMIT)).key("a");
        CompletableFuture<String> leader = lead(call);
        List<CompletableFuture<String>> followers = follow(20, 20, call);
        time.advance(SOON);
        assertTimedOut(followers, "timeout");
        assertThat(leader).isNotDone();
        CompletableFuture<String> next = time.spawn(() -> call.call(attempt -> "next"));
        time.advance(Duration.ZERO);
        assertThat(next).isCompletedWithValue("next");
        time.run();
        // Its own end is a timeout, and there is a value by now.
        assertThat(leader).isCompletedWithValue("next");
        assertThat(policy.underWay()).isZero();
    }

    @Test
    void callThatComesLateAndFindsNobodyWaitingLoadsByItself() {
        Call<String> call = operation(policy, TimeoutPolicy.of(LIMIT)).key("a");
        CompletableFuture<String> leader = lead(call);
        time.advance(LIMIT.plusMillis(500));
        CompletableFuture<String> late = lead(call);
        assertThat(asked).hasValue(2);
        assertThat(leader).isNotDone();
        time.run();
        assertThat(late).isDone();
    }

    @Test
    void ofAnAttemptAmongSeveralToo() {
        RetryPolicy retry = RetryPolicy.of(r -> r.maxAttempts(3).budgetEnabled(false));
        Call<String> call = operation(policy, retry, TimeoutPolicy.of(LIMIT)).key("a");
        CompletableFuture<String> leader = lead(call);
        List<CompletableFuture<String>> followers = follow(5, 5, call);
        time.advance(SOON);
        assertTimedOut(followers, "timeout");
        time.run();
        assertThat(leader).isCompletedExceptionally();
        assertThat(asked).hasValue(3);
        assertThat(policy.underWay()).isZero();
    }

    @Test
    void ofALayerFurtherOutToo() {
        Call<String> call = operation(DeadlinePolicy.of(LIMIT), policy).key("a");
        CompletableFuture<String> leader = lead(call);
        time.advance(Duration.ofMillis(150));
        List<CompletableFuture<String>> followers = follow(5, 5, call);
        time.advance(Duration.ofMillis(110));
        assertTimedOut(followers, "deadline");
        assertThat(leader).isNotDone();
        time.run();
    }

    @Test
    void whenItsOwnDeadlineIsOverOneOfThoseWhoWaitLeads() {
        Call<String> call = operation(policy).key("a");
        CompletableFuture<String> leader = lead(call.deadline(LIMIT));
        List<CompletableFuture<String>> followers = follow(5, 5, call);
        time.advance(SOON);
        assertThat(followers).allSatisfy(follower -> assertThat(follower).isCompletedWithValue("quick"));
        assertThat(leader).isNotDone();
        time.run();
        assertThat(policy.underWay()).isZero();
    }

    @Test
    void anAsynchronousActionThatBlocksItsThreadHoldsNobodyElse() {
        Call<String> call = operation(policy, TimeoutPolicy.of(LIMIT)).key("a");
        CompletableFuture<String> leader = time.spawn(() -> {
            call.callAsync(attempt -> CompletableFuture.completedFuture(deaf())).join();
            return "over";
        });
        time.advance(Duration.ZERO);
        List<CompletableFuture<String>> followers = follow(5, 5, call);
        time.advance(SOON);
        assertTimedOut(followers, "timeout");
        assertThat(leader).isNotDone();
        time.run();
        assertThat(policy.underWay()).isZero();
    }

    @Test
    void refreshThatHangsHoldsNobodyAndIsNotBegunAgainAtOnce() {
        StaleCachePolicy refreshing = StaleCachePolicy.of(b -> b.fresh(Duration.ofSeconds(1))
                .staleWhileRevalidate(Duration.ofSeconds(1))
                .staleIfError(Duration.ZERO)
                .refreshTimeout(LIMIT));
        AtomicBoolean ill = new AtomicBoolean();
        CheckedFunction<String, String, RuntimeException> lookup =
                operation(refreshing).decorate(key -> ill.get() ? deaf() : "quick");
        CompletableFuture<String> first = time.spawn(() -> lookup.apply("a"));
        time.advance(Duration.ofSeconds(2).minusMillis(1));
        assertThat(first).isCompletedWithValue("quick");
        ill.set(true);
        CompletableFuture<String> stale = time.spawn(() -> lookup.apply("a"));
        time.advance(Duration.ofMillis(1));
        assertThat(stale).isCompletedWithValue("quick");
        List<CompletableFuture<String>> followers = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            followers.add(time.spawn(() -> lookup.apply("a")));
        }
        time.advance(SOON);
        assertTimedOut(followers, "stale-cache");
        assertThat(asked).hasValue(1);
        assertThat(refreshing.underWay()).isZero();
        time.run();
    }

    @Test
    void refreshThatNeverReturnsDoesNotEndTheRefreshesOfItsKey() {
        StaleCachePolicy refreshing = StaleCachePolicy.of(b -> b.fresh(Duration.ofSeconds(1))
                .staleWhileRevalidate(Duration.ofHours(1))
                .refreshTimeout(LIMIT));
        AtomicBoolean ill = new AtomicBoolean();
        CheckedFunction<String, String, RuntimeException> lookup =
                operation(refreshing).decorate(key -> ill.get() ? deaf(Duration.ofHours(2)) : "quick " + time.nanos());
        String first = answer(lookup);
        time.advance(Duration.ofSeconds(2));
        ill.set(true);
        assertThat(answer(lookup)).isEqualTo(first);
        ill.set(false);
        time.advance(Duration.ofMinutes(2));
        assertThat(answer(lookup)).as("being refreshed, or after a backoff").isEqualTo(first);
        time.advance(Duration.ofMinutes(2));
        assertThat(answer(lookup)).isEqualTo(first);
        assertThat(answer(lookup)).as("refreshed").isNotEqualTo(first);
    }

    @Test
    void leaderThatNeverReturnsDoesNotMakeTheOldValueTheAnswerToAll() {
        StaleCachePolicy withOld = StaleCachePolicy.of(b -> b.staleIfError(Duration.ofHours(3)));
        AtomicBoolean ill = new AtomicBoolean();
        CheckedFunction<String, String, RuntimeException> lookup =
                operation(withOld).decorate(key -> ill.get() ? deaf(Duration.ofHours(2)) : "quick " + time.nanos());
        String first = answer(lookup);
        ill.set(true);
        CompletableFuture<String> leader = time.spawn(() -> lookup.apply("a"));
        time.advance(Duration.ofSeconds(2));
        for (int second = 0; second < 60; second++) {
            assertThat(answerWithin(SLOW, lookup))
                    .as("no further caller is held for longer than a slow load")
                    .isEqualTo(first);
        }
        assertThat(asked.get())
                .as("in the background, one after the other is lost")
                .isBetween(4, 8);
        ill.set(false);
        time.advance(Duration.ofSeconds(15));
        answerWithin(SLOW, lookup);
        assertThat(answerWithin(SLOW, lookup)).as("loaded anew").isNotEqualTo(first);
        assertThat(leader).as("nobody can end it").isNotDone();
    }

    private String answer(CheckedFunction<String, String, RuntimeException> lookup) {
        return answerWithin(Duration.ofMillis(1), lookup);
    }

    private String answerWithin(Duration wait, CheckedFunction<String, String, RuntimeException> lookup) {
        CompletableFuture<String> answer = time.spawn(() -> lookup.apply("a"));
        time.advance(wait);
        assertThat(answer).isCompleted();
        return answer.join();
    }

    @Test
    void leaderThatIsBackInTimeLeadsOnThroughItsRetries() {
        RetryPolicy retry = RetryPolicy.of(r -> r.maxAttempts(3)
                .initialBackoff(Duration.ofSeconds(2))
                .maxBackoff(Duration.ofSeconds(2))
                .budgetEnabled(false));
        Call<String> call = operation(policy, retry, TimeoutPolicy.of(LIMIT)).key("a");
        CompletableFuture<String> leader = time.spawn(() -> call.call(attempt -> {
            if (asked.incrementAndGet() < 3) {
                time.sleep(DEAF);
            }
            return "at last";
        }));
        time.advance(Duration.ZERO);
        List<CompletableFuture<String>> followers = follow(5, 5, call);
        time.run();
        assertThat(leader).isCompletedWithValue("at last");
        assertThat(followers).allSatisfy(follower -> assertThat(follower).isCompletedWithValue("at last"));
        assertThat(asked).hasValue(3);
    }
}
