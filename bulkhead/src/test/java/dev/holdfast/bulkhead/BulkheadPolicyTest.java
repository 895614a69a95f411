/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import static java.time.Duration.ZERO;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Call;
import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Dependency;
import dev.holdfast.testcalls.RecordedMeters;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Logs("bulkhead-outside-retry")
class BulkheadPolicyTest {
    private final VirtualTime time = new VirtualTime();
    private final long start = time.nanos();

    @AfterEach
    void close() {
        time.close();
    }

    private Pipeline pipeline(Policy... policies) {
        return Pipeline.builder("inventory").policies(policies).time(time).build();
    }

    private static BulkheadPolicy bulkhead(int permits, int waiting, Duration maxWait) {
        return BulkheadPolicy.of(
                b -> b.maxConcurrentCalls(permits).maxWaitingCalls(waiting).maxWait(maxWait));
    }

    @Test
    void permitThatWasTakenByAnEnterThatThrowsComesBack() {
        BulkheadPolicy bulkhead = bulkhead(1, 0, Duration.ZERO);
        Policy throwing = new Policy("around", Policy.ENTER | Policy.ENDED) {
            @Override
            public int enter(Passage passage) {
                var unused = bulkhead.enter(passage);
                throw new OutOfMemoryError("made up");
            }

            @Override
            public void abandon(Passage passage) {
                bulkhead.abandon(passage);
            }

            @Override
            public void ended(Passage passage) {
                bulkhead.ended(passage);
            }
        };
        assertThatThrownBy(() -> pipeline(throwing).call(() -> "never")).isInstanceOf(OutOfMemoryError.class);
        assertIdle(bulkhead);
    }

    private static void assertIdle(BulkheadPolicy bulkhead) {
        assertThat(bulkhead.inFlight()).as("permits out").isZero();
        assertThat(bulkhead.waiting()).as("waiting").isZero();
    }

