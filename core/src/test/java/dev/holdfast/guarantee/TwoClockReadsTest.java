/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.guarantee;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CheckedSupplier;
import dev.holdfast.Pipeline;
import dev.holdfast.contract.Around;
import dev.holdfast.contract.Decision;
import dev.holdfast.contract.Lab;
import dev.holdfast.contract.Probe;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Guarantee 3: one clock read when an attempt starts, one when its action ends, and two more for a suspension: when its timer is
 * set, and when it is over. Where nobody asks, fewer: {@code ClockTest}.
 */
@ThreadKind.Each
@Logs(value = "attempts-beyond-deadline", sometimes = true)
class TwoClockReadsTest {
    private final VirtualTime virtual = ThreadKind.current().on(new VirtualTime());
    private final AtomicInteger reads = new AtomicInteger();
    private final TimeSource counting = new Around(virtual) {
        @Override
        public long nanos() {
            reads.incrementAndGet();
            return super.nanos();
        }
    };

    @AfterEach
    void close() {
        virtual.close();
    }

    private Pipeline pipeline(List<? extends Policy> policies) {
        return Pipeline.builder("clock").policies(policies).time(counting).build();
    }

    private static List<Policy> probes(int count) {
        List<Policy> probes = new ArrayList<>();
        try (Lab lab = new Lab()) {
            for (int i = 0; i < count; i++) {
                probes.add(lab.probe("layer " + i));
            }
        }
        return probes;
    }

    private void call(Pipeline pipeline) throws Exception {
        reads.set(0);
        assertThat(pipeline.<String, Exception>call(() -> "done")).isEqualTo("done");
    }

    private void callAsync(Pipeline pipeline) {
        reads.set(0);
        CompletableFuture<String> done = pipeline.callAsync(() -> CompletableFuture.completedFuture("done"));
        virtual.run();
        assertThat(done).isCompletedWithValue("done");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4, 8, 64})
    void callReadsTheClockTwiceHoweverManyPoliciesThereAre(int policies) throws Exception {
        try (Pipeline pipeline = pipeline(probes(policies))) {
            call(pipeline);
            assertThat(reads).hasValue(2);
            callAsync(pipeline);
            assertThat(reads).hasValue(2);
        }
    }

    @Test
    void policiesOfCoreReadNoClock() throws Exception {
        try (Pipeline pipeline = pipeline(List.of(
                DeadlinePolicy.of(Duration.ofSeconds(2)),
                FallbackPolicy.value("fallback"),
                RetryPolicy.ofDefaults(),
                TimeoutPolicy.of(Duration.ofSeconds(1))))) {
            call(pipeline);
            assertThat(reads).hasValue(2);
            callAsync(pipeline);
            assertThat(reads).hasValue(2);
        }
    }

    @Test
    void retryAtOnceReadsTheClockTwiceMore() throws Exception {
        RetryPolicy retry = RetryPolicy.of(r -> r.maxAttempts(3).initialBackoff(Duration.ZERO));
        try (Pipeline pipeline = pipeline(List.of(retry))) {
            AtomicInteger tries = new AtomicInteger();
            CheckedSupplier<String, IOException> third = () -> {
                if (tries.incrementAndGet() < 3) {
                    throw new IOException("again");
                }
                return "done";
            };
            reads.set(0);
            assertThat(pipeline.call(third)).isEqualTo("done");
            assertThat(reads).hasValue(6);
        }
    }

    @Test
    void asynchronousSuspensionAddsTwoReads() {
        try (Lab lab = new Lab()) {
            Probe pausing = lab.probe("pausing").entering(passage -> Decision.pause(1));
            try (Pipeline pipeline = pipeline(List.of(pausing))) {
                callAsync(pipeline);
                assertThat(reads).hasValue(4);
            }
        }
    }

    @Test
    void allLayersSeeTheSameMoment() throws Exception {
        List<Long> moments = new ArrayList<>();
        try (Lab lab = new Lab()) {
            List<Policy> layers = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                layers.add(lab.probe("layer " + i).entering(passage -> {
                    moments.add(passage.now());
                    return Decision.GO_ON;
                }));
            }
            try (Pipeline pipeline = pipeline(layers)) {
                call(pipeline);
            }
        }
        assertThat(moments).hasSize(4).containsOnly(virtual.nanos());
    }
}
