/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call;
import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.CheckedSupplier;
import dev.holdfast.Deadline;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Many calls of one key: none waits longer than it would have without the others, give or take an attempt. */
@ThreadKind.Each
class HotKeyTest {
    private static final Duration ATTEMPT = Duration.ofSeconds(1);
    private static final Duration FOR_EVER = Duration.ofHours(1);

    private final VirtualTime time = ThreadKind.current().on(new VirtualTime());
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

    /** A caller, and when it was done. */
    private final class Caller {
        final CompletableFuture<String> end;
        final long startedAt = time.nanos();
        private volatile long endedAt;

        Caller(boolean async, Call<String> call, Duration takes) {
            end = async ? call.callAsync(attempt -> later(takes)) : time.spawn(() -> call.call(attempt -> now(takes)));
            var unused = end.whenComplete((value, error) -> endedAt = time.nanos());
        }

        Duration took() {
            assertThat(end).isDone();
            return Duration.ofNanos(endedAt - startedAt);
        }

        Throwable error() {
            return Running.errorOf(end);
        }
    }

    private String now(Duration takes) throws InterruptedException {
        asked.incrementAndGet();
        time.sleep(takes);
        return "value";
    }

    private CompletableFuture<String> later(Duration takes) {
        asked.incrementAndGet();
        CompletableFuture<String> later = new CompletableFuture<>();
        time.schedule(takes.toNanos(), () -> later.complete("value"));
        return later;
    }

