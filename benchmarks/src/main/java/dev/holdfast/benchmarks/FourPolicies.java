/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import dev.holdfast.Pipeline;
import dev.holdfast.micrometer.MicrometerObserver;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.concurrent.CompletableFuture;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.infra.Blackhole;

/** Retry, circuit breaker, throttle and bulkhead in one pipeline; {@link Comparison} has its peers. */
@SuppressWarnings("NullAway.Init") // JMH fills the parameters, the set-up the rest
public class FourPolicies extends Measured {
    @Param({"CLEAN", "POLLUTED"})
    public Profile profile;

    @Param({"false", "true"})
    public boolean micrometer;

    private Pipeline pipeline;

    @Setup
    public void build(Blackhole blackhole) {
        Pollution.ofPipelines(profile, blackhole);
        Pipeline.Builder builder = Pipeline.builder("inventory").policies(Policies.four());
        if (micrometer) {
            builder.observer(new MicrometerObserver(new SimpleMeterRegistry()));
        }
        pipeline = builder.build();
    }

    @TearDown
    public void close() {
        pipeline.close();
    }

    @Benchmark
    public String call() {
        return pipeline.call(action);
    }

    @Benchmark
    public CompletableFuture<String> callAsync() {
        return pipeline.callAsync(stage);
    }
}
