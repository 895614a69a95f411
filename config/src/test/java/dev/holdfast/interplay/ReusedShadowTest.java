/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.interplay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CheckedSupplier;
import dev.holdfast.Pipeline;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.shadow.ShadowPolicy.Decision;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.throttling.ThrottlePolicy;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The calls of a thread share what a policy in shadow remembers of one: each must begin as if it were new. */
class ReusedShadowTest {
    private static final int CALLS = 20_000;
    private static final com.sun.management.ThreadMXBean THREADS =
            (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

    static Stream<Policy> policies() {
        return Stream.of(
                TimeoutPolicy.of(Duration.ofMinutes(1)),
                BulkheadPolicy.ofDefaults(),
                CircuitBreakerPolicy.ofDefaults(),
                ThrottlePolicy.of(
                        t -> t.limit(1_000_000).per(Duration.ofSeconds(1)).burst(1_000_000)));
    }

    @ParameterizedTest
    @MethodSource("policies")
    void aCallThatItLetsPassAllocatesNothing(Policy policy) {
        try (Pipeline pipeline = Pipeline.of("stock", ShadowPolicy.of(policy))) {
            // Once warm: the JVM allocates on the calling thread too, whenever it finds the time to compile.
            assertThat(LongStream.generate(() -> allocated(pipeline)).skip(1).limit(50))
                    .anyMatch(bytes -> bytes < CALLS);
        }
    }

    private static long allocated(Pipeline pipeline) {
        CheckedSupplier<String, RuntimeException> action = () -> "ok";
        long before = THREADS.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < CALLS; i++) {
            pipeline.call(action);
        }
        return THREADS.getCurrentThreadAllocatedBytes() - before;
    }

    /** Remembers what it finds at its entry. */
    private static final class Finding extends Policy {
        private final List<Object> found = new ArrayList<>();

        Finding() {
            super("finding", ENTER);
        }

        @Override
        public int enter(Passage passage) {
            if (passage.object() != null) {
                found.add(passage.object());
            }
            return PROCEED;
        }
    }

    @Test
    void aPolicyOfAnotherPipelineFindsNothingOfIt() {
        Finding finding = new Finding();
        try (Pipeline stock = Pipeline.of("stock", ShadowPolicy.of(BulkheadPolicy.ofDefaults()));
                Pipeline prices = Pipeline.of("prices", finding)) {
            for (int i = 0; i < 3; i++) {
                stock.<String, RuntimeException>call(() -> "one");
                prices.<String, RuntimeException>call(() -> "two");
            }
        }
        assertThat(finding.found).isEmpty();
    }

    @Test
    void whatWasDecidedForOneCallOrAttemptIsNotSaidOfTheNext() {
        ShadowPolicy breaker = ShadowPolicy.of(
                CircuitBreakerPolicy.of(c -> c.minimumNumberOfCalls(2).waitDurationInOpenState(Duration.ofHours(1))));
        ShadowPolicy throttle = ShadowPolicy.of(
                ThrottlePolicy.of(t -> t.limit(2).per(Duration.ofHours(1)).burst(2)));
        try (Pipeline stock = Pipeline.of(
                "stock",
                RetryPolicy.of(r -> r.maxAttempts(2).initialBackoff(Duration.ZERO)),
                breaker,
                throttle,
                TimeoutPolicy.of(Duration.ofMinutes(1)))) {
            assertThatThrownBy(() -> stock.call(() -> {
                        throw new IOException("down");
                    }))
                    .isInstanceOf(IOException.class);
            for (int i = 0; i < 5; i++) {
                assertThat(stock.<String, RuntimeException>call(() -> "well")).isEqualTo("well");
            }
        }
        // Two attempts have opened the breaker and used the throttle up; five calls come after them.
        assertThat(breaker.count(Decision.REJECTED)).isEqualTo(5);
        assertThat(breaker.succeeded(Decision.REJECTED)).isEqualTo(5);
        assertThat(throttle.count(Decision.REJECTED)).isEqualTo(5);
        assertThat(throttle.succeeded(Decision.REJECTED)).isEqualTo(5);
    }

    @Test
    void workThatOutlivesItsCallKeepsItsOwn() {
        BulkheadPolicy inside = BulkheadPolicy.of(b -> b.maxConcurrentCalls(2));
        CountDownLatch end = new CountDownLatch(1);
        Thread caller = Thread.currentThread();
        try (Pipeline stock = Pipeline.of(
                "stock",
                ShadowPolicy.of(inside),
                BulkheadPolicy.of(b -> b.maxConcurrentCalls(10).dedicatedThreads(true)))) {
            assertThatThrownBy(() -> stock.call(() -> {
                        caller.interrupt();
                        awaitUninterruptibly(end);
                        return "late";
                    }))
                    .isInstanceOf(CallRejectedException.class)
                    .hasMessageContaining("interrupted");
            assertThat(Thread.interrupted()).isTrue();
            for (int i = 0; i < 5; i++) {
                assertThat(stock.<String, RuntimeException>call(() -> "meanwhile"))
                        .isEqualTo("meanwhile");
                assertThat(inside.inFlight()).isEqualTo(1);
            }
            end.countDown();
            while (inside.inFlight() > 0) {
                Thread.onSpinWait();
            }
            assertThat(stock.<String, RuntimeException>call(() -> "after")).isEqualTo("after");
            assertThat(inside.inFlight()).isZero();
        }
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        for (; ; ) {
            try {
                latch.await();
                return;
            } catch (InterruptedException goesOn) {
                // A limit strikes, and this work does not heed it.
            }
        }
    }
}
