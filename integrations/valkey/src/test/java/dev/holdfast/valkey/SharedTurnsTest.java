/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofNanos;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call.Priority;
import dev.holdfast.CallRejectedException;
import dev.holdfast.Pipeline;
import dev.holdfast.spi.Completion;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.valkey.SharedPermits.Turn;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** In which order calls that wait for the shared throttle start: 100 a second, of which one process alone takes them. */
class SharedTurnsTest {
    private static final long MILLI = 1_000_000;
    private static final int LIMIT = 100;
    private static final int BURST = 5;

    private final VirtualTime time = new VirtualTime();
    private final FakeStore store = new FakeStore(time, LIMIT, BURST);
    private final List<String> started = new ArrayList<>();

    @AfterEach
    void close() {
        time.close();
    }

    private static SharedThrottleSettings settings(Duration maxWait) {
        return SharedThrottleSettings.of(
                s -> s.key("k").limit(LIMIT).burst(BURST).replicas(1).maxWait(maxWait));
    }

    /** Its burst is used up. */
    private Pipeline pipeline(SharedThrottlePolicy throttle) {
        Pipeline pipeline =
                Pipeline.builder("partner").policies(throttle).time(time).build();
        time.advance(ofMillis(1));
        for (int i = 0; i < BURST; i++) {
            call(pipeline, Way.CALL_ASYNC, Priority.DEFAULT, "burst");
        }
        time.advance(ofMillis(2));
        started.clear();
        return pipeline;
    }

    private Running<String> call(Pipeline pipeline, Way way, Priority priority, String name) {
        var call = pipeline.<String>operation("work").unkeyed().priority(priority);
        if (way == Way.CALL_ASYNC) {
            return Running.async(call.callAsync(attempt -> {
                started.add(name);
                return CompletableFuture.completedFuture(name);
            }));
        }
        return Running.blocking(
                time,
                () -> call.call(attempt -> {
                    started.add(name);
                    return name;
                }));
    }

    private Running<String> call(Pipeline pipeline, Way way, String name) {
        Running<String> call = call(pipeline, way, Priority.DEFAULT, name);
        time.advance(ofNanos(1)); // a thread begins
        return call;
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void criticalCallsGoBeforeThoseThatCameEarlier(Way way) {
        Pipeline pipeline = pipeline(new SharedThrottlePolicy(store, settings(ofSeconds(2))));
        for (Priority priority : List.of(Priority.SHEDDABLE, Priority.DEFAULT, Priority.CRITICAL)) {
            for (int i = 0; i < 2; i++) {
                call(pipeline, way, priority, priority + " " + i);
                time.advance(ofNanos(1));
            }
        }

        time.run();

        assertThat(started)
                .containsExactly("CRITICAL 0", "CRITICAL 1", "DEFAULT 0", "DEFAULT 1", "SHEDDABLE 0", "SHEDDABLE 1");
    }

    /** One a millisecond, of which each tenth gets a permit in time. None that comes later goes first. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void theFirstToComeIsTheFirstToStartWhateverComesMeanwhile(Way way) {
        Pipeline pipeline = pipeline(new SharedThrottlePolicy(store, settings(ofSeconds(1))));
        List<String> came = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            came.add("call " + i);
            call(pipeline, way, came.get(i));
            time.advance(ofMillis(1));
        }

        time.run();

        assertThat(started).containsExactlyElementsOf(came);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aCallThatGivesUpWhileItWaitsHoldsNobodyUp(Way way) {
        SharedThrottlePolicy throttle = new SharedThrottlePolicy(store, settings(ofSeconds(1)));
        Pipeline pipeline = pipeline(throttle);
        List<Running<String>> calls = new ArrayList<>();
        for (int i = 0; i < 9; i++) {
            calls.add(call(pipeline, way, "call " + i));
        }
        assertThat(throttle.waiting()).isEqualTo(9);

        for (int i : List.of(0, 1, 4, 8)) {
            calls.get(i).giveUp().run();
        }
        time.advance(ofMillis(51));

        assertThat(started).containsExactly("call 2", "call 3", "call 5", "call 6", "call 7");
        assertThat(throttle.waiting()).isZero();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aCallWhoseTurnComesTooLateIsRejectedAtOnce(Way way) {
        SharedThrottlePolicy throttle = new SharedThrottlePolicy(store, settings(ofMillis(200)));
        Pipeline pipeline = pipeline(throttle);
        List<Running<String>> calls = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            calls.add(call(pipeline, way, "call " + i));
        }

        // The store has had its next permit a little after the burst began.
        assertThat(throttle.waiting()).isBetween(19, 21);
        assertThat(calls.subList(21, 30))
                .allSatisfy(call -> assertThat(call.error())
                        .isInstanceOfSatisfying(
                                CallRejectedException.class,
                                rejection -> assertThat(rejection.retryAfter().orElseThrow())
                                        .isBetween(ofMillis(200), ofMillis(215))));
        time.run();
        assertThat(started).hasSizeBetween(18, 21);
    }

    /** Twice the limit is asked for at random, with a max-wait of five turns. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void ofTwiceTheLimitCriticalCallsStartAndFewSheddableOnes(Way way) {
        Pipeline pipeline = pipeline(new SharedThrottlePolicy(store, settings(ofMillis(50))));
        Random random = new Random(1);
        Map<Priority, Integer> asked = new EnumMap<>(Priority.class);
        List<Priority> all = List.of(Priority.CRITICAL, Priority.DEFAULT, Priority.DEFAULT, Priority.SHEDDABLE);
        for (long at = 0; at < 10_000 * MILLI; at += (long) (-Math.log(1 - random.nextDouble()) * 5 * MILLI)) {
            Priority priority = all.get(random.nextInt(4));
            asked.merge(priority, 1, Integer::sum);
            time.schedule(at, () -> call(pipeline, way, priority, priority.name()));
        }

        time.run();

        assertThat(share(asked, Priority.CRITICAL)).isGreaterThan(0.99);
        assertThat(share(asked, Priority.DEFAULT)).isBetween(0.45, 0.55);
        assertThat(share(asked, Priority.SHEDDABLE)).isLessThan(0.1);
    }

    private double share(Map<Priority, Integer> asked, Priority priority) {
        return started.stream().filter(priority.name()::equals).count() / (double) asked.getOrDefault(priority, 0);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whereTheStoreGoesAwayTheFirstOfThoseThatWaitIsTheFirstByTheShare(Way way) {
        SharedThrottlePolicy throttle = new SharedThrottlePolicy(store, settings(ofSeconds(2)));
        Pipeline pipeline = pipeline(throttle);
        List<String> came = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            came.add("call " + i);
            call(pipeline, way, came.get(i));
        }

        store.stop();
        time.advance(ofMillis(60));
        assertThat(throttle.storeIsAway()).isTrue();
        came.add("last");
        call(pipeline, way, "last");
        time.run();

        assertThat(started).containsExactlyElementsOf(came);
        assertThat(throttle.withoutStore()).isEqualTo(11);
    }

    /** The share of one of so many processes has its next place after four seconds. */
    @ParameterizedTest
    @CsvSource({"CALL, 3", "CALL_ASYNC, 3", "CALL, 10", "CALL_ASYNC, 10"})
    void whereTheStoreComesBackThoseThatWaitStartThoughNoNewCallComes(Way way, int maxWait) {
        SharedThrottlePolicy throttle = new SharedThrottlePolicy(
                store,
                SharedThrottleSettings.of(
                        s -> s.key("k").limit(LIMIT).burst(BURST).replicas(400).maxWait(ofSeconds(maxWait))));
        Pipeline pipeline = pipeline(throttle);
        List<String> came = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            came.add("call " + i);
            call(pipeline, way, came.get(i));
        }
        store.standStill();
        time.advance(ofMillis(400));
        assertThat(throttle.storeIsAway()).isTrue();
        store.start();
        time.advance(ofMillis(2_500));

        assertThat(started).containsExactlyElementsOf(came);
        assertThat(throttle.rejected()).isZero();
    }

