/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling;

import static dev.holdfast.Call.Priority.CRITICAL;
import static dev.holdfast.Call.Priority.DEFAULT;
import static dev.holdfast.Call.Priority.SHEDDABLE;
import static java.time.Duration.ZERO;
import static java.time.Duration.ofHours;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofNanos;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call;
import dev.holdfast.Call.Priority;
import dev.holdfast.CallRejectedException;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.headers.CallHeaders;
import dev.holdfast.testcalls.Dependency;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** When turns are short, the less important calls go without. */
@Logs("burst-of-one")
class ThrottlePriorityTest {
    private final VirtualTime time = new VirtualTime();

    @AfterEach
    void close() {
        time.close();
    }

    private Pipeline pipeline(ThrottlePolicy throttle) {
        return Pipeline.builder("inventory").policies(throttle).time(time).build();
    }

    /** One call each 10 ms. */
    private static ThrottlePolicy throttle(int burst, Duration maxWait) {
        return ThrottlePolicy.of(t -> t.limit(100).burst(burst).maxWait(maxWait));
    }

    private static Call<String> call(Pipeline pipeline, Priority priority) {
        return pipeline.<String>operation("work").unkeyed().priority(priority);
    }

    private Running<String> begin(Dependency dependency, Pipeline pipeline, Priority priority) {
        Running<String> call = dependency.call(call(pipeline, priority), ZERO);
        time.advance(ofNanos(1));
        return call;
    }

    private static boolean isThrottled(Running<String> call) {
        return call.result().isCompletedExceptionally()
                && call.error() instanceof CallRejectedException rejection
                && rejection.reason() == Reason.THROTTLED;
    }

    /** How many of 40 calls that come together are let through. */
    private int admitted(Dependency dependency, Supplier<Running<String>> each) {
        for (int i = 0; i < 40; i++) {
            assertThat(each.get()).isNotNull();
        }
        time.run();
        return dependency.starts().size();
    }

