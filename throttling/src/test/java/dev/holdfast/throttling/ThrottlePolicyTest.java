/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling;

import static java.time.Duration.ZERO;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call;
import dev.holdfast.CallRejectedException;
import dev.holdfast.Pipeline;
import dev.holdfast.PipelineSnapshot;
import dev.holdfast.Reason;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Dependency;
import dev.holdfast.testcalls.RecordedMeters;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Logs(value = "burst-of-one", sometimes = true)
class ThrottlePolicyTest {
    private static final long MILLI = 1_000_000;

    private final VirtualTime time = new VirtualTime();

    @AfterEach
    void close() {
        time.close();
    }

    private Pipeline pipeline(Policy... policies) {
        return Pipeline.builder("inventory").policies(policies).time(time).build();
    }

    /** One call each 100 ms. */
    private static ThrottlePolicy throttle(int burst, Duration maxWait) {
        return ThrottlePolicy.of(t -> t.limit(10).burst(burst).maxWait(maxWait));
    }

    private static Call<String> within(Pipeline pipeline, Duration deadline) {
        return pipeline.<String>operation("work").unkeyed().deadline(deadline);
    }

    private static void assertThrottled(Running<String> call, Duration retryAfter, String message) {
        assertThat(call.error()).isInstanceOfSatisfying(CallRejectedException.class, rejection -> {
            assertThat(rejection.reason()).isEqualTo(Reason.THROTTLED);
            assertThat(rejection.policy()).isEqualTo("throttle");
            assertThat(rejection.retryAfter()).contains(retryAfter);
            assertThat(rejection).hasMessage(message).hasNoCause();
        });
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theSecondThrottleOfAPipelineHasItsOwnName(Way way) {
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle(2, ZERO), throttle(1, ZERO));
        dependency.call(pipeline, ZERO);
        Running<String> second = dependency.call(pipeline, ZERO);

        time.run();

        assertThat(second.error())
                .isInstanceOfSatisfying(
                        CallRejectedException.class, e -> assertThat(e.policy()).isEqualTo("throttle-2"));
        assertThat(pipeline.snapshot().policies())
                .extracting(PipelineSnapshot.PolicySnapshot::name)
                .containsExactly("throttle", "throttle-2");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theBurstStartsAtOnceAndTheRestIsTurnedAwayWithATimeToTryAgain(Way way) {
        ThrottlePolicy throttle = throttle(2, ZERO);
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle);
        Running<String> first = dependency.call(pipeline, ZERO);
        Running<String> second = dependency.call(pipeline, ZERO);
        Running<String> third = dependency.call(pipeline, ZERO);

        time.run();

        assertThat(first.result()).isCompletedWithValue("done");
        assertThat(second.result()).isCompletedWithValue("done");
        assertThrottled(
                third, ofMillis(100), "throttle of 'inventory' lets 10 calls start in 1s, the next one in 100 ms");
        assertThat(throttle.rejected()).isEqualTo(1);
        time.advance(ofMillis(99));
        assertThat(throttle.available()).isZero();
        time.advance(ofMillis(1));
        assertThat(throttle.available()).isEqualTo(1);
        Running<String> fourth = dependency.call(pipeline, ZERO);
        time.run();
        assertThat(fourth.result()).isCompletedWithValue("done");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callsThatMayWaitStartEvenlySpaced(Way way) {
        ThrottlePolicy throttle = throttle(1, ofSeconds(1));
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle);
        for (int i = 0; i < 4; i++) {
            dependency.call(pipeline, ZERO);
        }

        time.run();

        assertThat(dependency.starts()).containsExactly(0L, 100 * MILLI, 200 * MILLI, 300 * MILLI);
        assertThat(throttle.waited()).isEqualTo(3);
        assertThat(throttle.givenBack()).isZero();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aCallThatGivesUpGivesItsPlaceToTheNext(Way way) {
        ThrottlePolicy throttle = throttle(1, ofSeconds(1));
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle);
        dependency.call(pipeline, ZERO);
        Running<String> impatient = dependency.call(pipeline, ZERO);
        dependency.call(pipeline, ZERO);
        time.advance(ofMillis(10));

        impatient.giveUp().run();
        time.advance(ofMillis(10));
        assertThat(impatient.result()).isCompletedExceptionally();
        dependency.call(pipeline, ZERO);
        time.run();

        assertThat(dependency.starts()).containsExactly(0L, 100 * MILLI, 200 * MILLI);
        assertThat(throttle.givenBack()).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aWaitThatTheCallHasNoTimeForIsNotBegunAndTakesNothing(Way way) {
        ThrottlePolicy throttle = throttle(1, ofSeconds(1));
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle);
        dependency.call(pipeline, ZERO);
        time.advance(ZERO);

        Running<String> late = dependency.call(within(pipeline, ofMillis(100)), ZERO);
        time.advance(ZERO);

        assertThrottled(
                late, ofMillis(100), "throttle of 'inventory' lets 10 calls start in 1s, the next one in 100 ms");
        Running<String> patient = dependency.call(within(pipeline, ofMillis(101)), ZERO);
        time.run();
        assertThat(patient.result()).isCompletedWithValue("done");
        assertThat(dependency.starts()).containsExactly(0L, 100 * MILLI);
        assertThat(throttle.givenBack()).isZero();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whatAnInnerLayerTurnsAwayIsNotCounted(Way way) {
        ThrottlePolicy throttle = throttle(1, ofSeconds(1));
        boolean[] refuse = {true};
        Policy inner = new Policy("inner", Policy.ENTER) {
            @Override
            public int enter(Passage passage) {
                return refuse[0] ? passage.reject(Reason.OTHER, -1, "no") : PROCEED;
            }
        };
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle, inner);
        for (int i = 0; i < 100; i++) {
            Running<String> refused = dependency.call(pipeline, ZERO);
            time.advance(ZERO);
            assertThat(refused.error()).hasMessage("no");
        }

        refuse[0] = false;
        dependency.call(pipeline, ZERO);
        time.run();

        assertThat(dependency.starts()).containsExactly(0L);
        assertThat(throttle.givenBack()).isEqualTo(100);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aLayerOutsideThatChangesItsMindGetsTheReservationBack(Way way) {
        ThrottlePolicy throttle = throttle(1, ofSeconds(1));
        boolean[] open = new boolean[1];
        Policy breaker = new Policy("breaker", Policy.ENTER | Policy.STILL_ADMITS) {
            @Override
            public int stillAdmits(Passage passage) {
                return open[0] ? passage.reject(Reason.CIRCUIT_OPEN, -1, "open") : PROCEED;
            }
        };
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(breaker, throttle);
        dependency.call(pipeline, ZERO);
        Running<String> waiting = dependency.call(pipeline, ZERO);
        time.advance(ofMillis(50));

        open[0] = true;
        time.run();

        assertThat(waiting.error()).hasMessage("open");
        assertThat(throttle.givenBack()).isEqualTo(1);
        assertThat(throttle.available()).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aFailureOfTheDependencyIsNotGivenBack(Way way) {
        ThrottlePolicy throttle = throttle(1, ZERO);
        Dependency dependency = new Dependency(time, way);
        Running<String> call = dependency.call(within(pipeline(throttle), ofMillis(5)), ofMillis(50));

        time.run();

        assertThat(call.result()).isCompletedExceptionally();
        assertThat(dependency.starts()).hasSize(1);
        assertThat(throttle.givenBack()).isZero();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void afterAThousandThatGaveUpNobodyWaitsForThem(Way way) {
        int callers = way == Way.CALL_ASYNC ? 1_000 : 100;
        ThrottlePolicy throttle = throttle(1, Duration.ofHours(1));
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle);
        List<Running<String>> crowd = new ArrayList<>();
        for (int i = 0; i < callers; i++) {
            crowd.add(dependency.call(pipeline, ZERO));
        }
        time.advance(ofMillis(50));

        crowd.forEach(call -> call.giveUp().run());
        time.advance(ZERO);
        dependency.call(pipeline, ZERO);
        time.run();

        assertThat(dependency.starts()).containsExactly(0L, 100 * MILLI);
        assertThat(throttle.givenBack()).isEqualTo(callers - 1);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void neverMoreThanRateTimesTimePlusBurstWhateverCallersDo(Way way) {
        for (long seed = 0; seed < 20; seed++) {
            try (VirtualTime drawn = VirtualTime.seeded(seed)) {
                ThrottlePolicy throttle = throttle(3, ofSeconds(2));
                Dependency dependency = new Dependency(drawn, way);
                Pipeline pipeline = Pipeline.builder("inventory")
                        .policies(throttle)
                        .time(drawn)
                        .build();
                Random random = new Random(seed);
                for (int i = 0; i < 100; i++) {
                    Running<String> call = dependency.call(pipeline, ofMillis(random.nextInt(20)));
                    if (random.nextInt(3) == 0) {
                        drawn.schedule(random.nextInt(500) * MILLI, call.giveUp());
                    }
                    drawn.advance(ofMillis(random.nextInt(60)));
                }
                drawn.run();
                List<Long> starts = dependency.starts();
                for (int i = 3; i < starts.size(); i++) {
                    assertThat(starts.get(i) - starts.get(i - 3))
                            .as("seed %d, start %d", seed, i)
                            .isGreaterThanOrEqualTo(100 * MILLI);
                }
            }
        }
    }

    @Test
    void metersTellWhatIsFreeAndWhatHappened() {
        ThrottlePolicy throttle = throttle(2, ofMillis(100));
        RecordedMeters meters = new RecordedMeters();
        throttle.meters(meters);
        Dependency dependency = new Dependency(time, Way.CALL_ASYNC);
        Pipeline pipeline = pipeline(throttle);
        assertThat(meters.values()).containsEntry("throttle.available", 2.0);

        for (int i = 0; i < 4; i++) {
            dependency.call(pipeline, ZERO);
        }

        assertThat(meters.values())
                .containsEntry("throttle.available", 0.0)
                .containsEntry("throttle.rejected", 1.0)
                .containsEntry("throttle.waited", 1.0)
                .containsEntry("throttle.given.back", 0.0)
                .containsEntry("throttle.replicas", 1.0)
                .hasSize(5);
    }
}
