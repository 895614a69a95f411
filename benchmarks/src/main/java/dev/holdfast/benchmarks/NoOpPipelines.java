/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import dev.holdfast.Pipeline;
import dev.holdfast.spi.Policy;
import java.util.ArrayList;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.infra.Blackhole;

/** The interpreter's own cost: policies that are asked twice a call and do nothing. */
@SuppressWarnings("NullAway.Init") // JMH fills the parameters, the set-up the rest
public class NoOpPipelines extends Measured {
    @Param({"1", "4", "8"})
    public int policies;

    /** With a deadline around them and a timeout inside. */
    @Param({"false", "true"})
    public boolean limited;

    @Param({"CLEAN", "POLLUTED"})
    public Profile profile;

    private Pipeline pipeline;

    @Setup
    public void build(Blackhole blackhole) {
        Pollution.ofPipelines(profile, blackhole);
        List<Policy> layers = new ArrayList<>(List.of(NoOpPolicy.several(policies)));
        if (limited) {
            layers.add(0, Policies.deadline());
            layers.add(Policies.timeout());
        }
        pipeline = Pipeline.builder("inventory").policies(layers).build();
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
