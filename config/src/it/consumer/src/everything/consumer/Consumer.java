/* SPDX-License-Identifier: Apache-2.0 */
package consumer;

import dev.holdfast.CheckedFunction;
import dev.holdfast.Classifier;
import dev.holdfast.Pipeline;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.bulkhead.BulkheadSettings.LimitAlgorithm;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.config.Holdfast;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.throttling.ThrottlePolicy;
import dev.holdfast.timeout.TimeoutPolicy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** Makes a call through each policy of each module, in code and from a file. */
final class Consumer {
    private Consumer() {}

    public static void main(String[] args) throws Exception {
        System.out.println(Consumer.class.getModule().isNamed() ? "on the module path" : "on the class path");
        inCode();
        try (Holdfast holdfast = Holdfast.builder()
                .bind("every-error", Classifier.DEFAULT)
                .load(Path.of(args[0]))) {
            called(holdfast.pipeline("inventory"));
        }
        try (Pipeline standard = Pipeline.standard("prices")) {
            called(standard);
            for (String policy : new String[] {"retry", "circuit-breaker", "bulkhead", "timeout"}) {
                check(standard.toString().contains(policy), "the standard pipeline finds the module of " + policy);
            }
        }
    }

    private static void inCode() throws Exception {
        CircuitBreakerPolicy breaker = CircuitBreakerPolicy.ofDefaults();
        BulkheadPolicy bulkhead = BulkheadPolicy.of(b -> b.limit(LimitAlgorithm.GRADIENT2));
        try (Pipeline inventory = Pipeline.of(
                "inventory",
                StaleCachePolicy.of(c -> c.fresh(Duration.ofMinutes(5))),
                RetryPolicy.ofDefaults(),
                breaker,
                ThrottlePolicy.of(t -> t.limit(100).burst(20)),
                bulkhead,
                TimeoutPolicy.of(Duration.ofSeconds(20)))) {
            called(inventory);
            check(breaker.asResilience4j().getMetrics().getNumberOfBufferedCalls() > 0, "the breaker counted");
            check(bulkhead.asResilience4j().getMetrics().getAvailableConcurrentCalls() > 0, "the permits are back");
        }
    }

    private static void called(Pipeline pipeline) throws Exception {
        System.out.println(pipeline);
        CheckedFunction<String, String, Exception> lookup =
                pipeline.<String>operation("stock").decorate(sku -> "stock of " + sku);
        check(lookup.apply("sku-1").equals("stock of sku-1"), "a keyed call is answered");
        check(lookup.apply("sku-1").equals("stock of sku-1"), "and again");
        check(pipeline.call(() -> "ok").equals("ok"), "a blocking call is answered");
        CompletableFuture<String> later = pipeline.callAsync(() -> CompletableFuture.completedFuture("ok"));
        check(later.get().equals("ok"), "an asynchronous call is answered");
    }

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError("not so: " + what);
        }
    }
}
