/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import dev.holdfast.Pipeline;
import dev.holdfast.shadow.ShadowPolicy;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/** What a second policy in shadow adds to the standard pipeline. */
@SuppressWarnings("NullAway.Init") // JMH fills the parameters, the set-up the rest
public class InShadow extends Measured {
    @Param({"none", "circuit-breaker", "throttle", "bulkhead", "timeout"})
    public String policy;

    private Pipeline pipeline;

    @Setup
    public void build() {
        Pipeline.Builder standard = Pipeline.builder("inventory").standard();
        pipeline = (policy.equals("none") ? standard : standard.with(ShadowPolicy.of(Policies.named(policy)))).build();
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
