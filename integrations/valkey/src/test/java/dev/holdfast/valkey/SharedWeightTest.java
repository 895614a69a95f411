/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import static java.time.Duration.ZERO;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call;
import dev.holdfast.CallRejectedException;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.Verdict;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Dependency;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.time.VirtualTime;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Calls that weigh more than one in a shared throttle. */
class SharedWeightTest {
    private static final int LIMIT = 200;
    private static final int BURST = 20;

    private final VirtualTime time = new VirtualTime();
    private final FakeStore store = new FakeStore(time, LIMIT, BURST);

    @AfterEach
    void close() {
        time.close();
    }

    /** A permit each 5 ms for two processes, of which there is one here; a batch is 5. */
    private SharedThrottlePolicy throttle(Consumer<SharedThrottleSettings.Builder> changed) {
        return new SharedThrottlePolicy(store, SharedThrottleSettings.of(s -> {
            s.key("inventory").limit(LIMIT).burst(BURST).replicas(2).storeTimeout(ofMillis(50));
            changed.accept(s);
        }));
    }

    private Pipeline pipeline(Policy... policies) {
        return Pipeline.builder("inventory").policies(policies).time(time).build();
    }

    private static Call<String> weighing(Pipeline pipeline, int weight) {
        return pipeline.<String>operation("work").unkeyed().weight(weight);
    }

    private List<Running<String>> calls(Dependency dependency, Pipeline pipeline, int... weights) {
        List<Running<String>> calls = new ArrayList<>();
        for (int weight : weights) {
            calls.add(dependency.call(weighing(pipeline, weight), ZERO));
            time.advance(ZERO);
        }
        return calls;
    }

