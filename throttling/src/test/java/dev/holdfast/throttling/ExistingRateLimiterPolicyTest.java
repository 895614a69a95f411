/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling;

import static java.time.Duration.ZERO;
import static java.time.Duration.ofHours;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.holdfast.Call;
import dev.holdfast.CallRejectedException;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Dependency;
import dev.holdfast.testcalls.RecordedMeters;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import io.github.resilience4j.ratelimiter.RequestNotPermitted;
import io.github.resilience4j.ratelimiter.internal.SemaphoreBasedRateLimiter;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ExistingRateLimiterPolicyTest {
    private final VirtualTime time = new VirtualTime();

    @AfterEach
    void close() {
        time.close();
    }

    private Pipeline pipeline(Policy policy) {
        return Pipeline.builder("inventory").policies(policy).time(time).build();
    }

    /** Of one call an hour, so that the machine's clock, which it reads, does not matter. */
    private static RateLimiterConfig.Builder hourly(Duration timeout) {
        return RateLimiterConfig.custom()
                .limitForPeriod(1)
                .limitRefreshPeriod(ofHours(1))
                .timeoutDuration(timeout);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void staysSharedWithWhateverElseUsesIt(Way way) {
        RateLimiter existing = RateLimiter.of("theirs", hourly(ZERO).build());
        assertThat(existing.acquirePermission()).isTrue();
        Policy policy = ThrottlePolicy.of(existing);
        RecordedMeters meters = new RecordedMeters();
        policy.meters(meters);
        Dependency dependency = new Dependency(time, way);

        Running<String> refused = dependency.call(pipeline(policy), ZERO);
        time.run();

        assertThat(refused.error()).isInstanceOfSatisfying(CallRejectedException.class, rejection -> {
            assertThat(rejection.reason()).isEqualTo(Reason.THROTTLED);
            assertThat(rejection)
                    .hasMessage(
                            "throttle of 'inventory' has no permission of resilience4j's 'theirs' within its timeout")
                    .hasCauseInstanceOf(RequestNotPermitted.class);
        });
        assertThat(dependency.starts()).isEmpty();
        assertThat(meters.values()).containsEntry("throttle.rejected", 1.0).containsEntry("throttle.available", 0.0);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    @Logs("rate limiter 'theirs' threw when it was asked for a permission; told once")
    void aConsumerOfItsEventsThatThrowsRejectsTheCall(Way way) {
        RateLimiter existing = RateLimiter.of("theirs", hourly(ZERO).build());
        IllegalStateException thrown = new IllegalStateException("the consumer's queue is full");
        existing.getEventPublisher()
                .onSuccess(event -> {
                    throw thrown;
                })
                .onFailure(event -> {
                    throw thrown;
                });
        Policy policy = ThrottlePolicy.of(existing);
        RecordedMeters meters = new RecordedMeters();
        policy.meters(meters);
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(policy);

        for (int i = 0; i < 2; i++) {
            Running<String> call = dependency.call(pipeline, ZERO);
            time.run();
            assertThat(call.error()).isInstanceOfSatisfying(CallRejectedException.class, rejection -> {
                assertThat(rejection.reason()).isEqualTo(Reason.OTHER);
                assertThat(rejection)
                        .hasMessage(
                                "resilience4j's 'theirs' threw when 'inventory' asked it for a permission: " + thrown)
                        .hasCause(thrown);
            });
        }
        assertThat(dependency.starts()).isEmpty();
        assertThat(meters.values()).containsEntry("throttle.rejected", 2.0);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aReservationIsWaitedForWithoutBlocking(Way way) {
        RateLimiter existing = RateLimiter.of("theirs", hourly(ofHours(3)).build());
        Pipeline pipeline = pipeline(ThrottlePolicy.of(existing));
        Dependency dependency = new Dependency(time, way);
        Running<String> first = dependency.call(pipeline, ZERO);
        Running<String> second = dependency.call(pipeline, ZERO);

        time.advance(Duration.ofMinutes(1));
        assertThat(first.result()).isCompletedWithValue("done");
        assertThat(second.result()).isNotDone();
        time.run();

        assertThat(second.result()).isCompletedWithValue("done");
        assertThat(dependency.starts().get(1))
                .isBetween(ofHours(1).toNanos() / 2, ofHours(1).toNanos());
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aHedgeThatWouldHaveToWaitTakesNoPermission(Way way) {
        RateLimiter existing = RateLimiter.of("theirs", hourly(ofHours(3)).build());
        Pipeline pipeline = Pipeline.builder("inventory")
                .policies(HedgePolicy.of(h -> h.delay(Duration.ofMillis(20))), ThrottlePolicy.of(existing))
                .time(time)
                .build();
        Dependency dependency = new Dependency(time, way);
        Running<String> call = dependency.call(pipeline, Duration.ofMillis(100));

        time.run();

        assertThat(call.result()).isCompletedWithValue("done");
        assertThat(dependency.starts()).hasSize(1);
        assertThat(existing.getMetrics().getAvailablePermissions()).isZero();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aWaitThatTheCallHasNoTimeForIsNotBegun(Way way) {
        RateLimiter existing = RateLimiter.of("theirs", hourly(ofHours(3)).build());
        assertThat(existing.acquirePermission()).isTrue();
        Dependency dependency = new Dependency(time, way);
        Call<String> hurried = pipeline(ThrottlePolicy.of(existing))
                .<String>operation("work")
                .unkeyed()
                .deadline(Duration.ofMillis(10));
        Running<String> late = dependency.call(hurried, ZERO);

        time.advance(ZERO);

        assertThat(late.error()).isInstanceOfSatisfying(CallRejectedException.class, rejection -> {
            assertThat(rejection.reason()).isEqualTo(Reason.THROTTLED);
            assertThat(rejection.retryAfter()).isPresent();
        });
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aLimiterThatDrainsAfterAResultIsToldIt(Way way) {
        RateLimiter draining = RateLimiter.of(
                "theirs",
                hourly(ZERO)
                        .limitForPeriod(100)
                        .drainPermissionsOnResult(result -> result.isRight() && "done".equals(result.get()))
                        .build());
        Dependency dependency = new Dependency(time, way);
        dependency.call(pipeline(ThrottlePolicy.of(draining)), ZERO);

        time.run();

        assertThat(draining.getMetrics().getAvailablePermissions()).isZero();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aLimiterThatDrainsAfterAnErrorIsToldIt(Way way) {
        RateLimiter draining = RateLimiter.of(
                "theirs",
                hourly(ZERO)
                        .limitForPeriod(100)
                        .drainPermissionsOnResult(result -> result.isLeft())
                        .build());
        Dependency dependency = new Dependency(time, way);
        Call<String> hurried = pipeline(ThrottlePolicy.of(draining))
                .<String>operation("work")
                .unkeyed()
                .deadline(Duration.ofMillis(5));
        dependency.call(hurried, Duration.ofMillis(50));

        time.run();

        assertThat(draining.getMetrics().getAvailablePermissions()).isZero();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    @Logs("rate limiter 'theirs' threw when it was told of a result")
    void aLimiterThatThrowsWhenItIsToldChangesNoOutcome(Way way) {
        RateLimiter broken = RateLimiter.of(
                "theirs",
                hourly(ZERO)
                        .limitForPeriod(100)
                        .drainPermissionsOnResult(result -> {
                            throw new IllegalStateException("broken");
                        })
                        .build());
        Pipeline pipeline = pipeline(ThrottlePolicy.of(broken));
        Dependency dependency = new Dependency(time, way);
        Running<String> good = dependency.call(pipeline, ZERO);
        time.run();
        Running<String> again = dependency.call(pipeline, ZERO);
        time.run();

        assertThat(good.result()).isCompletedWithValue("done");
        assertThat(again.result()).isCompletedWithValue("done");
    }

    @Test
    void aLimiterWithoutReservationsIsRefused() {
        RateLimiter blocking =
                new SemaphoreBasedRateLimiter("theirs", hourly(ZERO).build());

        assertThatIllegalArgumentException()
                .isThrownBy(() -> ThrottlePolicy.of(blocking))
                .withMessage("rate limiter 'theirs' knows no reservations; use an AtomicRateLimiter");
    }
}
