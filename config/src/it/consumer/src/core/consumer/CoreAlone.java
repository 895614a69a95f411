/* SPDX-License-Identifier: Apache-2.0 */
package consumer;

import dev.holdfast.Pipeline;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.timeout.TimeoutPolicy;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** With the core alone there is nothing else on the class path, and each of its policies works. */
final class CoreAlone {
    private CoreAlone() {}

    public static void main(String[] args) throws Exception {
        try (Pipeline inventory = Pipeline.of(
                "inventory",
                DeadlinePolicy.of(Duration.ofSeconds(30)),
                FallbackPolicy.of(error -> "none"),
                RetryPolicy.of(r -> r.maxAttempts(2).interval(attempt -> 5L)),
                HedgePolicy.ofDefaults(),
                TimeoutPolicy.of(Duration.ofSeconds(20)))) {
            same("stock", inventory.call(() -> "stock"));
            same("stock", inventory.callAsync(() -> CompletableFuture.completedFuture("stock"))
                    .get());
            System.out.println(inventory);
        }
        try (Pipeline standard = Pipeline.builder("prices")
                .standard()
                .without("circuit-breaker")
                .without("bulkhead")
                .build()) {
            same("price", standard.call(() -> "price"));
            System.out.println(standard);
        }
        absent("io.github.resilience4j.core.IntervalFunction");
        absent("org.slf4j.Logger");
        absent("io.micrometer.core.instrument.Meter");
    }

    private static void same(String expected, String answer) {
        if (!expected.equals(answer)) {
            throw new AssertionError("expected " + expected + ", got " + answer);
        }
    }

    private static void absent(String type) {
        try {
            throw new AssertionError("core brings " + Class.forName(type));
        } catch (ClassNotFoundException asItShouldBe) {
            System.out.println("without " + type);
        }
    }
}
