/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import dev.holdfast.Pipeline;
import dev.holdfast.valkey.SharedThrottlePolicy;
import dev.holdfast.valkey.ValkeyStore;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/**
 * A throttle whose limit is in a store, and one of the process alone. Needs a server: {@code -p store=redis://localhost:6379}. The
 * limit is never used up, and batches are large: a call finds a permit ready, as usual.
 */
@SuppressWarnings("NullAway.Init") // JMH fills the parameters, the set-up the rest
public class SharedThrottle extends Measured {
    private static final int BATCH = 10_000_000;

    @Param({"shared", "alone"})
    public String limit;

    @Param("redis://localhost:6379")
    public String store;

    private ValkeyStore connection;
    private Pipeline pipeline;

    @Setup
    public void build() {
        connection = ValkeyStore.connect(store);
        pipeline = Pipeline.of("inventory", limit.equals("alone") ? Policies.throttle() : shared());
    }

    private SharedThrottlePolicy shared() {
        return SharedThrottlePolicy.of(
                connection,
                s -> s.key("benchmark")
                        .limit(Policies.CALLS_PER_SECOND)
                        .burst(Policies.CALLS_PER_SECOND)
                        .batch(BATCH)
                        .replicas(1));
    }

    @TearDown
    public void close() {
        pipeline.close();
        connection.close();
    }

    @Benchmark
    public String call() {
        return pipeline.call(action);
    }
}
