/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import dev.holdfast.CheckedSupplier;
import dev.holdfast.Pipeline;
import dev.holdfast.micrometer.MicrometerObserver;
import dev.holdfast.spi.Policy;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.openjdk.jmh.infra.Blackhole;

/** A pipeline. */
final class HoldfastGuard implements Guard {
    private final Pipeline pipeline;
    private final boolean asynchronous;

    private HoldfastGuard(Scenario scenario, Blackhole blackhole) {
        Pollution.ofPipelines(scenario.profile(), blackhole);
        Pipeline.Builder builder = Pipeline.builder("inventory").policies(policies(scenario.work()));
        if (scenario.micrometer()) {
            builder.observer(new MicrometerObserver(new SimpleMeterRegistry()));
        }
        pipeline = builder.build();
        asynchronous = scenario.work() == Work.FOUR_ASYNC;
    }

    /** With these policies, outermost first. */
    HoldfastGuard(Policy... policies) {
        pipeline = Pipeline.of("inventory", policies);
        asynchronous = false;
    }

    /** What this scenario is about. */
    static Guard of(Scenario scenario, Blackhole blackhole) {
        return switch (scenario.work()) {
            case INHERITED -> InnerGuard.within();
            case NESTED -> InnerGuard.nested(Policies.deadline());
            default -> new HoldfastGuard(scenario, blackhole);
        };
    }

    /** The same calls as for this work, with no limit of time. */
    static Guard unlimited(Work work) {
        return work == Work.NESTED ? InnerGuard.nested() : new HoldfastGuard();
    }

    private static List<Policy> policies(Work work) {
        return switch (work) {
            case RETRY -> List.of(Policies.retry());
            case BREAKER, OPEN_BREAKER -> List.of(Policies.circuitBreaker());
            case TIMED_BREAKER -> List.of(Policies.timedCircuitBreaker());
            case THROTTLE -> List.of(Policies.throttle());
            case BULKHEAD -> List.of(Policies.bulkhead());
            case LIMITS -> List.of(Policies.deadline(), Policies.timeout());
            case FOUR, FOUR_ASYNC -> Policies.four();
            case SIX -> Policies.six();
            case INHERITED, NESTED -> throw new IllegalArgumentException("no policies of its own: " + work);
        };
    }

    @Override
    public Callable<?> around(Caller caller) {
        if (asynchronous) {
            Supplier<CompletionStage<String>> stage = caller::stage;
            Callable<CompletableFuture<String>> call = () -> pipeline.callAsync(stage);
            return call;
        }
        CheckedSupplier<String, RuntimeException> action = caller::answer;
        return () -> pipeline.call(action);
    }

    @Override
    public void close() {
        pipeline.close();
    }
}
