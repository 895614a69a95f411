/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling;

import static java.time.Duration.ZERO;
import static java.time.Duration.ofHours;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call;
import dev.holdfast.CallRejectedException;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.Verdict;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Dependency;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.time.VirtualTime;
import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Calls that weigh more than one in a throttle. */
class ThrottleWeightTest {
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

    private static Call<String> weighing(Pipeline pipeline, int weight) {
        return pipeline.<String>operation("work").unkeyed().weight(weight);
    }

    private static void assertThrottled(Running<String> call, long retryAfterNanos, String message) {
        assertThat(call.error()).isInstanceOfSatisfying(CallRejectedException.class, rejection -> {
            assertThat(rejection.reason()).isEqualTo(Reason.THROTTLED);
            assertThat(rejection.policy()).isEqualTo("throttle");
            assertThat(rejection.retryAfterNanos()).isEqualTo(retryAfterNanos);
            assertThat(rejection).hasMessage(message).hasNoCause();
        });
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aHeavyCallTakesAsManyTurnsAsItWeighs(Way way) {
        ThrottlePolicy throttle = throttle(5, ZERO);
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle);
        dependency.call(weighing(pipeline, 3), ZERO);
        time.advance(ZERO);
        assertThat(throttle.available()).isEqualTo(2);

        Running<String> early = dependency.call(weighing(pipeline, 4), ZERO);
        time.advance(ofMillis(199));

        assertThrottled(
                early,
                200 * MILLI,
                "throttle of 'inventory' lets 10 calls start in 1s, the next one of weight 4 in 200 ms");
        time.advance(ofMillis(1));
        dependency.call(weighing(pipeline, 4), ZERO);
        time.run();
        assertThat(dependency.starts()).containsExactly(0L, 200 * MILLI);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aCallThatIsHeavierThanTheBurstIsRejectedAtOnceAndTakesNothing(Way way) {
        ThrottlePolicy throttle = throttle(5, ofHours(1));
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(RetryPolicy.of(r -> r.retryRejections(true)), throttle);

        Running<String> tooHeavy = dependency.call(weighing(pipeline, 6), ZERO);
        time.advance(ZERO);

        assertThrottled(
                tooHeavy,
                Verdict.NEVER,
                "throttle of 'inventory' never lets a call of weight 6 start, because its burst is 5");
        assertThat(throttle.available()).isEqualTo(5);
        assertThat(throttle.rejected()).as("not tried again").isEqualTo(1);
        dependency.call(weighing(pipeline, 5), ZERO);
        time.run();
        assertThat(dependency.starts()).containsExactly(0L);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aHeavyCallAmongLightOnesHasItsTurn(Way way) {
        ThrottlePolicy throttle = throttle(3, ofSeconds(1));
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle);
        for (int i = 0; i < 5; i++) {
            dependency.call(pipeline, ZERO);
        }
        time.advance(ZERO);
        // Two wait: for 100 and 200 ms. Then this one, and two more behind it.
        Running<String> heavy = dependency.call(weighing(pipeline, 3), ZERO);
        time.advance(ZERO);
        dependency.call(pipeline, ZERO);
        dependency.call(pipeline, ZERO);

        time.run();

        assertThat(heavy.result()).isCompletedWithValue("done");
        assertThat(dependency.starts())
                .containsExactly(0L, 0L, 0L, 100 * MILLI, 200 * MILLI, 500 * MILLI, 600 * MILLI, 700 * MILLI);
        assertThat(throttle.waited()).isEqualTo(5);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aHeavyCallThatGivesUpGivesAllItsTurnsBack(Way way) {
        ThrottlePolicy throttle = throttle(4, ofSeconds(2));
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle);
        dependency.call(weighing(pipeline, 4), ZERO);
        time.advance(ZERO);
        Running<String> impatient = dependency.call(weighing(pipeline, 4), ZERO);
        time.advance(ZERO);
        dependency.call(pipeline, ZERO);
        time.advance(ofMillis(10));

        impatient.giveUp().run();
        time.advance(ofMillis(10));
        for (int i = 0; i < 4; i++) {
            dependency.call(pipeline, ZERO);
            time.advance(ZERO);
        }
        time.run();

        assertThat(dependency.starts())
                .containsExactly(0L, 100 * MILLI, 200 * MILLI, 300 * MILLI, 400 * MILLI, 500 * MILLI);
        assertThat(throttle.givenBack()).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whatAnInnerLayerTurnsAwayComesBackWhole(Way way) {
        ThrottlePolicy throttle = throttle(5, ZERO);
        Policy inner = new Policy("inner", Policy.ENTER) {
            @Override
            public int enter(Passage passage) {
                return passage.reject(Reason.OTHER, -1, "no");
            }
        };
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle, inner);
        for (int i = 0; i < 20; i++) {
            Running<String> refused = dependency.call(weighing(pipeline, 5), ZERO);
            time.advance(ZERO);
            assertThat(refused.error()).hasMessage("no");
        }

        assertThat(throttle.available()).isEqualTo(5);
        assertThat(throttle.givenBack()).isEqualTo(20);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aThrottleInShadowCountsTheWeight(Way way) {
        ThrottlePolicy throttle = throttle(5, ZERO);
        ShadowPolicy shadow = ShadowPolicy.of(throttle);
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(shadow);
        for (int weight : new int[] {3, 3, 2, 6}) {
            dependency.call(weighing(pipeline, weight), ZERO);
            time.advance(ZERO);
        }

        time.run();

        assertThat(dependency.starts()).hasSize(4);
        assertThat(throttle.available()).isZero();
        assertThat(shadow.count(ShadowPolicy.Decision.REJECTED)).isEqualTo(2);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void eachRetryWeighsTheSame(Way way) {
        ThrottlePolicy throttle = throttle(10, ZERO);
        Pipeline pipeline = pipeline(
                RetryPolicy.of(r -> r.maxAttempts(3).initialBackoff(ZERO).maxBackoff(ZERO)), throttle);
        Call<String> call = weighing(pipeline, 2);

        Running<String> failed = way == Way.CALL_ASYNC
                ? Running.async(call.callAsync(attempt -> {
                    throw new IllegalStateException("broken");
                }))
                : Running.blocking(
                        time,
                        () -> call.call(attempt -> {
                            throw new IllegalStateException("broken");
                        }));
        time.run();

        assertThat(failed.error()).hasMessage("broken");
        assertThat(throttle.available()).isEqualTo(4);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void anExistingRateLimiterIsAskedForAsManyPermissions(Way way) {
        RateLimiter existing = RateLimiter.of(
                "theirs",
                RateLimiterConfig.custom()
                        .limitForPeriod(5)
                        .limitRefreshPeriod(ofHours(1))
                        .timeoutDuration(ZERO)
                        .build());
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(ThrottlePolicy.of(existing));
        dependency.call(weighing(pipeline, 3), ZERO);
        time.advance(ZERO);
        Running<String> refused = dependency.call(weighing(pipeline, 3), ZERO);
        time.advance(ZERO);
        dependency.call(weighing(pipeline, 2), ZERO);
        time.run();

        assertThat(refused.error()).isInstanceOf(CallRejectedException.class);
        assertThat(dependency.starts()).hasSize(2);
        assertThat(existing.getMetrics().getAvailablePermissions()).isZero();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void neverMoreWeightThanRateTimesTimePlusBurstWhateverCallersDo(Way way) {
        int burst = 6;
        for (long seed = 0; seed < 20; seed++) {
            try (VirtualTime drawn = VirtualTime.seeded(seed)) {
                List<long[]> starts = new ArrayList<>();
                Pipeline pipeline = Pipeline.builder("inventory")
                        .policies(throttle(burst, ofSeconds(3)), new Policy("note", Policy.ENTER) {
                            @Override
                            public int enter(Passage passage) {
                                starts.add(new long[] {passage.now(), passage.weight()});
                                return PROCEED;
                            }
                        })
                        .time(drawn)
                        .build();
                Dependency dependency = new Dependency(drawn, way);
                Random random = new Random(seed);
                for (int i = 0; i < 100; i++) {
                    Running<String> call = dependency.call(
                            weighing(pipeline, 1 + random.nextInt(burst)), ofMillis(random.nextInt(20)));
                    if (random.nextInt(3) == 0) {
                        drawn.schedule(random.nextInt(500) * MILLI, call.giveUp());
                    }
                    drawn.advance(ofMillis(random.nextInt(200)));
                }
                drawn.run();

                double level = 0;
                for (int i = 0; i < starts.size(); i++) {
                    double leaked = i == 0 ? 0 : (starts.get(i)[0] - starts.get(i - 1)[0]) / (100.0 * MILLI);
                    level = Math.max(0, level - leaked) + starts.get(i)[1];
                    assertThat(level).as("seed %d, start %d", seed, i).isLessThanOrEqualTo(burst + 1e-6);
                }
                assertThat(starts).as("seed %d", seed).hasSizeGreaterThan(20);
            }
        }
    }
}
