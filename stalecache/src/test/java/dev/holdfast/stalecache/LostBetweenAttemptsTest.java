/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** An executor takes the next attempt of a load, and never runs it: the load has none under way, and does not end. */
@ThreadKind.Each
class LostBetweenAttemptsTest {
    private static final Duration REFRESH_TIMEOUT = ofSeconds(3);
    private static final Duration DEADLINE = ofSeconds(2);

    private final VirtualTime time = ThreadKind.current().on(new VirtualTime());
    private final AtomicBoolean ill = new AtomicBoolean();
    private final AtomicBoolean drops = new AtomicBoolean();
    private final AtomicInteger asked = new AtomicInteger();
    private final List<Runnable> dropped = new CopyOnWriteArrayList<>();
    private final Executor executor = task -> {
        if (drops.get()) {
            dropped.add(task);
        } else {
            time.executor().execute(task);
        }
    };
    private final StaleCachePolicy cache = StaleCachePolicy.of(c -> c.fresh(ofSeconds(1))
            .staleWhileRevalidate(ofSeconds(10))
            .refreshTimeout(REFRESH_TIMEOUT)
            .staleIfError(Duration.ZERO));
    private final StaleCachePolicy brief = StaleCachePolicy.of(c -> c.fresh(ofSeconds(1))
            .staleWhileRevalidate(ofSeconds(2))
            .refreshTimeout(REFRESH_TIMEOUT)
            .staleIfError(Duration.ZERO));
    private final List<Pipeline> pipelines = new ArrayList<>();

    private Operation<String> operation(StaleCachePolicy policy) {
        Pipeline pipeline = Pipeline.builder("inventory")
                .policies(
                        policy,
                        RetryPolicy.of(r ->
                                r.maxAttempts(2).initialBackoff(ofMillis(100)).budgetEnabled(false)))
                .executor(executor)
                .backgroundExecutor(executor)
                .time(time)
                .build();
        pipelines.add(pipeline);
        return pipeline.operation("stock");
    }

    private CompletableFuture<String> answer() {
        return ill.get()
                ? CompletableFuture.failedFuture(new IllegalStateException("ill"))
                : CompletableFuture.completedFuture("value " + asked.incrementAndGet());
    }

    @AfterEach
    void close() {
        pipelines.forEach(Pipeline::close);
        time.close();
    }

    private <T> CompletableFuture<T> started(CompletableFuture<T> call) {
        time.advance(Duration.ZERO);
        return call;
    }

    /** Two seconds after the value has come. */
    private Supplier<CompletableFuture<String>> lostRefresh(StaleCachePolicy policy) {
        Function<String, CompletableFuture<String>> lookup = operation(policy).decorateAsync(key -> answer());
        assertThat(started(lookup.apply("k"))).isCompletedWithValue("value 1");
        time.advance(ofSeconds(2));
        ill.set(true);
        assertThat(started(lookup.apply("k"))).as("being refreshed").isCompletedWithValue("value 1");
        drops.set(true);
        time.advance(ofMillis(500));
        assertThat(policy.underWay()).as("waits for its second attempt").isOne();
        drops.set(false);
        ill.set(false);
        return () -> started(lookup.apply("k"));
    }

    @Test
    void refreshThatIsLostDoesNotEndTheRefreshesOfItsKey() {
        Supplier<CompletableFuture<String>> asks = lostRefresh(cache);
        time.advance(REFRESH_TIMEOUT);
        assertThat(asks.get()).as("after a backoff").isCompletedWithValue("value 1");
        time.advance(ofSeconds(1));
        assertThat(asks.get()).as("worth revalidating").isCompletedWithValue("value 1");
        assertThat(asks.get()).as("refreshed").isCompletedWithValue("value 2");
    }