    @ParameterizedTest
    @CsvSource({"CRITICAL, 20", "DEFAULT, 20", "SHEDDABLE, 15"})
    void withoutAWaitASheddableCallLeavesAQuarterOfTheBurst(Priority priority, int expected) {
        for (Way way : Way.values()) {
            Dependency dependency = new Dependency(time, way);
            Pipeline pipeline = pipeline(throttle(20, ZERO));
            assertThat(admitted(dependency, () -> dependency.call(call(pipeline, priority), ZERO)))
                    .as("%s", way)
                    .isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @CsvSource({"CRITICAL, 30", "DEFAULT, 25", "SHEDDABLE, 22"})
    void aCriticalCallWaitsTwiceAsLongAndASheddableOneHalfAsLong(Priority priority, int expected) {
        for (Way way : Way.values()) {
            Dependency dependency = new Dependency(time, way);
            Pipeline pipeline = pipeline(throttle(20, ofMillis(50)));
            assertThat(admitted(dependency, () -> dependency.call(call(pipeline, priority), ZERO)))
                    .as("%s", way)
                    .isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @CsvSource({"0", "50"})
    void whatComesLastDoesNotWaitAndLeavesHalfOfTheBurst(int maxWaitMillis) {
        CallHeaders headers = CallHeaders.of(h -> h.time(time));
        Map<String, String> late = Map.of("Holdfast-Attempt", "2", "Holdfast-Priority", "sheddable");
        Dependency dependency = new Dependency(time, Way.CALL_ASYNC);
        Pipeline pipeline = pipeline(throttle(20, ofMillis(maxWaitMillis)));

        assertThat(admitted(
                        dependency,
                        () -> headers.receive(
                                late::get,
                                () -> dependency.call(
                                        pipeline.<String>operation("work").unkeyed(), ZERO))))
                .isEqualTo(10);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aCallThatLeavesTurnsIsToldWhenItMayStart(Way way) {
        Dependency dependency = new Dependency(time, way);
        ThrottlePolicy throttle = throttle(4, ZERO);
        Pipeline pipeline = pipeline(throttle);
        for (int i = 0; i < 3; i++) {
            assertThat(isThrottled(dependency.call(call(pipeline, SHEDDABLE), ZERO)))
                    .isFalse();
        }
        time.advance(ZERO);

        Running<String> early = dependency.call(call(pipeline, SHEDDABLE), ZERO);
        time.advance(ZERO);
        assertThat(early.error())
                .isInstanceOfSatisfying(
                        CallRejectedException.class,
                        rejection -> assertThat(rejection.retryAfterNanos()).isEqualTo(10_000_000))
                .hasMessage("throttle of 'inventory' lets 100 calls start in 1s, the next one in 10 ms");
        time.advance(ofMillis(10).minusNanos(1));
        Running<String> stillEarly = dependency.call(call(pipeline, SHEDDABLE), ZERO);
        time.advance(ofNanos(1));
        assertThat(isThrottled(stillEarly)).isTrue();
        Running<String> inTime = dependency.call(call(pipeline, SHEDDABLE), ZERO);
        time.run();

        assertThat(inTime.result()).isCompletedWithValue("done");
        assertThat(throttle.rejected()).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource({"1", "2", "3"})
    void aSmallBurstIsNotLeftToOthersAlone(int burst) {
        Dependency dependency = new Dependency(time, Way.CALL);
        Pipeline pipeline = pipeline(throttle(burst, ZERO));

        assertThat(admitted(dependency, () -> dependency.call(call(pipeline, SHEDDABLE), ZERO)))
                .isEqualTo(burst);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aHeavySheddableCallMayTakeTheWholeBurst(Way way) {
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle(8, ZERO));

        Running<String> heavy = dependency.call(call(pipeline, SHEDDABLE).weight(8), ZERO);
        time.run();

        assertThat(heavy.result()).isCompletedWithValue("done");
    }

    /** Its weight of 6 and the quarter of 8 are just the burst; 7 and the quarter are more. */
    @ParameterizedTest
    @CsvSource({"5, 10", "6, 20", "7, 20", "8, 20"})
    void aHeavySheddableCallThatCannotLeaveAQuarterStartsOnlyWhenTheWholeBurstIsFree(int weight, int expectedMillis) {
        for (Way way : Way.values()) {
            Dependency dependency = new Dependency(time, way);
            Pipeline pipeline = pipeline(throttle(8, ZERO));
            Running<String> light = dependency.call(call(pipeline, DEFAULT).weight(2), ZERO);
            time.advance(ZERO);
            assertThat(light.result()).isCompletedWithValue("done");

            Running<String> heavy = dependency.call(call(pipeline, SHEDDABLE).weight(weight), ZERO);
            time.advance(ZERO);

            assertThat(heavy.error())
                    .isInstanceOfSatisfying(
                            CallRejectedException.class,
                            rejection -> assertThat(rejection.retryAfterNanos())
                                    .isEqualTo(ofMillis(expectedMillis).toNanos()));
            time.advance(ofMillis(expectedMillis));
            Running<String> again = dependency.call(call(pipeline, SHEDDABLE).weight(weight), ZERO);
            time.run();
            assertThat(again.result()).isCompletedWithValue("done");
        }
    }

    /** Twice the limit is asked for, a half of it by usual calls. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void inAnOverloadTheLessImportantCallsGoWithout(Way way) {
        Random random = new Random(7);
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle(10, ofMillis(50)));
        Map<Priority, List<Running<String>>> calls = new EnumMap<>(Priority.class);
        for (int i = 0; i < 4_000; i++) {
            int drawn = random.nextInt(4);
            Priority priority = drawn == 0 ? CRITICAL : drawn == 1 ? SHEDDABLE : DEFAULT;
            calls.computeIfAbsent(priority, p -> new ArrayList<>()).add(begin(dependency, pipeline, priority));
            time.advance(ofNanos((long) (-Math.log(1 - random.nextDouble()) * 5_000_000)));
        }
        time.run();

        assertThat(served(calls, CRITICAL)).isGreaterThan(0.99);
        assertThat(served(calls, DEFAULT)).isBetween(0.4, 0.6);
        assertThat(served(calls, SHEDDABLE)).isLessThan(0.1);
        assertThat(dependency.starts()).hasSizeGreaterThan(1_900);
    }

    private static double served(Map<Priority, List<Running<String>>> calls, Priority priority) {
        List<Running<String>> all = calls.getOrDefault(priority, List.of());
        return all.stream().filter(call -> !isThrottled(call)).count() / (double) all.size();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theLongestWaitOfAnHourIsTwoHoursForACriticalCall(Way way) {
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(
                ThrottlePolicy.of(t -> t.limit(1).per(ofHours(1)).burst(1).maxWait(ofHours(1))));
        List<Running<String>> calls = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            calls.add(begin(dependency, pipeline, CRITICAL));
        }
        time.run();

        assertThat(dependency.starts())
                .containsExactly(0L, ofHours(1).toNanos(), ofHours(2).toNanos());
        assertThat(isThrottled(calls.get(3))).isTrue();
    }
}
