/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import dev.holdfast.Pipeline;
import dev.holdfast.spi.Policy;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Each policy alone in a pipeline, or several that are joined by a {@code +}: {@code -p policy=bulkhead+timeout}. The stale cache
 * has a class of its own, since it needs a key.
 */
@SuppressWarnings("NullAway.Init") // JMH fills the parameters, the set-up the rest
public class OnePolicy extends Measured {
    @Param({
        "retry",
        "circuit-breaker",
        "gate",
        "adaptive-throttle",
        "throttle",
        "bulkhead",
        "adaptive-bulkhead",
        "timeout",
        "deadline",
        "hedge"
    })
    public String policy;

    private Pipeline pipeline;

    @Setup
    public void build() {
        pipeline = Pipeline.of(
                "inventory", Stream.of(policy.split("\\+")).map(Policies::named).toArray(Policy[]::new));
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