    @Test
    void callersWaitForARefreshThatIsLostNoLongerThanItsLimit() {
        Supplier<CompletableFuture<String>> asks = lostRefresh(brief);
        time.advance(ofSeconds(1));
        List<CompletableFuture<String>> callers = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            callers.add(asks.get());
        }
        assertThat(callers).as("the old value is gone").noneMatch(CompletableFuture::isDone);
        time.advance(ofMillis(1_560));
        assertThat(callers).allSatisfy(caller -> assertThat(caller).isCompletedWithValue("value 2"));
        assertThat(brief.underWay()).isZero();
    }

    @Test
    void callersWaitForALeaderThatIsLostNoLongerThanItsDeadline() {
        Call<String> call = operation(cache).key("k");
        ill.set(true);
        CompletableFuture<String> leader = started(call.deadline(DEADLINE).callAsync(attempt -> answer()));
        drops.set(true);
        time.advance(ofMillis(500));
        drops.set(false);
        ill.set(false);
        List<CompletableFuture<String>> callers = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            callers.add(started(call.callAsync(attempt -> answer())));
        }
        assertThat(leader).isNotDone();
        assertThat(callers).noneMatch(CompletableFuture::isDone);
        time.advance(ofMillis(1_560));
        assertThat(callers).allSatisfy(caller -> assertThat(caller).isCompletedWithValue("value 1"));
        assertThat(cache.underWay()).isZero();
    }

    /** Its leader leaves, and the call that waits longest is told to lead where nobody hears it. Returns that call, and the others. */
    private List<CompletableFuture<String>> lostSuccessor(
            Call<String> leads, Call<String> follows, Call<String> others) {
        CompletableFuture<String> leader = started(leads.callAsync(attempt -> new CompletableFuture<>()));
        List<CompletableFuture<String>> waiting = new ArrayList<>();
        waiting.add(started(follows.callAsync(attempt -> answer())));
        for (int i = 0; i < 5; i++) {
            waiting.add(started(others.callAsync(attempt -> answer())));
        }
        drops.set(true);
        leader.cancel(true);
        time.advance(ofMillis(10));
        drops.set(false);
        assertThat(dropped).isNotEmpty();
        return waiting;
    }

    @Test
    void callersWaitForASuccessorThatIsLostNoLongerThanItsDeadline() {
        Call<String> call = operation(cache).key("k");
        List<CompletableFuture<String>> waiting =
                lostSuccessor(call.deadline(ofSeconds(1)), call.deadline(DEADLINE), call);
        time.advance(DEADLINE);
        assertThat(waiting).noneMatch(CompletableFuture::isDone);
        time.advance(ofMillis(60));
        assertThat(waiting.get(0)).as("lost").isNotDone();
        assertThat(waiting.subList(1, 6))
                .allSatisfy(caller -> assertThat(caller).isCompletedWithValue("value 1"));
        assertThat(cache.underWay()).isZero();
    }

    @Test
    void callersWaitForASuccessorWithoutADeadlineThatIsLostNoLongerThanForOneAttempt() {
        Call<String> call = operation(cache).key("k");
        List<CompletableFuture<String>> waiting = lostSuccessor(call, call, call);
        time.advance(REFRESH_TIMEOUT.minusMillis(50));
        assertThat(waiting).noneMatch(CompletableFuture::isDone);
        time.advance(ofMillis(60));
        assertThat(waiting.subList(1, 6))
                .allSatisfy(caller -> assertThat(caller).isCompletedWithValue("value 1"));
        assertThat(cache.underWay()).isZero();
    }

    @Test
    void successorThatHearsOfItLateHasTheAnswerOfTheOthers() {
        Call<String> call = operation(cache).key("k");
        List<CompletableFuture<String>> waiting = lostSuccessor(call, call, call);
        time.advance(REFRESH_TIMEOUT);
        dropped.forEach(task -> time.executor().execute(task));
        time.advance(Duration.ZERO);
        assertThat(waiting).allSatisfy(caller -> assertThat(caller).isCompletedWithValue("value 1"));
        assertThat(cache.underWay()).isZero();
    }

    @Test
    void successorThatHearsOfItLateWaitsForTheOneThatLeadsInItsPlace() {
        Call<String> call = operation(cache).key("k");
        CompletableFuture<String> slow = new CompletableFuture<>();
        CompletableFuture<String> leader = started(call.callAsync(attempt -> new CompletableFuture<>()));
        CompletableFuture<String> late = started(call.callAsync(attempt -> answer()));
        CompletableFuture<String> next = started(call.callAsync(attempt -> slow));
        drops.set(true);
        leader.cancel(true);
        time.advance(ofMillis(10));
        drops.set(false);
        time.advance(REFRESH_TIMEOUT);
        dropped.forEach(task -> time.executor().execute(task));
        time.advance(ofSeconds(1));
        assertThat(List.of(late, next)).noneMatch(CompletableFuture::isDone);
        assertThat(cache.waiting()).isOne();
        slow.complete("slow");
        time.advance(Duration.ZERO);
        assertThat(List.of(late, next)).allSatisfy(caller -> assertThat(caller).isCompletedWithValue("slow"));
    }
}