    private static void assertFull(Running<String> call, String message) {
        assertThat(call.error()).isInstanceOfSatisfying(CallRejectedException.class, rejection -> {
            assertThat(rejection.reason()).isEqualTo(Reason.BULKHEAD_FULL);
            assertThat(rejection.policy()).isEqualTo("bulkhead");
            assertThat(rejection.retryAfter()).isEmpty();
            assertThat(rejection).hasMessage(message).hasNoCause();
        });
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void neverMoreThanThePermitsAtOnceAndAllAreServed(Way way) {
        BulkheadPolicy bulkhead = bulkhead(3, 100, ofSeconds(1));
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(bulkhead);
        List<Running<String>> calls = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            calls.add(dependency.call(pipeline, ofMillis(10)));
        }

        time.run();

        assertThat(calls).allSatisfy(call -> assertThat(call.result()).isCompletedWithValue("done"));
        assertThat(dependency.most()).isEqualTo(3);
        assertThat(dependency.starts())
                .hasSize(20)
                .last()
                .isEqualTo(ofMillis(60).toNanos());
        assertIdle(bulkhead);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aBulkheadOfOneThatTurnedAwayThreeAdmitsAfterwards(Way way) {
        BulkheadPolicy bulkhead = bulkhead(1, 2, ofMillis(5));
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(bulkhead);
        Running<String> first = dependency.call(pipeline, ofMillis(50));
        Running<String> second = dependency.call(pipeline, ZERO);
        Running<String> third = dependency.call(pipeline, ZERO);
        Running<String> fourth = dependency.call(pipeline, ZERO);

        time.run();

        assertThat(first.result()).isCompletedWithValue("done");
        assertFull(fourth, "bulkhead of 'inventory' is full: 1 of 1 permits are out, 2 of 2 wait");
        for (Running<String> late : List.of(second, third)) {
            assertThat(late.error())
                    .isInstanceOf(CallRejectedException.class)
                    .hasMessageStartingWith("bulkhead of 'inventory' is full: no permit came back within 5 ms, 1 of 1");
        }
        assertIdle(bulkhead);
        for (int i = 0; i < 3; i++) {
            Running<String> after = dependency.call(pipeline, ZERO);
            time.run();
            assertThat(after.result()).isCompletedWithValue("done");
        }
        assertIdle(bulkhead);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void withoutAQueueAFullBulkheadTurnsAwayAtOnce(Way way) {
        for (BulkheadPolicy bulkhead : List.of(bulkhead(1, 0, ofMillis(5)), bulkhead(1, 5, ZERO))) {
            Dependency dependency = new Dependency(time, way);
            Pipeline pipeline = pipeline(bulkhead);
            dependency.call(pipeline, ofMillis(50));
            Running<String> refused = dependency.call(pipeline, ZERO);

            time.advance(ZERO);

            assertFull(
                    refused,
                    "bulkhead of 'inventory' is full: 1 of 1 permits are out, 0 of "
                            + bulkhead.settings().maxWaitingCalls() + " wait");
            time.run();
            assertIdle(bulkhead);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void waitersAreServedInTheirOrder(Way way) {
        BulkheadPolicy bulkhead = bulkhead(1, 10, ofSeconds(1));
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(bulkhead);
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            int number = i;
            CompletableFuture<String> result =
                    dependency.call(pipeline, ofMillis(2)).result();
            assertThat(result.thenRun(() -> order.add(number))).isNotNull();
            time.advance(Duration.ofNanos(1));
        }

        time.run();

        assertThat(order).containsExactly(0, 1, 2, 3, 4, 5);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aWaiterThatGivesUpLeavesTheQueue(Way way) {
        BulkheadPolicy bulkhead = bulkhead(1, 10, ofSeconds(1));
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(bulkhead);
        dependency.call(pipeline, ofMillis(50));
        time.advance(ofMillis(1));
        Running<String> impatient = dependency.call(pipeline, ZERO);
        Running<String> patient = dependency.call(pipeline, ZERO);
        time.advance(ofMillis(1));
        assertThat(bulkhead.waiting()).isEqualTo(2);

        impatient.giveUp().run();
        time.advance(ofMillis(1));

        assertThat(bulkhead.waiting()).isEqualTo(1);
        assertThat(impatient.result()).isCompletedExceptionally();
        time.run();
        assertThat(patient.result()).isCompletedWithValue("done");
        assertThat(dependency.starts()).hasSize(2);
        assertIdle(bulkhead);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aWaitThatTheCallHasNoTimeForIsNotBegun(Way way) {
        BulkheadPolicy bulkhead = bulkhead(1, 10, ofMillis(100));
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(bulkhead);
        dependency.call(pipeline, ofMillis(50));
        time.advance(ofMillis(1));

        Call<String> hurried = pipeline.<String>operation("work").unkeyed().deadline(ofMillis(10));
        Running<String> late = dependency.call(hurried, ZERO);
        time.advance(ofMillis(9));
        assertThat(late.result()).isNotDone();
        time.advance(ofMillis(1));

        assertThat(late.error()).isInstanceOf(CallRejectedException.class);
        assertThat(bulkhead.waiting()).isZero();
        time.run();
        assertThat(dependency.starts()).hasSize(1);
        assertIdle(bulkhead);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void anErrorGivesThePermitBack(Way way) {
        BulkheadPolicy bulkhead = bulkhead(1, 0, ZERO);
        Pipeline pipeline = pipeline(bulkhead);
        IOException ill = new IOException("ill");
        CompletableFuture<Object> result = way == Way.CALL_ASYNC
                ? pipeline.callAsync(() -> CompletableFuture.failedFuture(ill))
                : time.spawn(() -> pipeline.call(() -> {
                    throw ill;
                }));

        time.run();

        assertThat(result.handle((value, error) -> error).join()).isSameAs(ill);
        assertIdle(bulkhead);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aTimeoutInsideGivesThePermitBack(Way way) {
        BulkheadPolicy bulkhead = bulkhead(1, 0, ZERO);
        Dependency dependency = new Dependency(time, way);
        Running<String> call = dependency.call(pipeline(bulkhead, TimeoutPolicy.of(ofMillis(5))), ofMillis(50));

        time.run();

        assertThat(call.error()).isInstanceOf(CallTimeoutException.class);
        assertIdle(bulkhead);
        assertThat(bulkhead.writtenOff()).isZero();
    }

    @Test
    void thePermitFollowsTheWorkThatIgnoresItsTimeout() {
        BulkheadPolicy bulkhead = bulkhead(1, 0, ZERO);
        Dependency dependency = new Dependency(time, Way.CALL_ASYNC);
        Pipeline pipeline = pipeline(bulkhead, TimeoutPolicy.of(ofMillis(5)));

        CompletableFuture<String> call =
                pipeline.callAsync(() -> dependency.begin(ofMillis(50), new StubbornFuture<>()));
        time.advance(ofMillis(49));

        assertThat(call).isCompletedExceptionally();
        assertThat(bulkhead.inFlight()).isEqualTo(1);
        assertThat(dependency.inside()).isEqualTo(1);
        time.advance(ofMillis(1));
        assertIdle(bulkhead);
        assertThat(bulkhead.writtenOff()).isZero();
    }

    @Test
    void workThatNeverEndsIsWrittenOffOnceAfterItsLease() {
        BulkheadPolicy bulkhead =
                BulkheadPolicy.of(b -> b.maxConcurrentCalls(1).maxWait(ZERO).lease(ofMillis(200)));
        Dependency dependency = new Dependency(time, Way.CALL_ASYNC);
        Pipeline pipeline = pipeline(bulkhead, TimeoutPolicy.of(ofMillis(5)));

        CompletableFuture<String> call =
                pipeline.callAsync(() -> dependency.begin(ofSeconds(1), new StubbornFuture<>()));
        time.advance(ofMillis(204));
        assertThat(call).isCompletedExceptionally();
        assertThat(bulkhead.inFlight()).isEqualTo(1);
        time.advance(ofMillis(1));

        assertIdle(bulkhead);
        assertThat(bulkhead.writtenOff()).isEqualTo(1);
        time.run();
        assertIdle(bulkhead);
        assertThat(bulkhead.writtenOff()).isEqualTo(1);
        BulkheadPolicy ofAnotherKind = BulkheadPolicy.of(b -> b.limit(BulkheadSettings.LimitAlgorithm.LOSSES));
        pipeline.replace(ofAnotherKind, TimeoutPolicy.of(ofMillis(5)));
        assertThat(ofAnotherKind.writtenOff()).as("totals never go back").isEqualTo(1);
    }

    @Test
    void aPermitComesBackToTheBulkheadThatGaveItAlsoIfItTakesOverFromAnotherOneMeanwhile() throws Exception {
        BulkheadPolicy comesBack = BulkheadPolicy.of(b -> b.maxConcurrentCalls(2));
        BulkheadPolicy between = BulkheadPolicy.of(b -> b.maxConcurrentCalls(3));
        Pipeline pipeline = pipeline(comesBack);
        CompletableFuture<String> answer = new CompletableFuture<>();
        CompletableFuture<String> first = pipeline.callAsync(() -> answer);
        CompletableFuture<String> second = pipeline.callAsync(() -> answer);
        CompletableFuture<String> waits = pipeline.callAsync(() -> answer);
        pipeline.replace();
        pipeline.replace(between);
        pipeline.replace(comesBack);
        answer.complete("done");
        time.run();
        assertThat(List.of(first, second, waits))
                .allSatisfy(call -> assertThat(call).isCompletedWithValue("done"));
        assertIdle(comesBack);
        assertThat(pipeline.call(() -> "next")).isEqualTo("next");
    }

    private long sinceStart() {
        return time.nanos() - start;
    }

    /** The action of a blocking call, which holds the thread and ignores interrupts until then. */
    private String ignoresInterrupts(Duration until) {
        while (sinceStart() < until.toNanos()) {
            try {
                time.sleep(until.minusNanos(sinceStart()));
            } catch (InterruptedException ignored) {
                // That is what it is for.
            }
        }
        return "late";
    }

    @Test
    void anActionThatNeverGivesItsThreadBackIsWrittenOffOnceAfterItsLease() {
        BulkheadPolicy bulkhead =
                BulkheadPolicy.of(b -> b.maxConcurrentCalls(1).maxWait(ZERO).lease(ofMillis(200)));
        List<String> told = new ArrayList<>();
        Pipeline pipeline = Pipeline.builder("dependency")
                .policies(bulkhead, TimeoutPolicy.of(ofMillis(5)))
                .time(time)
                .observer(new CallObserver() {
                    @Override
                    public void writtenOff(String pipeline, @Nullable String operation, String policy) {
                        told.add(policy + " " + sinceStart() / 1_000_000);
                    }
                })
                .build();

        CompletableFuture<String> call = time.spawn(() -> pipeline.call(() -> ignoresInterrupts(ofSeconds(1))));
        time.advance(ofMillis(204));
        assertThat(bulkhead.inFlight()).isEqualTo(1);
        time.advance(ofMillis(1));

        assertThat(call).isNotDone();
        assertIdle(bulkhead);
        assertThat(bulkhead.writtenOff()).isEqualTo(1);
        assertThat(told).containsExactly("bulkhead 205");
        // The permit is another call's now, and stays its own when the first one comes back at last.
        CompletableFuture<String> other = time.spawn(() -> pipeline.call(() -> ignoresInterrupts(ofMillis(1_100))));
        time.advance(ofMillis(1_095 - 300));
        assertThat(bulkhead.writtenOff()).isEqualTo(2);
        time.run();
        assertThat(call).isCompletedExceptionally();
        assertThat(other).isCompletedExceptionally();
        assertThat(time.spawn(() -> pipeline.call(() -> "next"))).isNotDone();
        time.run();
        assertIdle(bulkhead);
        assertThat(bulkhead.writtenOff()).isEqualTo(2);
    }

    @Test
    void anActionThatComesBackWithinItsLeaseHasItsPermitUntilThen() {
        BulkheadPolicy bulkhead =
                BulkheadPolicy.of(b -> b.maxConcurrentCalls(1).maxWait(ZERO).lease(ofMillis(200)));
        Pipeline pipeline = pipeline(bulkhead, TimeoutPolicy.of(ofMillis(5)));
        CompletableFuture<String> call = time.spawn(() -> pipeline.call(() -> ignoresInterrupts(ofMillis(204))));
        time.advance(ofMillis(203));
        assertThat(bulkhead.inFlight()).isEqualTo(1);
        time.advance(ofMillis(1));
        assertThat(call).isCompletedExceptionally();
        assertIdle(bulkhead);
        // The timer of the lease is gone, and writes nothing off from a later call.
        CompletableFuture<String> later = time.spawn(() -> pipeline.call(() -> "later"));
        time.run();
        assertThat(later).isCompletedWithValue("later");
        assertThat(bulkhead.writtenOff()).isZero();
    }

    @Test
    void aRetryInsideABulkheadThatWroteOffItsPermitEndsItsEntryOnce() {
        BulkheadPolicy outer =
                BulkheadPolicy.of(b -> b.maxConcurrentCalls(1).maxWait(ZERO).lease(ofMillis(200)));
        BulkheadPolicy inner =
                BulkheadPolicy.of(b -> b.maxConcurrentCalls(1).maxWait(ZERO).lease(ofMillis(100)));
        AtomicInteger attempts = new AtomicInteger();
        Pipeline pipeline = pipeline(
                outer,
                RetryPolicy.of(r -> r.maxAttempts(3).initialBackoff(ofMillis(1)).jitter(RetrySettings.Jitter.NONE)),
                inner,
                TimeoutPolicy.of(ofMillis(5)));
        CompletableFuture<String> call = time.spawn(() -> pipeline.call(() -> switch (attempts.incrementAndGet()) {
            case 1 -> ignoresInterrupts(ofMillis(500));
            case 2 -> ignoresInterrupts(ofSeconds(1));
            default -> "at last";
        }));
        time.run();
        assertThat(call).isCompletedWithValue("at last");
        assertThat(outer.writtenOff()).isEqualTo(1);
        assertThat(inner.writtenOff()).isEqualTo(2);
        assertIdle(outer);
        assertIdle(inner);
    }

    @Test
    void tenThousandWaitersThatAreCancelledLeaveNobodyInTheQueue() {
        BulkheadPolicy bulkhead = bulkhead(1, 10_000, ofSeconds(1));
        Dependency dependency = new Dependency(time, Way.CALL_ASYNC);
        Pipeline pipeline = pipeline(bulkhead);
        Running<String> first = dependency.call(pipeline, ofMillis(50));
        List<Running<String>> waiters = new ArrayList<>();
        for (int i = 0; i < 10_000; i++) {
            waiters.add(dependency.call(pipeline, ZERO));
        }
        assertThat(bulkhead.waiting()).isEqualTo(10_000);

        waiters.forEach(waiter -> waiter.giveUp().run());

        assertThat(bulkhead.waiting()).isZero();
        time.run();
        assertThat(first.result()).isCompletedWithValue("done");
        assertThat(dependency.starts()).hasSize(1);
        assertIdle(bulkhead);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aGrantThatMeetsTheEndOfTheWaitIsNeverLost(Way way) {
        for (long seed = 0; seed < 50; seed++) {
            try (VirtualTime drawn = VirtualTime.seeded(seed)) {
                BulkheadPolicy bulkhead = bulkhead(1, 10, ofMillis(10));
                Dependency dependency = new Dependency(drawn, way);
                Pipeline pipeline = Pipeline.builder("inventory")
                        .policies(bulkhead)
                        .time(drawn)
                        .build();
                Random random = new Random(seed);
                for (int i = 0; i < 20; i++) {
                    Running<String> call = dependency.call(pipeline, ofMillis(10));
                    if (random.nextInt(3) == 0) {
                        drawn.schedule(ofMillis(10).toNanos(), call.giveUp());
                    }
                    drawn.advance(ofMillis(random.nextInt(2) * 10L));
                }
                drawn.run();
                assertThat(dependency.most()).as("seed %d", seed).isEqualTo(1);
                assertThat(bulkhead.inFlight()).as("seed %d", seed).isZero();
                assertThat(bulkhead.waiting()).as("seed %d", seed).isZero();
            }
        }
    }

    @Test
    void onePolicyInTwoPipelinesIsOneLimit() {
        BulkheadPolicy bulkhead = bulkhead(1, 0, ZERO);
        Dependency dependency = new Dependency(time, Way.CALL_ASYNC);
        Running<String> first = dependency.call(pipeline(bulkhead), ofMillis(5));
        Running<String> second = dependency.call(pipeline(bulkhead), ofMillis(5));

        time.run();

        assertThat(first.result()).isCompletedWithValue("done");
        assertThat(second.error()).isInstanceOf(CallRejectedException.class);
        assertIdle(bulkhead);
    }

    @Test
    void metersTellWhatIsOutWhatWaitsAndWhatIsLost() {
        BulkheadPolicy bulkhead = bulkhead(2, 10, ofMillis(100));
        RecordedMeters meters = new RecordedMeters();
        bulkhead.meters(meters);
        Dependency dependency = new Dependency(time, Way.CALL_ASYNC);
        Pipeline pipeline = pipeline(bulkhead);
        for (int i = 0; i < 5; i++) {
            dependency.call(pipeline, ofMillis(5));
        }

        assertThat(meters.values())
                .containsEntry("bulkhead.in.flight", 2.0)
                .containsEntry("bulkhead.waiting", 3.0)
                .containsEntry("bulkhead.limit", 2.0)
                .containsEntry("bulkhead.rejected", 0.0)
                .containsEntry("bulkhead.written.off", 0.0)
                .hasSize(5);
        time.run();
        assertThat(meters.values()).containsEntry("bulkhead.in.flight", 0.0).containsEntry("bulkhead.waiting", 0.0);
    }

    @Test
    void meterCountsTheCallsThatAreTurnedAwayAlsoAfterATakeOver() {
        BulkheadPolicy bulkhead = bulkhead(1, 1, ofMillis(1));
        Dependency dependency = new Dependency(time, Way.CALL_ASYNC);
        Pipeline pipeline = pipeline(bulkhead);
        // One runs, one waits for too long, one finds the queue full.
        for (int i = 0; i < 3; i++) {
            dependency.call(pipeline, ofMillis(5));
        }
        time.run();
        BulkheadPolicy next =
                BulkheadPolicy.of(b -> b.maxConcurrentCalls(1).limit(BulkheadSettings.LimitAlgorithm.AIMD));
        next.takeOver(bulkhead);

        for (BulkheadPolicy policy : List.of(bulkhead, next)) {
            RecordedMeters meters = new RecordedMeters();
            policy.meters(meters);
            assertThat(meters.values()).containsEntry("bulkhead.rejected", 2.0);
        }
    }
}