    private static long done(List<Running<String>> calls) {
        return calls.stream()
                .filter(call -> call.result().isDone() && !call.result().isCompletedExceptionally())
                .count();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aHeavyCallTakesAsManyPermitsAsItWeighs(Way way) {
        Dependency dependency = new Dependency(time, way);
        SharedThrottlePolicy throttle = throttle(s -> {});
        Pipeline pipeline = pipeline(throttle);
        time.advance(ofMillis(1));

        calls(dependency, pipeline, 4);
        assertThat(dependency.starts()).as("at hand").hasSize(1);
        assertThat(throttle.available()).isEqualTo(1);
        calls(dependency, pipeline, 14);
        time.advance(ofMillis(2));
        assertThat(dependency.starts()).as("of the store, by two questions").hasSize(2);

        List<Running<String>> third = calls(dependency, pipeline, 7);
        time.advance(ofMillis(20));
        assertThat(dependency.starts()).as("it needs 5 more").hasSize(2);
        time.advance(ofMillis(20));
        assertThat(done(third)).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aCallThatIsHeavierThanTheBurstIsRejectedAtOnceAndTheStoreIsNotAsked(Way way) {
        Dependency dependency = new Dependency(time, way);
        SharedThrottlePolicy throttle = throttle(s -> s.maxWait(ofSeconds(10)));
        Pipeline pipeline = pipeline(throttle);
        time.advance(ofMillis(1));
        int questions = store.questions();

        Running<String> tooHeavy = calls(dependency, pipeline, BURST + 1).get(0);

        assertThat(tooHeavy.error()).isInstanceOfSatisfying(CallRejectedException.class, rejection -> {
            assertThat(rejection.reason()).isEqualTo(Reason.THROTTLED);
            assertThat(rejection.retryAfterNanos()).isEqualTo(Verdict.NEVER);
            assertThat(rejection)
                    .hasMessage(
                            "throttle of 'inventory' never lets a call of weight 21 start, because its burst is 20");
        });
        assertThat(store.questions()).isEqualTo(questions);
        assertThat(throttle.available()).isEqualTo(5);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aWaitForMorePermitsThanTheStoreGetsInTimeIsNotBegun(Way way) {
        Dependency dependency = new Dependency(time, way);
        SharedThrottlePolicy throttle = throttle(s -> s.maxWait(ofMillis(70)));
        Pipeline pipeline = pipeline(throttle);
        calls(dependency, pipeline, BURST);
        time.advance(ofMillis(5));

        Running<String> rejected = calls(dependency, pipeline, BURST).get(0);

        assertThat(rejected.error())
                .isInstanceOf(CallRejectedException.class)
                .hasMessageStartingWith(
                        "throttle of 'inventory' lets 200 calls of 2 processes start in 1s, the next one"
                                + " of weight 20 in ");
        assertThat(throttle.waiting()).isZero();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void neitherLightNorHeavyCallsKeepTheOthersWaiting(Way way) {
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle(s -> s.maxWait(ofSeconds(1))));
        calls(dependency, pipeline, BURST);
        time.advance(ofMillis(2));

        List<Running<String>> before = calls(dependency, pipeline, 1, 1);
        List<Running<String>> heavy = calls(dependency, pipeline, 15);
        List<Running<String>> after = calls(dependency, pipeline, 1, 1);
        List<Running<String>> behind = calls(dependency, pipeline, 15);
        List<Running<String>> last = calls(dependency, pipeline, 1, 1, 1);
        // 17 permits take 85 ms. Calls that waited before may have theirs after the heavy one.
        time.advance(ofMillis(110));
        assertThat(done(heavy)).isEqualTo(1);
        assertThat(done(behind)).isZero();
        assertThat(done(last)).isZero();
        time.advance(ofMillis(90));
        assertThat(done(before)).isEqualTo(2);
        assertThat(done(after)).isEqualTo(2);
        assertThat(done(behind)).isEqualTo(1);
        time.advance(ofMillis(40));
        assertThat(done(last)).isEqualTo(3);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aCallThatGivesUpGivesBackWhatItHasCollected(Way way) {
        Dependency dependency = new Dependency(time, way);
        SharedThrottlePolicy throttle = throttle(s -> s.maxWait(ofSeconds(1)));
        Pipeline pipeline = pipeline(throttle);
        calls(dependency, pipeline, BURST);
        time.advance(ofMillis(2));
        List<Running<String>> impatient = calls(dependency, pipeline, 15);
        time.advance(ofMillis(65));
        assertThat(throttle.available()).isZero();

        impatient.get(0).giveUp().run();
        time.advance(ZERO);

        assertThat(throttle.available()).isBetween(10, 13);
        assertThat(throttle.waiting()).isZero();
        List<Running<String>> next = calls(dependency, pipeline, 10);
        assertThat(done(next)).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whatAnInnerLayerTurnsAwayComesBackWhole(Way way) {
        boolean[] refuse = {true};
        Policy inner = new Policy("inner", Policy.ENTER) {
            @Override
            public int enter(Passage passage) {
                return refuse[0] ? passage.reject(Reason.OTHER, -1, "no") : PROCEED;
            }
        };
        Dependency dependency = new Dependency(time, way);
        SharedThrottlePolicy throttle = throttle(s -> {});
        Pipeline pipeline = pipeline(throttle, inner);
        List<Running<String>> refused = calls(dependency, pipeline, 15);
        time.advance(ofMillis(2));

        assertThat(refused.get(0).error()).hasMessage("no");
        assertThat(throttle.givenBack()).isEqualTo(15);
        assertThat(throttle.available()).isGreaterThanOrEqualTo(15);
        refuse[0] = false;
        assertThat(done(calls(dependency, pipeline, 15))).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whileTheStoreIsAwayTheShareCountsTheWeight(Way way) {
        store.stop();
        Dependency dependency = new Dependency(time, way);
        SharedThrottlePolicy throttle = throttle(s -> s.maxWait(ZERO));
        Pipeline pipeline = pipeline(throttle);

        List<Running<String>> calls = calls(dependency, pipeline, 6, 5, 4);

        assertThat(throttle.storeIsAway()).isTrue();
        assertThat(done(calls)).as("of weight 6 and 4: the share's burst is 10").isEqualTo(2);
        assertThat(throttle.withoutStore()).isEqualTo(2);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aCallThatIsHeavierThanTheShareWaitsForTheStore(Way way) {
        store.stop();
        Dependency dependency = new Dependency(time, way);
        SharedThrottlePolicy throttle = throttle(s -> s.maxWait(ofSeconds(5)));
        Pipeline pipeline = pipeline(throttle);
        List<Running<String>> heavy = calls(dependency, pipeline, 15);
        time.advance(ofSeconds(1));
        assertThat(throttle.waiting()).isEqualTo(1);

        store.start();
        time.advance(ofSeconds(4));

        assertThat(done(heavy)).isEqualTo(1);
        assertThat(throttle.waiting()).isZero();
        assertThat(throttle.storeIsAway()).isFalse();
    }
}
