/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import dev.holdfast.Pipeline;
import dev.holdfast.micrometer.ObservationObserver;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.ObservationRegistry;
import java.util.concurrent.CompletableFuture;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/** What it costs that calls and attempts are observed, without what a tracing library does with it. */
@SuppressWarnings("NullAway.Init") // JMH fills the parameters, the set-up the rest
public class Tracing extends Measured {
    /** Who looks on. */
    public enum Tracer {
        /** No observer. */
        NONE,
        /** The registry that does nothing. */
        NOOP,
        /** A registry with one handler, which does nothing. */
        HANDLER
    }

    @Param
    public Tracer tracer;

    private Pipeline pipeline;

    @Setup
    public void build() {
        Pipeline.Builder builder = Pipeline.builder("inventory").policies(Policies.four());
        if (tracer != Tracer.NONE) {
            builder.observer(new ObservationObserver(registry()));
        }
        pipeline = builder.build();
    }

    private ObservationRegistry registry() {
        if (tracer == Tracer.NOOP) {
            return ObservationRegistry.NOOP;
        }
        ObservationRegistry registry = ObservationRegistry.create();
        registry.observationConfig().observationHandler(new ObservationHandler<>() {
            @Override
            public boolean supportsContext(Observation.Context context) {
                return true;
            }
        });
        return registry;
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
