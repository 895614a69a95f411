/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling;

import static java.time.Duration.ZERO;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.testcalls.Dependency;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A thread that loses the processor after the time of its call was read, while others go on. */
@Logs(value = "burst-of-one", sometimes = true)
class LateThreadTest {
    private final VirtualTime time = new VirtualTime();

    @AfterEach
    void close() {
        time.close();
    }

    /** Before the throttle: the next call finds that so much time has passed, and that others have called meanwhile. */
    private static final class Stall extends Policy {
        private Runnable meanwhile = () -> {};

        Stall() {
            super("stall", ENTER);
        }

        @Override
        public int enter(Passage passage) {
            Runnable once = meanwhile;
            meanwhile = () -> {};
            once.run();
            return PROCEED;
        }
    }

    private final Stall stall = new Stall();

    /** One call each 10 ms, one at once. */
    private Pipeline pipeline(ThrottlePolicy throttle) {
        return Pipeline.builder("inventory")
                .policies(stall, throttle)
                .time(time)
                .build();
    }

    private static ThrottlePolicy throttle(Duration maxWait) {
        return ThrottlePolicy.of(t -> t.limit(100).burst(1).maxWait(maxWait));
    }

    private void others(Dependency dependency, Pipeline pipeline, int calls) {
        for (int i = 0; i < calls; i++) {
            time.advance(ofMillis(10));
            dependency.call(pipeline, ZERO);
        }
    }

    @Test
    void aCallWithinTheLimitIsLetThroughThoughItsThreadWasStalled() {
        Dependency dependency = new Dependency(time, Way.CALL_ASYNC);
        Pipeline pipeline = pipeline(throttle(ZERO));
        stall.meanwhile = () -> {
            others(dependency, pipeline, 20);
            time.advance(ofMillis(10));
        };

        Running<String> late = dependency.call(pipeline, ZERO);
        time.run();

        assertThat(late.result()).isCompletedWithValue("done");
        assertThat(dependency.starts()).hasSize(21);
    }

    /** The processor is lost again, after each of so many looks at the clock. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void aCallWithinTheLimitIsLetThroughThoughItsThreadWasStalledWhileItAsked(int stalls) {
        Dependency dependency = new Dependency(time, Way.CALL_ASYNC);
        AtomicReference<@Nullable Runnable> meanwhile = new AtomicReference<>();
        TimeSource stalling = (TimeSource) Proxy.newProxyInstance(
                TimeSource.class.getClassLoader(), new Class<?>[] {TimeSource.class}, (proxy, method, arguments) -> {
                    Object result = method.invoke(time, arguments);
                    Runnable next = method.getName().equals("nanos") ? meanwhile.getAndSet(null) : null;
                    if (next != null) {
                        next.run();
                    }
                    return result;
                });
        ThrottlePolicy throttle = throttle(ZERO);
        Pipeline others =
                Pipeline.builder("others").policies(throttle).time(time).build();
        Pipeline pipeline = Pipeline.builder("inventory")
                .policies(stall, throttle)
                .time(stalling)
                .build();
        dependency.call(others, ZERO);
        AtomicInteger left = new AtomicInteger(stalls);
        Runnable stalled = new Runnable() {
            @Override
            public void run() {
                others(dependency, others, 20);
                time.advance(ofMillis(10));
                if (left.decrementAndGet() > 0) {
                    meanwhile.set(this);
                }
            }
        };
        // The next look at the clock is the throttle's own, after it was said no to.
        stall.meanwhile = () -> meanwhile.set(stalled);

        Running<String> late = dependency.call(pipeline, ZERO);
        time.run();

        assertThat(late.result()).isCompletedWithValue("done");
        assertThat(left).hasValue(0);
    }

    @Test
    void aCallBeyondTheLimitIsTurnedAwayThoughItsThreadWasStalled() {
        Dependency dependency = new Dependency(time, Way.CALL_ASYNC);
        Pipeline pipeline = pipeline(throttle(ZERO));
        stall.meanwhile = () -> others(dependency, pipeline, 20);

        Running<String> late = dependency.call(pipeline, ZERO);
        time.run();

        assertThat(late.error())
                .isInstanceOfSatisfying(
                        CallRejectedException.class,
                        rejection -> assertThat(rejection.retryAfter()).contains(ofMillis(10)));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aCallOfAStalledThreadWaitsNoLongerThanItsPlaceAsks(Way way) {
        Dependency dependency = new Dependency(time, way);
        ThrottlePolicy throttle = throttle(ofSeconds(1));
        Pipeline pipeline = pipeline(throttle);
        dependency.call(pipeline, ZERO);
        time.run();

        Running<String> second = dependency.call(pipeline, ZERO);
        time.run();

        assertThat(second.result()).isCompletedWithValue("done");
        assertThat(dependency.starts()).containsExactly(0L, ofMillis(10).toNanos());
    }

    @Test
    void theTimeThatAStalledThreadLostIsNoLongerThereToWait() {
        Dependency dependency = new Dependency(time, Way.CALL_ASYNC);
        Pipeline pipeline = pipeline(throttle(ofSeconds(1)));
        stall.meanwhile = () -> {
            others(dependency, pipeline, 1);
            dependency.call(pipeline, ZERO);
            dependency.call(pipeline, ZERO);
        };

        Running<String> hurried =
                dependency.call(pipeline.<String>operation("work").unkeyed().deadline(ofMillis(39)), ZERO);
        time.run();

        assertThat(hurried.error())
                .isInstanceOfSatisfying(
                        CallRejectedException.class,
                        rejection -> assertThat(rejection.reason()).isEqualTo(Reason.THROTTLED));
        assertThat(dependency.starts()).hasSize(3);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aStalledThreadThatMustWaitDoesNotStartBeforeItsPlace(Way way) {
        Dependency others = new Dependency(time, Way.CALL_ASYNC);
        Dependency dependency = new Dependency(time, way);
        Pipeline pipeline = pipeline(throttle(ofSeconds(1)));
        if (way == Way.CALL_ASYNC) {
            stall.meanwhile = () -> others(others, pipeline, 1);
        } else {
            stall.meanwhile = () -> sleep(ofMillis(11));
            time.schedule(ofMillis(10).toNanos(), () -> others.call(pipeline, ZERO));
        }

        Running<String> late = dependency.call(pipeline, ZERO);
        time.run();

        assertThat(others.starts()).containsExactly(ofMillis(10).toNanos());
        assertThat(late.result()).isCompletedWithValue("done");
        long start = dependency.starts().get(0);
        assertThat(start).isBetween(ofMillis(20).toNanos(), ofMillis(30).toNanos());
    }

    private void sleep(Duration duration) {
        try {
            time.sleep(duration);
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }
}
