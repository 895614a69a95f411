/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import org.openjdk.jmh.annotations.Benchmark;

/** What every other figure stands on: the call itself, and the clock that a pipeline reads twice an attempt. */
public class Floor extends Measured {

    @Benchmark
    public String emptyCall() throws Exception {
        return action.get();
    }

    @Benchmark
    public long oneClockRead() {
        return System.nanoTime();
    }

    @Benchmark
    public long twoClockReads() throws Exception {
        long before = System.nanoTime();
        action.get();
        return System.nanoTime() - before;
    }
}
