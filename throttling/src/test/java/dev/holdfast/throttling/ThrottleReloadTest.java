/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling;

import static java.time.Duration.ZERO;
import static java.time.Duration.ofHours;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Pipeline;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Dependency;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A throttle that takes the place of another one while calls are under way. */
@Logs(value = "burst-of-one", sometimes = true)
class ThrottleReloadTest {
    private static final long MILLI = 1_000_000;

    private final VirtualTime time = new VirtualTime();

    @AfterEach
    void close() {
        time.close();
    }

    private Pipeline pipeline(Policy... policies) {
        return Pipeline.builder("inventory").policies(policies).time(time).build();
    }

    private static ThrottlePolicy throttle(int limit, int burst, Duration maxWait) {
        return ThrottlePolicy.of(t -> t.limit(limit).burst(burst).maxWait(maxWait));
    }

    private static void begin(Dependency dependency, Pipeline pipeline, int weight) {
        dependency.call(pipeline.<String>operation("work").unkeyed().weight(weight), ZERO);
    }

    private static long[] everyMillis(long first, long step, int count) {
        return LongStream.range(0, count).map(i -> (first + i * step) * MILLI).toArray();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void reloadsWhileCallsWaitLetNoMoreStartThanTheLimitAndTheBurst(Way way) {
        for (int weight : new int[] {1, 5}) {
            for (int reloads : new int[] {0, 1, 5}) {
                try (VirtualTime own = new VirtualTime()) {
                    Pipeline pipeline = Pipeline.builder("inventory")
                            .policies(throttle(10, 5, ofSeconds(3)))
                            .time(own)
                            .build();
                    Dependency dependency = new Dependency(own, way);
                    for (int reload = 0; reload <= reloads; reload++) {
                        if (reload > 0) {
                            pipeline.replace(throttle(10, 5, ofMillis(3_000 - reload)));
                        }
                        for (int i = 0; i < 40 / weight; i++) {
                            begin(dependency, pipeline, weight);
                        }
                        own.advance(ofMillis(100));
                    }
                    own.run();
                    assertBound(dependency.starts(), weight, 5);
                    assertThat(dependency.starts().size() * weight)
                            .as("%d reloads", reloads)
                            .isBetween(30 + reloads, 36 + reloads);
                }
            }
        }
    }

    /** At ten a second. */
    private static void assertBound(List<Long> starts, int weight, int burst) {
        for (int i = 0; i < starts.size(); i++) {
            for (int j = i; j < starts.size(); j++) {
                assertThat((long) (j - i + 1) * weight)
                        .as("from start %d to start %d", i, j)
                        .isLessThanOrEqualTo(burst + (starts.get(j) - starts.get(i)) / (100 * MILLI));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void afterAHigherLimitLaterCallsStartBehindThoseThatWaitAndThenFaster(Way way) {
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle(10, 1, ofSeconds(3)));
        for (int i = 0; i < 6; i++) {
            begin(dependency, pipeline, 1);
        }
        time.advance(ofMillis(50));

        pipeline.replace(throttle(100, 4, ofSeconds(3)));
        for (int i = 0; i < 5; i++) {
            begin(dependency, pipeline, 1);
        }
        time.run();

        assertThat(dependency.starts())
                .containsExactlyElementsOf(
                        LongStream.concat(LongStream.of(everyMillis(0, 100, 6)), LongStream.of(everyMillis(510, 10, 5)))
                                .boxed()
                                .toList());
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void afterALowerLimitAndASmallerBurstWaitingCallsKeepTheirTurnsAndLaterOnesStartBehindThem(Way way) {
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle(100, 4, ofSeconds(3)));
        for (int i = 0; i < 8; i++) {
            begin(dependency, pipeline, 1);
        }
        time.advance(ofMillis(5));

        pipeline.replace(throttle(10, 1, ofSeconds(3)));
        begin(dependency, pipeline, 1);
        begin(dependency, pipeline, 1);
        time.run();

        assertThat(dependency.starts())
                .containsExactly(
                        0L, 0L, 0L, 0L, 10 * MILLI, 20 * MILLI, 30 * MILLI, 40 * MILLI, 140 * MILLI, 240 * MILLI);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theTurnOfACallThatGivesUpAfterReloadsServesTheNextCall(Way way) {
        ThrottlePolicy first = throttle(10, 1, ofHours(1));
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(first);
        List<Running<String>> crowd = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            crowd.add(dependency.call(pipeline, ZERO));
        }
        time.advance(ofMillis(10));
        pipeline.replace(throttle(10, 1, ofMinutes(59)));
        ThrottlePolicy last = throttle(20, 1, ofMinutes(59));
        pipeline.replace(last);

        crowd.forEach(call -> call.giveUp().run());
        time.advance(ofMillis(10));
        begin(dependency, pipeline, 1);
        begin(dependency, pipeline, 1);
        time.run();

        // Half a turn of the limit before was to come: the time until then is counted in turns, too.
        assertThat(dependency.starts()).hasSize(3);
        assertThat(dependency.starts().get(1)).isBetween(50 * MILLI, 100 * MILLI);
        assertThat(dependency.starts().get(2) - dependency.starts().get(1)).isEqualTo(50 * MILLI);
        assertThat(last.givenBack()).isEqualTo(49);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aReloadKeepsThePartOfATurnThatIsEarned(Way way) {
        for (int limit : new int[] {2, 4}) {
            Dependency dependency = new Dependency(time, way);
            Pipeline pipeline =
                    pipeline(ThrottlePolicy.of(t -> t.limit(2).per(ofHours(1)).burst(1)));
            begin(dependency, pipeline, 1);
            time.advance(ofMinutes(29));

            pipeline.replace(ThrottlePolicy.of(
                    t -> t.limit(limit).per(ofHours(1)).burst(1).maxWait(ofMillis(1))));

            // 29 of 30 parts of a turn are there.
            Duration rest = ofMinutes(60).dividedBy(limit * 30L);
            time.advance(rest.minusMillis(2));
            Running<String> early = dependency.call(pipeline, ZERO);
            time.advance(ofMillis(2));
            Running<String> inTime = dependency.call(pipeline, ZERO);
            time.advance(ZERO);
            assertThat(early.error()).isInstanceOf(CallRejectedException.class).hasMessageEndingWith("in 2 ms");
            assertThat(inTime.result()).isCompletedWithValue("done");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theAttemptsOfACallThatBeganBeforeAReloadCountInTheSameLimit(Way way) {
        Dependency dependency = new Dependency(time, way);
        List<Running<String>> failing = new ArrayList<>();
        RetryPolicy retry = RetryPolicy.of(r -> r.maxAttempts(2)
                .initialBackoff(ofSeconds(10))
                .maxBackoff(ofSeconds(10))
                .jitter(RetrySettings.Jitter.NONE));
        Pipeline pipeline = pipeline(retry, throttle(10, 5, ZERO));
        for (int i = 0; i < 5; i++) {
            failing.add(
                    way == Way.CALL_ASYNC
                            ? Running.async(pipeline.callAsync(() -> {
                                throw new IllegalStateException("broken");
                            }))
                            : Running.blocking(
                                    time,
                                    () -> pipeline.call(() -> {
                                        throw new IllegalStateException("broken");
                                    })));
        }
        time.advance(ofSeconds(1));
        ThrottlePolicy next = throttle(9, 4, ZERO);
        pipeline.replace(retry, next);
        time.advance(ofMillis(8_900));
        assertThat(next.available()).isEqualTo(4);

        time.advance(ofMillis(100));

        assertThat(next.available()).as("left by the second attempts").isOne();
        begin(dependency, pipeline, 2);
        begin(dependency, pipeline, 1);
        begin(dependency, pipeline, 1);
        time.run();
        assertThat(dependency.starts()).hasSize(1);
        assertThat(failing)
                .filteredOn(call -> "broken".equals(call.error().getMessage()))
                .hasSize(5);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aThrottleThatComesBackHasItsOwnSettingsAgainAndTheAccountOfNow(Way way) {
        Dependency dependency = new Dependency(time, way);
        ThrottlePolicy ten = throttle(10, 5, ofSeconds(1));
        Pipeline pipeline = pipeline(ten);
        pipeline.replace(throttle(100, 8, ZERO));
        for (int i = 0; i < 5; i++) {
            begin(dependency, pipeline, 1);
        }
        time.advance(ofMillis(25));

        pipeline.replace(ten);

        assertThat(ten.available()).isEqualTo(2);
        for (int i = 0; i < 4; i++) {
            begin(dependency, pipeline, 1);
        }
        time.run();
        assertThat(dependency.starts())
                .containsExactly(0L, 0L, 0L, 0L, 0L, 25 * MILLI, 25 * MILLI, 75 * MILLI, 175 * MILLI);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void neverMoreThanRateTimesTimePlusBurstOverAnyReloads(Way way) {
        for (long seed = 0; seed < 10; seed++) {
            try (VirtualTime drawn = VirtualTime.seeded(seed)) {
                Dependency dependency = new Dependency(drawn, way);
                Random random = new Random(seed);
                Pipeline pipeline = Pipeline.builder("inventory")
                        .policies(throttle(10, 5, ofSeconds(2)))
                        .time(drawn)
                        .build();
                for (int i = 0; i < 100; i++) {
                    Running<String> call = dependency.call(pipeline, ofMillis(random.nextInt(20)));
                    if (random.nextInt(3) == 0) {
                        drawn.schedule(random.nextInt(500) * MILLI, call.giveUp());
                    }
                    if (random.nextInt(5) == 0) {
                        pipeline.replace(throttle(1 + random.nextInt(10), 1, ofMillis(1_900 + random.nextInt(100))));
                    } else if (random.nextInt(10) == 0) {
                        pipeline.replace(throttle(10, 1 + random.nextInt(5), ofSeconds(2)));
                    }
                    drawn.advance(ofMillis(random.nextInt(100)));
                }
                drawn.run();
                assertBound(dependency.starts(), 1, 5);
                assertThat(dependency.starts()).as("seed %d", seed).hasSizeGreaterThan(20);
            }
        }
    }
}
