/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import dev.holdfast.Pipeline;
import dev.holdfast.log.LogObserver;
import dev.holdfast.micrometer.MicrometerObserver;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/** What each observer adds to the standard pipeline. Histograms and tracers have classes of their own. */
@SuppressWarnings("NullAway.Init") // JMH fills the parameters, the set-up the rest
public class ObserverCost extends Measured {
    @Param({"none", "log", "advice", "micrometer"})
    public String observer;

    private Pipeline pipeline;

    @Setup
    public void build() {
        Pipeline.Builder standard = Pipeline.builder("inventory").standard();
        switch (observer) {
            case "log" -> standard.observer(new LogObserver());
            case "advice" -> standard.advised();
            case "micrometer" -> standard.observer(new MicrometerObserver(new SimpleMeterRegistry()));
            default -> {}
        }
        pipeline = standard.build();
    }

    @TearDown
    public void close() {
        pipeline.close();
    }

    @Benchmark
    public String call() {
        return pipeline.call(action);
    }
}
