/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import static java.time.Duration.ZERO;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofMinutes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.retry.RetryPolicy;
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
import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.bulkhead.BulkheadFullException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Logs("has a maxWaitDuration of 500ms and blocks the calling thread")
class ExistingBulkheadPolicyTest {
    private final VirtualTime time = new VirtualTime();
    private final Bulkhead existing = Bulkhead.of(
            "theirs",
            BulkheadConfig.custom().maxConcurrentCalls(1).maxWaitDuration(ZERO).build());
    private final List<String> events = new ArrayList<>();

    ExistingBulkheadPolicyTest() {
        existing.getEventPublisher()
                .onEvent(event -> events.add(event.getEventType().name()));
    }

    @AfterEach
    void close() {
        time.close();
    }

    private Pipeline pipeline(Policy... policies) {
        return Pipeline.builder("inventory").policies(policies).time(time).build();
    }

    private int free() {
        return existing.getMetrics().getAvailableConcurrentCalls();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void staysSharedWithWhateverElseUsesIt(Way way) {
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(BulkheadPolicy.of(existing));
        Running<String> call = dependency.call(pipeline, ofMillis(5));
        time.advance(ofMillis(1));

        assertThat(existing.tryAcquirePermission()).isFalse();
        time.run();
        assertThat(call.result()).isCompletedWithValue("done");
        assertThat(existing.tryAcquirePermission()).isTrue();

        Running<String> refused = dependency.call(pipeline, ofMillis(5));
        time.run();
        assertThat(refused.error()).isInstanceOfSatisfying(CallRejectedException.class, rejection -> {
            assertThat(rejection.reason()).isEqualTo(Reason.BULKHEAD_FULL);
            assertThat(rejection)
                    .hasMessage("bulkhead of 'inventory' is full: all 1 permits of resilience4j's 'theirs' are out")
                    .hasCauseInstanceOf(BulkheadFullException.class);
        });
        existing.releasePermission();
        assertThat(free()).isEqualTo(1);
        assertThat(events)
                .containsExactly("CALL_PERMITTED", "CALL_REJECTED", "CALL_FINISHED", "CALL_PERMITTED", "CALL_REJECTED");
    }

    /** With a retry that would repeat a failure, and with the blocking wait of a bulkhead that has one. */
    private void consumerThatThrowsRejects(Way way, Bulkhead bulkhead, Throwable thrown, int calls) {
        Dependency dependency = new Dependency(time, way);
        List<String> rejections = new ArrayList<>();
        Pipeline pipeline = Pipeline.builder("inventory")
                .policies(RetryPolicy.ofDefaults(), BulkheadPolicy.of(bulkhead))
                .time(time)
                .observer(new CallObserver() {
                    @Override
                    public void rejected(String of, @Nullable String operation, String policy, Reason reason) {
                        rejections.add(policy + " " + reason);
                    }
                })
                .build();
        for (int i = 0; i < calls; i++) {
            Running<String> call = dependency.call(pipeline, ZERO);
            time.run();
            assertThat(call.error()).isInstanceOfSatisfying(CallRejectedException.class, rejection -> {
                assertThat(rejection.reason()).isEqualTo(Reason.OTHER);
                assertThat(rejection)
                        .hasMessage("resilience4j's 'theirs' threw when 'inventory' asked it for a permit: " + thrown)
                        .hasCause(thrown);
            });
        }
        assertThat(rejections).hasSize(calls).containsOnly("bulkhead OTHER");
        assertThat(dependency.starts()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    @Logs("bulkhead 'theirs' threw when it was asked for a permit.*told once")
    void aCallWhosePermitAConsumerThrewAtIsRejectedAndNotRepeated(Way way) {
        IllegalStateException thrown = new IllegalStateException("the consumer's queue is full");
        existing.getEventPublisher().onCallPermitted(event -> {
            throw thrown;
        });

        consumerThatThrowsRejects(way, existing, thrown, 1);

        assertThat(free()).as("whether it was given, nobody knows").isZero();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    @Logs("bulkhead 'theirs' threw when it was asked for a permit.*told once")
    void aFullBulkheadWhoseConsumerThrowsRejects(Way way) {
        IllegalStateException thrown = new IllegalStateException("the consumer's queue is full");
        existing.getEventPublisher().onCallRejected(event -> {
            throw thrown;
        });
        assertThat(existing.tryAcquirePermission()).isTrue();

        consumerThatThrowsRejects(way, existing, thrown, 2);

        existing.releasePermission();
        assertThat(free()).as("no permit more than there were").isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(value = Way.class, names = "CALL")
    @Logs("bulkhead 'theirs' threw when it was asked for a permit.*told once")
    void aBulkheadThatWaitsAndWhoseConsumerThrowsRejects(Way way) {
        Bulkhead waiting = Bulkhead.of(
                "theirs",
                BulkheadConfig.custom()
                        .maxConcurrentCalls(2)
                        .maxWaitDuration(ofMillis(500))
                        .build());
        IllegalStateException thrown = new IllegalStateException("the consumer's queue is full");
        waiting.getEventPublisher().onCallPermitted(event -> {
            throw thrown;
        });

        consumerThatThrowsRejects(way, waiting, thrown, 2);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whereNothingRanItsListenersAreNotToldOfAnEnd(Way way) {
        Policy refusing = new Policy("refusing", Policy.ENTER) {
            @Override
            public int enter(Passage passage) {
                return passage.reject(Reason.OTHER, -1, "no");
            }
        };
        Dependency dependency = new Dependency(time, way);
        Running<String> call = dependency.call(pipeline(BulkheadPolicy.of(existing), refusing), ZERO);

        time.run();

        assertThat(call.error()).hasMessage("no");
        assertThat(events).containsExactly("CALL_PERMITTED");
        assertThat(free()).isEqualTo(1);
    }

    @Test
    void workThatNeverEndsIsWrittenOff() {
        Policy policy = BulkheadPolicy.of(existing);
        RecordedMeters meters = new RecordedMeters();
        policy.meters(meters);
        Pipeline pipeline = pipeline(policy, TimeoutPolicy.of(ofMillis(5)));
        CompletableFuture<String> call = pipeline.callAsync(StubbornFuture::new);

        time.advance(ofMinutes(1));
        assertThat(call).isCompletedExceptionally();
        assertThat(meters.values()).containsEntry("bulkhead.in.flight", 1.0).containsEntry("bulkhead.limit", 1.0);
        time.advance(ofMillis(5));

        assertThat(free()).isEqualTo(1);
        assertThat(meters.values()).containsEntry("bulkhead.in.flight", 0.0).containsEntry("bulkhead.written.off", 1.0);
    }

    /** Takes so long in virtual time for each permit, as a bulkhead whose calls wait does. */
    private Policy waiting(Duration each) {
        existing.changeConfig(BulkheadConfig.from(existing.getBulkheadConfig())
                .maxWaitDuration(ofMillis(500))
                .build());
        existing.getEventPublisher().onCallPermitted(event -> {
            try {
                time.sleep(each);
            } catch (InterruptedException unexpected) {
                throw new AssertionError(unexpected);
            }
        });
        return BulkheadPolicy.of(existing);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void nothingBeginsIfTheDeadlineIsOverAfterItsWait(Way way) {
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(DeadlinePolicy.of(ofMillis(50)), waiting(ofMillis(50)));

        Running<String> call = dependency.call(pipeline, ofMillis(1));
        time.run();

        assertThat(call.error())
                .isInstanceOfSatisfying(
                        CallRejectedException.class,
                        rejection -> assertThat(rejection.reason()).isEqualTo(Reason.DEADLINE_EXCEEDED));
        assertThat(dependency.starts()).isEmpty();
        assertThat(free()).isEqualTo(1);
        assertThat(events).containsExactly("CALL_PERMITTED");
    }

    /** Full, and tells of it after so long in virtual time. */
    private Policy fullAfter(Duration wait) {
        existing.changeConfig(BulkheadConfig.from(existing.getBulkheadConfig())
                .maxWaitDuration(Duration.ofNanos(1))
                .build());
        existing.acquirePermission();
        events.clear();
        existing.getEventPublisher().onCallRejected(event -> {
            try {
                time.sleep(wait);
            } catch (InterruptedException unexpected) {
                throw new AssertionError(unexpected);
            }
        });
        return BulkheadPolicy.of(existing);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    @Logs("has a maxWaitDuration of 1ns")
    void aWaitInVainBeyondTheDeadlineIsNoFullBulkhead(Way way) {
        for (Policy limit : List.of(DeadlinePolicy.of(ofMillis(50)), TimeoutPolicy.of(ofMillis(50)))) {
            Dependency dependency = new Dependency(time, way);
            Running<String> call = dependency.call(pipeline(limit, fullAfter(ofMillis(50))), ofMillis(1));
            time.run();

            assertThat(call.error())
                    .hasMessage("call of 'inventory' could not be made within the time of its " + limit.name())
                    .isInstanceOfSatisfying(
                            CallRejectedException.class,
                            rejection -> assertThat(rejection.reason()).isEqualTo(Reason.DEADLINE_EXCEEDED));
            assertThat(dependency.starts()).isEmpty();
            assertThat(free()).isZero();
            existing.releasePermission();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    @Logs("has a maxWaitDuration of 1ns")
    void aWaitInVainWithinTheDeadlineIsAFullBulkhead(Way way) {
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(DeadlinePolicy.of(ofMillis(50)), fullAfter(ofMillis(49)));

        Running<String> call = dependency.call(pipeline, ofMillis(1));
        time.run();

        assertThat(call.error())
                .hasCauseInstanceOf(BulkheadFullException.class)
                .isInstanceOfSatisfying(
                        CallRejectedException.class,
                        rejection -> assertThat(rejection.reason()).isEqualTo(Reason.BULKHEAD_FULL));
        assertThat(free()).isZero();
        assertThat(events).containsExactly("CALL_REJECTED");
    }

    @Test
    void twiceInAPipelineItIsRefusedAsOurOwn() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> pipeline(BulkheadPolicy.of(existing), BulkheadPolicy.of(existing)))
                .withMessageStartingWith("pipeline 'inventory' has the same bulkhead twice and can never work: ");
        Bulkhead other = Bulkhead.of("theirs", existing.getBulkheadConfig());
        assertThat(pipeline(BulkheadPolicy.of(existing), BulkheadPolicy.of(other))
                        .call(() -> "two bulkheads"))
                .isEqualTo("two bulkheads");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void itsWaitUsesUpNoTimeOfATimeoutInside(Way way) {
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(waiting(ofMillis(50)), TimeoutPolicy.of(ofMillis(20)));

        Running<String> call = dependency.call(pipeline, ofMillis(19));
        time.run();

        assertThat(call.result()).isCompletedWithValue("done");
        assertThat(free()).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void anInterruptOfItsWaitGivesUpTheCall(Way way) {
        Policy waiting = waiting(ZERO);
        Pipeline pipeline = pipeline(RetryPolicy.ofDefaults(), waiting);
        existing.acquirePermission();
        CompletableFuture<Boolean> flag = new CompletableFuture<>();

        CompletableFuture<Throwable> error = time.spawn(() -> {
            Thread.currentThread().interrupt();
            Throwable thrown = way == Way.CALL
                    ? catchThrowable(() -> pipeline.call(() -> "ran"))
                    : pipeline.callAsync(() -> CompletableFuture.completedFuture("ran"))
                            .handle((value, failure) -> failure)
                            .getNow(null);
            flag.complete(Thread.interrupted());
            return thrown;
        });
        time.run();

        assertThat(error.join())
                .isInstanceOfSatisfying(
                        CallRejectedException.class,
                        rejection -> assertThat(rejection.reason()).isEqualTo(Reason.INTERRUPTED))
                .hasMessage("call of 'inventory' was interrupted while it waited for resilience4j's 'theirs'");
        assertThat(flag.join()).isTrue();
    }

    @Test
    void aBulkheadThatBlocksItsCallersIsWarnedOf() {
        Bulkhead blocking = Bulkhead.of(
                "slow", BulkheadConfig.custom().maxWaitDuration(ofMillis(500)).build());

        assertThat(pipeline(BulkheadPolicy.of(blocking)).warnings())
                .containsExactly(
                        "resilience4j-blocking-wait: the bulkhead 'slow' has a maxWaitDuration of 500ms and blocks the calling"
                                + " thread for so long, also that of an asynchronous call; set it to zero");
        assertThat(pipeline(BulkheadPolicy.of(existing)).warnings()).isEmpty();
    }
}
