/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.infra.Blackhole;

/** Holdfast beside its peers: one scenario, done by one library, with one guard for all threads. */
@SuppressWarnings("NullAway.Init") // JMH fills the parameters, the set-up the rest
public class Comparison extends Measured {
    @Param("FOUR")
    public Scenario scenario;

    @Param({"HOLDFAST", "RESILIENCE4J_SYNCHRONIZED", "RESILIENCE4J_LOCK_FREE"})
    public Library library;

    private Guard guard;

    @Setup
    public void build(Blackhole blackhole) throws Exception {
        guard = library.guard(scenario, blackhole);
    }

    @TearDown
    public void close() {
        guard.close();
    }

    Guard guard() {
        return guard;
    }

    @Benchmark
    public Object call(Caller caller) throws Exception {
        return caller.call();
    }
}
