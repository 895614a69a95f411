/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.retry;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.holdfast.CheckedSupplier;
import dev.holdfast.Pipeline;
import java.lang.management.ManagementFactory;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** On a platform thread a call that succeeds at first allocates nothing for its retry policy, its budget and its history. */
class SuccessCostsNothingTest {
    private static final int CALLS = 20_000;
    private static final int ROUNDS = 50;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private static long bytes(Pipeline pipeline) {
        CheckedSupplier<String, RuntimeException> action = () -> "ok";
        long before = THREADS.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < CALLS; i++) {
            pipeline.call(action);
        }
        return THREADS.getCurrentThreadAllocatedBytes() - before;
    }

    /** Once warm. The JVM allocates on the calling thread too, whenever it finds the time to compile. */
    private static void assertNothingAllocated(Pipeline pipeline) {
        // Less than a byte a call: what the measurement itself costs, and no object of anybody's.
        assertThat(LongStream.generate(() -> bytes(pipeline)).skip(1).limit(ROUNDS))
                .anyMatch(bytes -> bytes < CALLS);
    }

    @Test
    void withAFullBudgetNothingIsAllocated() {
        try (Pipeline pipeline = Pipeline.of("p", RetryPolicy.ofDefaults())) {
            assertNothingAllocated(pipeline);
        }
    }

    @Test
    void norWhileADrainedOneIsFilled() {
        RetryPolicy retry = RetryPolicy.of(r -> r.budget(b -> b.maxTokens(1000).tokenRatio(0.001)));
        RetryBudget budget = retry.budget().orElseThrow();
        try (Pipeline pipeline = Pipeline.of("p", retry)) {
            for (int i = 0; i < 1000; i++) {
                budget.failed(System.nanoTime(), 1);
            }
            assertNothingAllocated(pipeline);
            assertThat(budget.tokens()).as("filled meanwhile").isGreaterThanOrEqualTo(2 * CALLS / 1000.0);
        }
    }
}
