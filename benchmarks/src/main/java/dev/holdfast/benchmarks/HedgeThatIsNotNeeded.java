/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeExecutor;
import dev.failsafe.Hedge;
import dev.failsafe.function.CheckedSupplier;
import dev.holdfast.Pipeline;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/** A hedged call that is answered long before its hedge. Failsafe hedges asynchronous calls only. */
@SuppressWarnings("NullAway.Init") // the set-up fills the fields
public class HedgeThatIsNotNeeded extends Measured {
    private Pipeline pipeline;
    private FailsafeExecutor<String> failsafe;
    private CheckedSupplier<CompletionStage<String>> failsafeStage;

    @Setup
    public void build() {
        pipeline = Pipeline.of("inventory", Policies.hedge());
        failsafe = Failsafe.with(Hedge.<String>builder(Duration.ofMillis(500)).build());
        failsafeStage = stage::get;
    }

    @TearDown
    public void close() {
        pipeline.close();
    }

    @Benchmark
    public String call() {
        return pipeline.call(action);
    }

    @Benchmark
    public String callAsync() {
        return pipeline.callAsync(stage).join();
    }

    /** It runs the action on a thread of its own, so that what is measured here is mostly that. */
    @Benchmark
    public String failsafeAsync() {
        CompletableFuture<String> answer = failsafe.getStageAsync(failsafeStage);
        return answer.join();
    }
}