    private List<Caller> callers(int count, Call<String> call, Duration takes) {
        List<Caller> callers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            callers.add(new Caller(i % 2 == 1, call, takes));
            time.advance(Duration.ZERO);
        }
        return callers;
    }

    // ---- who shares

    @Test
    void thousandFollowersOfAHangingCallEndWithIt() {
        Call<String> call = operation(StaleCachePolicy.of(b -> b.maxFollowersIfSlow(1_000)), TimeoutPolicy.of(ATTEMPT))
                .key("a");
        List<Caller> callers = callers(2, call, FOR_EVER);
        for (int i = 0; i < 999; i++) {
            callers.add(new Caller(true, call, FOR_EVER));
        }
        time.advance(ATTEMPT.plusMillis(100));
        assertThat(callers).allSatisfy(caller -> assertThat(caller.error()).isInstanceOf(CallTimeoutException.class));
        assertThat(asked).hasValue(1);
    }

    @Test
    void deadlinesOfItsOwnPassTheLeadToOneAndNobodyWaitsForAWholeRow() {
        Operation<String> stock = operation(StaleCachePolicy.ofDefaults(), TimeoutPolicy.of(ATTEMPT));
        List<Caller> hasty = new ArrayList<>();
        for (int i = 1; i <= 20; i++) {
            hasty.add(new Caller(i % 2 == 0, stock.key("a").deadline(Duration.ofMillis(900L * i)), FOR_EVER));
            time.advance(Duration.ZERO);
        }
        Caller patient = new Caller(false, stock.key("a"), FOR_EVER);
        time.advance(Duration.ofMinutes(1));
        assertThat(patient.error()).isInstanceOf(CallTimeoutException.class);
        assertThat(patient.took()).isLessThan(ATTEMPT.multipliedBy(3).plusMillis(200));
        assertThat(hasty).allSatisfy(caller -> assertThat(caller.took()).isLessThan(ATTEMPT.multipliedBy(3)));
    }

    @Test
    void cancelledLeaderPassesTheLeadToTheOneThatHasWaitedLongest() {
        StaleCachePolicy policy = StaleCachePolicy.ofDefaults();
        Call<String> call = operation(policy).key("a");
        Caller leader = new Caller(true, call, FOR_EVER);
        List<Caller> others = callers(5, call, ATTEMPT);
        time.advance(Duration.ofMillis(1));
        leader.end.cancel(true);
        time.advance(Duration.ZERO);
        assertThat(asked).hasValue(2);
        time.advance(ATTEMPT);
        assertThat(others).allSatisfy(caller -> assertThat(caller.end).isCompletedWithValue("value"));
        assertThat(asked).hasValue(2);
        assertThat(policy.underWay()).isZero();
    }

    /** What is waited for inside was turned away since the leader has no time to wait, and others have. */
    @Test
    void leaderThatIsTurnedAwayForItsOwnDeadlineSpoilsNothingForOthers() {
        Policy throttle = new Policy("throttle", Policy.ENTER) {
            @Override
            public int enter(Passage passage) {
                long wait = TimeUnit.MILLISECONDS.toNanos(100);
                return passage.remaining() < wait
                        ? passage.reject(Reason.THROTTLED, wait, "no place in time")
                        : passage.pause(wait);
            }
        };
        Policy first = new Policy("first", Policy.ENTER) {
            @Override
            public int enter(Passage passage) {
                return passage.pause(TimeUnit.MILLISECONDS.toNanos(10));
            }
        };
        Call<String> call =
                operation(StaleCachePolicy.ofDefaults(), first, throttle).key("a");
        Caller hasty = new Caller(true, call.deadline(Duration.ofMillis(50)), Duration.ZERO);
        Caller patient = new Caller(true, call, Duration.ZERO);
        time.run();
        assertThat(hasty.error()).isInstanceOf(CallRejectedException.class);
        assertThat(patient.end).isCompletedWithValue("value");
    }

    @Test
    void leaderThatIsNotRetriedForItsOuterAttemptPassesTheLeadOn() {
        AtomicInteger tries = new AtomicInteger();
        RetryPolicy retry = RetryPolicy.of(r -> r.maxAttempts(3).budgetEnabled(false));
        Call<String> call = operation(StaleCachePolicy.ofDefaults(), retry).key("a");
        CompletableFuture<String> nested = time.spawn(() ->
                Deadline.within(time, FOR_EVER, () -> secondAttempt(() -> call.call(attempt -> failsTwice(tries)))));
        time.advance(Duration.ofMillis(2));
        CompletableFuture<String> plain = time.spawn(() -> call.call(attempt -> failsTwice(tries)));
        CompletableFuture<String> alsoNested =
                time.spawn(() -> secondAttempt(() -> call.call(attempt -> failsTwice(tries))));
        time.run();
        assertThat(Running.errorOf(nested)).isInstanceOf(IOException.class);
        assertThat(Running.errorOf(alsoNested)).isInstanceOf(IOException.class);
        assertThat(plain).isCompletedWithValue("at last");
        assertThat(tries).hasValue(3);
    }

    private String failsTwice(AtomicInteger tries) throws Exception {
        time.sleep(Duration.ofMillis(10));
        if (tries.incrementAndGet() < 3) {
            throw new IOException("ill");
        }
        return "at last";
    }

    /** Inside the second attempt of an outer pipeline. */
    private String secondAttempt(CheckedSupplier<String, Exception> inner) throws Exception {
        AtomicBoolean first = new AtomicBoolean(true);
        return Pipeline.builder("outer")
                .policies(RetryPolicy.of(r ->
                        r.maxAttempts(2).initialBackoff(Duration.ofMillis(1)).budgetEnabled(false)))
                .time(time)
                .build()
                .call(() -> {
                    if (first.getAndSet(false)) {
                        throw new IOException("first");
                    }
                    return inner.get();
                });
    }

    // ---- how many

    @Test
    void moreThanThereIsRoomForAreTurnedAwayWithAReasonOfTheirOwn() {
        StaleCachePolicy policy = StaleCachePolicy.of(b -> b.maxFollowers(3));
        Call<String> call = operation(policy).key("a");
        List<Caller> callers = callers(6, call, ATTEMPT);
        assertThat(callers.subList(4, 6))
                .allSatisfy(caller -> assertThat(caller.error())
                        .isInstanceOfSatisfying(
                                CallRejectedException.class,
                                rejection -> assertThat(rejection.reason()).isEqualTo(Reason.FLIGHT_FULL))
                        .hasMessage("stale cache of 'inventory': too many calls wait for another one of the same key"));
        time.run();
        assertThat(callers.subList(0, 4))
                .allSatisfy(caller -> assertThat(caller.end).isCompletedWithValue("value"));
    }

    @Test
    void withAnOldValueTheyGetThat() {
        StaleCachePolicy policy = StaleCachePolicy.of(b -> b.maxFollowers(3));
        Call<String> call = operation(policy).key("a");
        callers(1, call, Duration.ZERO);
        List<Caller> callers = callers(6, call, ATTEMPT);
        assertThat(callers.subList(4, 6))
                .allSatisfy(caller -> assertThat(caller.end).isCompletedWithValue("value"));
        time.run();
    }

    @Test
    void fewerWaitForACallThatIsSlow() {
        StaleCachePolicy policy = StaleCachePolicy.of(
                b -> b.maxFollowers(50).maxFollowersIfSlow(5).staleIfSlow(Duration.ofMillis(200)));
        Call<String> call = operation(policy).key("a");
        List<Caller> callers = callers(31, call, ATTEMPT);
        assertThat(policy.waiting()).isEqualTo(30);
        time.advance(Duration.ofMillis(200));
        assertThat(policy.waiting()).isEqualTo(5);
        Caller late = new Caller(true, call, ATTEMPT);
        assertThat(late.error()).isInstanceOf(CallRejectedException.class);
        time.run();
        assertThat(callers.subList(0, 6))
                .allSatisfy(caller -> assertThat(caller.end).isCompletedWithValue("value"));
        assertThat(callers.subList(6, 31))
                .allSatisfy(caller -> assertThat(caller.error()).isInstanceOf(CallRejectedException.class));
    }

    @Test
    void aFullHouseIsServedByAQuickCall() {
        Call<String> call = operation(StaleCachePolicy.ofDefaults()).key("a");
        List<Caller> callers = callers(2, call, Duration.ofMillis(100));
        for (int i = 0; i < 999; i++) {
            callers.add(new Caller(true, call, ATTEMPT));
        }
        time.advance(Duration.ofMillis(100));
        assertThat(callers).allSatisfy(caller -> assertThat(caller.end).isCompletedWithValue("value"));
        assertThat(asked).hasValue(1);
    }

    // ---- on refused executors

    @Test
    void aRefusedExecutorEndsAllFollowersInOneGo() {
        AtomicBoolean full = new AtomicBoolean();
        StaleCachePolicy policy = StaleCachePolicy.of(b -> b.maxFollowers(10_000));
        Call<String> call = Pipeline.builder("inventory")
                .policies(policy)
                .time(time)
                .executor(task -> {
                    if (full.get()) {
                        throw new RejectedExecutionException("full");
                    }
                    task.run();
                })
                .build()
                .<String>operation("stock")
                .key("a");
        CompletableFuture<String> work = new CompletableFuture<>();
        CompletableFuture<String> leader = call.callAsync(attempt -> work);
        List<CompletableFuture<String>> followers = new ArrayList<>();
        for (int i = 0; i < 5_000; i++) {
            followers.add(call.callAsync(attempt -> CompletableFuture.completedFuture("own")));
        }
        full.set(true);
        leader.cancel(true);
        time.run();
        assertThat(followers).allMatch(CompletableFuture::isDone);
        assertThat(policy.waiting()).isZero();
        assertThat(policy.underWay()).isZero();
    }
}
