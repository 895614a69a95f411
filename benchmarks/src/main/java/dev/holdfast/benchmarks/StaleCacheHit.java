/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import dev.holdfast.CheckedFunction;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/** A fresh answer of the stale cache. */
@SuppressWarnings("NullAway.Init") // the set-up fills the fields
public class StaleCacheHit extends Measured {
    private String key = "sku-1";
    private Pipeline pipeline;
    private CheckedFunction<String, String, RuntimeException> lookup;

    @Setup
    public void build() {
        pipeline = Pipeline.of("inventory", Policies.staleCache());
        Operation<String> stock = pipeline.operation("stock");
        lookup = stock.decorate((String sku) -> action.get());
        lookup.apply(key);
    }

    @TearDown
    public void close() {
        pipeline.close();
    }

    @Benchmark
    public String call() {
        return lookup.apply(key);
    }
}
