/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import dev.holdfast.Pipeline;
import dev.holdfast.shadow.ShadowPolicy;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a policy adds to the others of the standard pipeline: active, and in shadow. Warms up for long: while the bulkhead learns
 * how long attempts usually take, it looks at each of them. With no timeout beside it that takes 10 s.
 */
@Warmup(iterations = 14, time = 1)
@SuppressWarnings("NullAway.Init") // JMH fills the parameters, the set-up the rest
public class InShadow extends Measured {
    @Param({"circuit-breaker", "throttle", "bulkhead", "timeout"})
    public String policy;

    @Param({"LEFT_OUT", "ACTIVE", "IN_SHADOW"})
    public Mode mode;

    /** Of the policy. */
    public enum Mode {
        LEFT_OUT,
        ACTIVE,
        IN_SHADOW
    }

    private Pipeline pipeline;

    @Setup
    public void build() {
        Pipeline.Builder standard = Pipeline.builder("inventory").standard();
        Pipeline.Builder others = policy.equals("throttle") ? standard : standard.without(policy);
        pipeline = switch (mode) {
            case LEFT_OUT -> others.build();
            case ACTIVE -> others.with(Policies.named(policy)).build();
            case IN_SHADOW ->
                others.with(ShadowPolicy.of(Policies.named(policy))).build();
        };
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
