/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import static dev.holdfast.Call.Priority.CRITICAL;
import static dev.holdfast.Call.Priority.DEFAULT;
import static dev.holdfast.Call.Priority.SHEDDABLE;
import static java.time.Duration.ZERO;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call.Priority;
import dev.holdfast.CallRejectedException;
import dev.holdfast.Pipeline;
import dev.holdfast.bulkhead.BulkheadSettings.LimitAlgorithm;
import dev.holdfast.bulkhead.BulkheadSettings.QueueOrder;
import dev.holdfast.headers.CallHeaders;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Dependency;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** When permits are short, the less important calls go without. */
class BulkheadPriorityTest {
    private final VirtualTime time = new VirtualTime();
    private final List<String> served = new ArrayList<>();

    @AfterEach
    void close() {
        time.close();
    }

    private Pipeline pipeline(Policy... policies) {
        return Pipeline.builder("inventory").policies(policies).time(time).build();
    }

    private static BulkheadPolicy bulkhead(int permits, int waiting) {
        return BulkheadPolicy.of(
                b -> b.maxConcurrentCalls(permits).maxWaitingCalls(waiting).maxWait(ofSeconds(1)));
    }

    private Running<String> call(Dependency dependency, Pipeline pipeline, Priority priority, String name) {
        Running<String> call =
                dependency.call(pipeline.<String>operation("work").unkeyed().priority(priority), ofMillis(2));
        assertThat(call.result().thenRun(() -> served.add(name))).isNotNull();
        time.advance(Duration.ofNanos(1));
        return call;
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theMoreImportantCallGetsThePermitFirst(Way way) {
        Dependency dependency = new Dependency(time, way);
        BulkheadPolicy bulkhead = bulkhead(1, 10);
        Pipeline pipeline = pipeline(bulkhead);

        call(dependency, pipeline, SHEDDABLE, "running");
        call(dependency, pipeline, SHEDDABLE, "batch");
        call(dependency, pipeline, DEFAULT, "usual");
        call(dependency, pipeline, CRITICAL, "user");
        time.run();

        assertThat(served).containsExactly("running", "user", "usual", "batch");
        assertThat(bulkhead.inFlight()).isZero();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void inAFullQueueTheMoreImportantCallTakesThePlaceOfTheLeastImportant(Way way) {
        Dependency dependency = new Dependency(time, way);
        BulkheadPolicy bulkhead = bulkhead(1, 2);
        Pipeline pipeline = pipeline(bulkhead);

        call(dependency, pipeline, DEFAULT, "running");
        Running<String> batch = call(dependency, pipeline, SHEDDABLE, "batch");
        call(dependency, pipeline, DEFAULT, "usual");
        call(dependency, pipeline, CRITICAL, "user");
        Running<String> tooMany = call(dependency, pipeline, SHEDDABLE, "too many");
        time.run();

        assertThat(served).containsExactly("running", "user", "usual");
        assertThat(batch.error())
                .isInstanceOf(CallRejectedException.class)
                .hasMessageContaining("a later call took the place in the queue");
        assertThat(tooMany.error()).hasMessageContaining("is full: 1 of 1 permits are out, 2 of 2 wait");
        assertThat(bulkhead.waiting()).isZero();
    }

    /** Found by a reload that made the queue shorter: only one of the calls that lost their place was told. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void inAQueueThatWasMadeShorterACallTakesThePlaceOfOneAndTheOthersStay(Way way) {
        for (QueueOrder order : QueueOrder.values()) {
            for (int shorter : new int[] {5, 1}) {
                served.clear();
                Dependency dependency = new Dependency(time, way);
                Pipeline pipeline = pipeline(patient(order, 10));
                call(dependency, pipeline, DEFAULT, "running");
                List<Running<String>> waiting = new ArrayList<>();
                for (int i = 0; i < 10; i++) {
                    waiting.add(call(dependency, pipeline, SHEDDABLE, "batch"));
                }
                BulkheadPolicy next = patient(order, shorter);
                pipeline.replace(next);

                call(dependency, pipeline, CRITICAL, "user");
                assertThat(next.waiting()).isEqualTo(10);
                time.run();

                assertThat(served).as("%s", order).hasSize(11).startsWith("running", "user");
                assertThat(waiting)
                        .filteredOn(call -> call.result().isCompletedExceptionally())
                        .hasSize(1);
                assertThat(next.waiting()).isZero();
                assertThat(next.inFlight()).isZero();
            }
        }
    }

    private static BulkheadPolicy patient(QueueOrder order, int waiting) {
        return BulkheadPolicy.of(b -> b.maxConcurrentCalls(1)
                .maxWaitingCalls(waiting)
                .maxWait(Duration.ofHours(1))
                .codelTarget(Duration.ofHours(1))
                .queueOrder(order));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void inAQueueThatWasTakenAwayACallIsRejectedAndTakesNoPlace(Way way) {
        for (QueueOrder order : QueueOrder.values()) {
            Dependency dependency = new Dependency(time, way);
            Pipeline pipeline = pipeline(patient(order, 10));
            call(dependency, pipeline, DEFAULT, "running");
            List<Running<String>> waiting = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                waiting.add(call(dependency, pipeline, SHEDDABLE, "batch"));
            }
            pipeline.replace(patient(order, 0));

            Running<String> late = call(dependency, pipeline, CRITICAL, "user");
            time.run();

            assertThat(late.error()).hasMessageContaining("is full");
            assertThat(waiting).allSatisfy(call -> assertThat(call.result()).isCompletedWithValue("done"));
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whoWaitsLongestDoesNotStarve(Way way) {
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(bulkhead(1, 100));

        call(dependency, pipeline, CRITICAL, "running");
        call(dependency, pipeline, SHEDDABLE, "batch");
        for (int i = 0; i < 20; i++) {
            call(dependency, pipeline, CRITICAL, "user");
        }
        time.run();

        assertThat(served.indexOf("batch")).isEqualTo(8);
        assertThat(served).hasSize(22);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aRetryWaitsBehindFirstTries(Way way) {
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(
                RetryPolicy.of(r -> r.maxAttempts(2).initialBackoff(ZERO).maxBackoff(ZERO)), bulkhead(1, 10));
        List<Integer> startedBefore = new ArrayList<>();
        Running<String> failing = way == Way.CALL_ASYNC
                ? Running.async(pipeline.callAsync(() -> {
                    startedBefore.add(dependency.starts().size());
                    CompletableFuture<String> end = new CompletableFuture<>();
                    time.schedule(
                            ofMillis(1).toNanos(),
                            () -> end.completeExceptionally(new IllegalStateException("broken")));
                    return end;
                }))
                : Running.blocking(
                        time,
                        () -> pipeline.call(() -> {
                            startedBefore.add(dependency.starts().size());
                            time.sleep(ofMillis(1));
                            throw new IllegalStateException("broken");
                        }));
        time.advance(Duration.ofNanos(1));
        for (int i = 0; i < 3; i++) {
            assertThat(dependency.call(pipeline, ofMillis(2))).isNotNull();
        }
        time.advance(ofMillis(2));
        assertThat(dependency.call(pipeline, ofMillis(2))).isNotNull();
        time.run();

        assertThat(failing.error()).hasMessage("broken");
        assertThat(startedBefore).containsExactly(0, 4);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void hedgesHaveAtMostHalfOfThePermitsAndDoNotWait(Way way) {
        Dependency dependency = new Dependency(time, way);
        BulkheadPolicy bulkhead = bulkhead(8, 10);
        Pipeline pipeline = pipeline(HedgePolicy.of(h -> h.delay(ofMillis(1))), bulkhead);
        List<Running<String>> calls = new ArrayList<>();

        for (int i = 0; i < 3; i++) {
            calls.add(dependency.call(pipeline, ofMillis(10)));
        }
        time.advance(ofMillis(2));
        assertThat(bulkhead.inFlight()).as("three calls, a hedge each").isEqualTo(6);
        for (int i = 0; i < 3; i++) {
            calls.add(dependency.call(pipeline, ofMillis(10)));
        }
        time.advance(ofMillis(2));
        assertThat(bulkhead.waiting()).isEqualTo(1);
        time.run();

        assertThat(calls).allSatisfy(call -> assertThat(call.result()).isCompletedWithValue("done"));
        assertThat(bulkhead.inFlight()).isZero();
        assertThat(bulkhead.waiting()).isZero();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aSheddableRetryOfAnotherServiceTakesSparePermitsAlone(Way way) throws Exception {
        Dependency dependency = new Dependency(time, way);
        BulkheadPolicy bulkhead = bulkhead(4, 10);
        Pipeline pipeline = pipeline(bulkhead);
        CallHeaders headers = CallHeaders.of(h -> h.time(time));
        Map<String, String> late = Map.of("Holdfast-Attempt", "2", "Holdfast-Priority", "sheddable");
        List<Running<String>> calls = new ArrayList<>();

        for (int i = 0; i < 4; i++) {
            calls.add(
                    way == Way.CALL_ASYNC
                            ? headers.receive(late::get, () -> dependency.call(pipeline, ofMillis(10)))
                            : Running.blocking(
                                    time,
                                    () -> headers.receive(
                                            late::get,
                                            () -> pipeline.call(() -> {
                                                time.sleep(ofMillis(10));
                                                return "done";
                                            }))));
        }
        time.advance(ofMillis(1));
        assertThat(bulkhead.inFlight()).isEqualTo(2);
        assertThat(bulkhead.waiting()).isZero();
        time.run();

        assertThat(calls)
                .filteredOn(call -> !call.result().isCompletedExceptionally())
                .hasSize(2);
        assertThat(calls)
                .filteredOn(call -> call.result().isCompletedExceptionally())
                .allSatisfy(
                        call -> assertThat(call.error())
                                .hasMessage(
                                        "bulkhead of 'inventory' has no permit to spare: 2 of 4 permits are out, 0 of 10 wait"));
        assertThat(bulkhead.inFlight()).isZero();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void workThatComesLastMakesALimitGrowThatHeedsLosses(Way way) throws Exception {
        BulkheadPolicy bulkhead = BulkheadPolicy.of(b -> b.limit(LimitAlgorithm.LOSSES));
        Pipeline pipeline = pipeline(bulkhead);
        CallHeaders headers = CallHeaders.of(h -> h.time(time));
        Map<String, String> late = Map.of("Holdfast-Attempt", "2", "Holdfast-Priority", "sheddable");
        Dependency dependency = new Dependency(time, way);

        for (int i = 0; i < 200; i++) {
            for (int k = 0; k < 8; k++) {
                if (way == Way.CALL_ASYNC) {
                    Running<String> call = headers.receive(late::get, () -> dependency.call(pipeline, ofMillis(10)));
                    assertThat(call).isNotNull();
                } else {
                    assertThat(time.spawn(() -> headers.receive(
                                    late::get,
                                    () -> pipeline.call(() -> {
                                        time.sleep(ofMillis(10));
                                        return "done";
                                    }))))
                            .isNotNull();
                }
            }
            time.advance(ofMillis(10));
        }
        time.run();

        assertThat(bulkhead.limit()).isGreaterThanOrEqualTo(16);
        assertThat(bulkhead.inFlight()).isZero();
    }
}