    // ---- the permits alone

    private final List<Turn> waiting = new ArrayList<>();
    private final AtomicInteger looks = new AtomicInteger();

    private SharedPermits crowd(PermitStore from, int calls) {
        SharedPermits permits = new SharedPermits(settings(ofSeconds(60)), from, time::nanos);
        for (int i = 0; i < calls; i++) {
            Turn turn = permits.turn(time.nanos(), ofSeconds(60).toNanos(), 1, null);
            assertThat(turn.grant()).isNull();
            waiting.add(turn);
            listen(turn);
        }
        return permits;
    }

    private void listen(Turn turn) {
        if (turn.wake() != null) {
            turn.wake().register(looks::incrementAndGet);
        }
    }

    @Test
    void onlyAsManyCallsLookAsPermitsCome() {
        List<PermitStore.Answer> asked = new ArrayList<>();
        SharedPermits permits = crowd(new AnswersAtOnce((answer, most) -> asked.add(answer)), 1_000);
        assertThat(asked).hasSize(1);

        asked.get(0).taken(3, 10 * MILLI);

        // And the one that is the first now, which watches the time.
        assertThat(looks).hasValue(3 + 1);
        assertThat(permits.waiting()).isEqualTo(997);
        for (int i = 0; i < 1_000; i++) {
            assertThat(waiting.get(i).ticket().grant != null).as("call %d", i).isEqualTo(i < 3);
        }
    }

    /** It comes after the answer, and before those have looked that it is for. */
    @Test
    void aNewcomerDoesNotOvertakeUnlessItsRankSaysSo() {
        List<PermitStore.Answer> asked = new ArrayList<>();
        SharedPermits permits = crowd(new AnswersAtOnce((answer, most) -> asked.add(answer)), 10);
        asked.get(0).taken(3, 10 * MILLI);

        assertThat(permits.take()).isNegative();
        Turn late = permits.turn(time.nanos(), ofSeconds(60).toNanos(), 1, null);
        Turn critical = permits.turn(time.nanos(), ofSeconds(60).toNanos(), 0, null);
        time.advance(ofMillis(10));
        Turn unused = permits.turn(time.nanos(), 0, 1, null); // asks
        asked.get(1).taken(2, 10 * MILLI);

        assertThat(critical.ticket().grant).isNotNull();
        assertThat(waiting.get(3).ticket().grant).isNotNull();
        assertThat(waiting.get(4).ticket().grant).isNull();
        assertThat(late.ticket().grant).isNull();
    }

