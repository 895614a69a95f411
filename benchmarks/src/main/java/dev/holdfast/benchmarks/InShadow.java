/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import dev.holdfast.Pipeline;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.Policy;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/** What it costs that a policy is in shadow: the standard pipeline without it, with it, and with it in shadow. */
@SuppressWarnings("NullAway.Init") // JMH fills the parameters, the set-up the rest
public class InShadow extends Measured {
    /** Where the policy of the standard pipeline is. */
    public enum Mode {
        ABSENT,
        ACTIVE,
        SHADOW
    }

    @Param({"circuit-breaker", "throttle", "bulkhead", "timeout"})
    public String policy;

    @Param
    public Mode mode;

    private Pipeline pipeline;

    @Setup
    public void build() {
        Policy measured = Policies.named(policy);
        // Once with each, since the standard pipeline has not all of them.
        Pipeline.Builder others =
                Pipeline.builder("inventory").standard().with(measured).without(policy);
        pipeline = switch (mode) {
            case ABSENT -> others.build();
            case ACTIVE -> others.with(measured).build();
            case SHADOW -> others.with(ShadowPolicy.of(measured)).build();
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
