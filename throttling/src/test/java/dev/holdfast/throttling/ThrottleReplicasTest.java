/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling;

import static java.time.Duration.ZERO;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.testcalls.Dependency;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A throttle whose limit is for several processes. */
@Logs(value = "burst-of-one", sometimes = true)
class ThrottleReplicasTest {
    private static final long MILLI = 1_000_000;

    private final VirtualTime time = new VirtualTime();

    @AfterEach
    void close() {
        time.close();
    }

    private Pipeline pipeline(ThrottlePolicy throttle) {
        return Pipeline.builder("inventory").policies(throttle).time(time).build();
    }

    private static ThrottlePolicy throttle(Consumer<ThrottleSettings.Builder> changed) {
        return ThrottlePolicy.of(t -> {
            t.limit(10).burst(10);
            changed.accept(t);
        });
    }

    /** Calls, one each so often. */
    private void calls(Dependency dependency, Pipeline pipeline, int number, Duration distance) {
        for (int i = 0; i < number; i++) {
            dependency.call(pipeline, ZERO);
            time.advance(distance);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aThrottleThatIsPutBackFollowsTheNumberAgain(Way way) {
        AtomicInteger processes = new AtomicInteger(1);
        ThrottlePolicy first = throttle(t -> t.replicas(processes::get));
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(first);
        calls(dependency, pipeline, 1, ofMillis(200));
        pipeline.replace(throttle(t -> t.replicas(processes::get)));
        calls(dependency, pipeline, 1, ofMillis(200));
        pipeline.replace(first);

        processes.set(10);
        calls(dependency, pipeline, 100, ofMillis(100));
        int before = dependency.starts().size();
        calls(dependency, pipeline, 100, ofMillis(100));

        assertThat(dependency.starts().size() - before).as("one a second").isBetween(9, 11);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void fortyProcessesTogetherStartNoMoreThanTheLimit(Way way) {
        Dependency dependency = new Dependency(time, way);
        List<Pipeline> processes = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            processes.add(pipeline(throttle(t -> t.replicas(40))));
        }
        for (int round = 0; round < 400; round++) {
            for (Pipeline process : processes) {
                dependency.call(process, ZERO);
            }
            time.advance(ofMillis(100));
        }
        // A first one each, as a part of the burst is at least one call, and 10 a second: a quarter of a call each.
        assertThat(dependency.starts()).hasSize(40 + 40 * 9);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void oneProcessHasAll(Way way) {
        Dependency dependency = new Dependency(time, way);
        calls(dependency, pipeline(throttle(t -> t.replicas(1))), 100, ofMillis(10));

        assertThat(dependency.starts()).hasSize(19);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aNumberThatGrowsKeepsTheTurnsOfCallsThatWait(Way way) {
        AtomicInteger replicas = new AtomicInteger(1);
        Dependency dependency = new Dependency(time, way);
        ThrottlePolicy throttle =
                throttle(t -> t.burst(1).maxWait(ofSeconds(30)).replicas(replicas::get));
        Pipeline pipeline = pipeline(throttle);
        for (int i = 0; i < 4; i++) {
            dependency.call(pipeline, ZERO);
        }
        time.advance(ofMillis(150));
        replicas.set(20);

        for (int i = 0; i < 2; i++) {
            dependency.call(pipeline, ZERO);
        }
        time.run();

        assertThat(dependency.starts())
                .containsExactly(0L, 100 * MILLI, 200 * MILLI, 300 * MILLI, 2_300 * MILLI, 4_300 * MILLI);
        assertThat(throttle.rejected()).isZero();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aNumberThatShrinksGivesALargerShare(Way way) {
        AtomicInteger replicas = new AtomicInteger(40);
        Dependency dependency = new Dependency(time, way);
        ThrottlePolicy throttle = throttle(t -> t.replicas(replicas::get));
        Pipeline pipeline = pipeline(throttle);
        calls(dependency, pipeline, 80, ofMillis(100));
        assertThat(dependency.starts()).hasSize(2);

        replicas.set(1);
        calls(dependency, pipeline, 80, ofMillis(100));

        assertThat(dependency.starts().size()).isBetween(80, 82);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aCallThatGivesUpReturnsItsTurnToTheNewShare(Way way) {
        AtomicInteger replicas = new AtomicInteger(1);
        Dependency dependency = new Dependency(time, way);
        ThrottlePolicy throttle =
                throttle(t -> t.burst(1).maxWait(ofSeconds(30)).replicas(replicas::get));
        Pipeline pipeline = pipeline(throttle);
        dependency.call(pipeline, ZERO);
        time.advance(ofMillis(1));
        Running<String> waiting = dependency.call(pipeline, ZERO);
        time.advance(ofMillis(10));
        waiting.giveUp().run();
        time.advance(ofMillis(200));
        replicas.set(10);
        dependency.call(pipeline, ZERO);
        time.run();

        assertThat(dependency.starts()).hasSize(2);
        assertThat(throttle.givenBack()).isEqualTo(1);
    }

    /** A call that began before goes on with the throttle of that time. */
    @Test
    void aThrottleWhosePlaceAnotherOneHasTakenChangesNoLineAnyMore() {
        AtomicInteger replicas = new AtomicInteger(1);
        RetryPolicy retry = RetryPolicy.of(r -> r.initialBackoff(ofSeconds(1)).jitter(Jitter.NONE));
        Pipeline pipeline = Pipeline.builder("inventory")
                .policies(retry, throttle(t -> t.replicas(replicas::get)))
                .time(time)
                .build();
        AtomicInteger attempts = new AtomicInteger();
        CompletableFuture<String> call = pipeline.callAsync(() -> attempts.incrementAndGet() == 1
                ? CompletableFuture.failedFuture(new IOException("reset"))
                : CompletableFuture.completedFuture("done"));
        ThrottlePolicy next = throttle(t -> t.burst(4));
        pipeline.replace(retry, next);
        replicas.set(40);
        time.advance(ofSeconds(3));

        assertThat(call).isCompletedWithValue("done");
        assertThat(next.available()).isEqualTo(4);
    }

    @Test
    void aRejectionNamesTheProcesses() {
        Pipeline pipeline = pipeline(throttle(t -> t.replicas(40)));
        pipeline.call(() -> "first");

        assertThatThrownBy(() -> pipeline.call(() -> "second"))
                .hasMessage("throttle of 'inventory' lets 10 calls of 40 processes start in 1s, the next one in 4.0 s");
    }

    @Test
    void theMostProcessesAndTheLongestTimeAreExact() {
        ThrottlePolicy throttle =
                throttle(t -> t.limit(1).burst(1).per(Duration.ofDays(1)).replicas(10_000));
        Pipeline pipeline = pipeline(throttle);
        pipeline.call(() -> "first");
        time.advance(Duration.ofDays(9_999));
        assertThat(throttle.available()).isZero();
        assertThat(throttle.remembers()).isEqualTo(Duration.ofDays(10_000).toNanos());
        time.advance(Duration.ofDays(1));
        assertThat(throttle.available()).isEqualTo(1);
    }

    @Test
    void settingsSayTheNumberAndRefuseWhatIsOutOfRange() {
        assertThat(ThrottleSettings.of(t -> t.replicas(40)).asMap()).containsEntry("replicas", 40);
        assertThat(ThrottleSettings.of(t -> t.replicas(40)))
                .hasToString("limit=50, per=1s, burst=50, maxWait=0s, replicas=40");
        assertThat(ThrottleSettings.of(t -> t.replicas(() -> 7)).toBuilder()
                        .build()
                        .replicas())
                .isEqualTo(7);
        assertThatThrownBy(() -> ThrottleSettings.of(t -> t.replicas(10_001)))
                .hasMessageContaining("replicas is 10001 but must be 1 to 10,000");
    }
}