    @Test
    void aCallThatGivesUpWithAPermitLeavesItToTheNext() {
        List<PermitStore.Answer> asked = new ArrayList<>();
        SharedPermits permits = crowd(new AnswersAtOnce((answer, most) -> asked.add(answer)), 10);
        asked.get(0).taken(1, 10 * MILLI);
        assertThat(waiting.get(0).ticket().grant).isNotNull();

        permits.leave(waiting.get(0).ticket());

        assertThat(waiting.get(1).ticket().grant).isNotNull();
        assertThat(permits.waiting()).isEqualTo(8);
        Turn next = permits.turn(time.nanos(), 1, 1, waiting.get(1).ticket());
        assertThat(next.grant()).isNotNull();
        permits.giveBack(SharedPermits.PERMIT, null);
        assertThat(waiting.get(2).ticket().grant).isNotNull();
        assertThat(permits.held()).isZero();
    }

    /** The process may have stood still between the answer and the call. */
    @Test
    void aPermitThatWasHandedOverLongAgoIsLostAndItsCallWaitsOn() {
        List<PermitStore.Answer> asked = new ArrayList<>();
        SharedPermits permits = crowd(new AnswersAtOnce((answer, most) -> asked.add(answer)), 10);
        asked.get(0).taken(1, 10 * MILLI);
        time.advance(ofSeconds(1));

        Turn late = permits.turn(
                time.nanos(), ofSeconds(5).toNanos(), 1, waiting.get(0).ticket());

        assertThat(late.grant()).isNull();
        assertThat(late.wake()).isNotNull();
        assertThat(permits.waiting()).isEqualTo(10);
    }

    /** Else calls that an inner policy rejects together would let as many start long after their permits were taken. */
    @Test
    void ofPermitsThatComeBackTogetherABatchStartsAndNoMore() {
        SharedPermits permits = crowd(new AnswersAtOnce((answer, most) -> {}), 100);

        for (int i = 0; i < 50; i++) {
            permits.giveBack(SharedPermits.PERMIT, null);
        }

        assertThat(permits.waiting()).isEqualTo(100 - BURST);
    }

    /** Real threads that wait, give up and return permits, as fast as they can. Bounded in count. */
    @Test
    void noCallIsForgottenAndNoPermitIsUsedTwiceWhateverThreadsDo() throws Exception {
        int threads = 4;
        int rounds = 5_000;
        AtomicLong clock = new AtomicLong(); // it stands still: nothing grows old
        AtomicLong given = new AtomicLong();
        AtomicLong used = new AtomicLong();
        PermitStore well = new AnswersAtOnce((answer, most) -> {
            given.addAndGet(most);
            answer.taken(most, 0);
        });
        SharedThrottleSettings one = SharedThrottleSettings.of(
                s -> s.key("k").limit(LIMIT).burst(BURST).replicas(1).batch(1).maxWait(ofSeconds(60)));
        SharedPermits permits = new SharedPermits(one, well, clock::get);
        CyclicBarrier start = new CyclicBarrier(threads);
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            List<Callable<Void>> tasks = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                Random random = new Random(i);
                tasks.add(() -> {
                    start.await();
                    for (int round = 0; round < rounds; round++) {
                        use(permits, random, used);
                    }
                    return null;
                });
            }
            for (Future<Void> task : pool.invokeAll(tasks, 5, TimeUnit.MINUTES)) {
                task.get();
            }
        } finally {
            pool.shutdownNow();
        }
        assertThat(permits.waiting()).isZero();
        assertThat(permits.held()).isBetween(0L, 1L);
        assertThat(used.get()).isPositive().isLessThanOrEqualTo(given.get());
    }

    private static void use(SharedPermits permits, Random random, AtomicLong used) throws InterruptedException {
        long longest = Long.MAX_VALUE / 2;
        boolean taken = permits.take() >= 0;
        Turn turn = taken ? null : permits.turn(0, longest, random.nextInt(3), null);
        while (turn != null && turn.grant() == null) {
            if (random.nextInt(4) == 0) {
                permits.leave(turn.ticket());
                return;
            }
            Semaphore called = new Semaphore(0);
            Completion wake = Objects.requireNonNull(turn.wake());
            if (wake.register(called::release)) {
                assertThat(called.tryAcquire(
                                        Math.min(turn.nanos(), ofSeconds(60).toNanos()), TimeUnit.NANOSECONDS)
                                || turn.nanos() < ofSeconds(60).toNanos())
                        .as("called")
                        .isTrue();
            }
            turn = permits.turn(0, longest, 0, turn.ticket());
        }
        if (random.nextInt(3) == 0) {
            permits.giveBack(SharedPermits.PERMIT, null);
        } else {
            used.incrementAndGet();
        }
    }
}
