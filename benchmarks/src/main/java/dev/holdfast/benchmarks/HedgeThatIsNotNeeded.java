/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import dev.holdfast.Pipeline;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/**
 * A hedged call that is answered long before its hedge. No peer hedges on the JVM (Failsafe 3.3.2 does not, other than its
 * namesake in Go), so the control is a hedge as it is written by hand: a task of a scheduler that is cancelled in time.
 */
@SuppressWarnings("NullAway.Init") // the set-up fills the fields
public class HedgeThatIsNotNeeded extends Measured {
    private static final int DELAY_MILLIS = 500;

    private Pipeline pipeline;
    private ScheduledThreadPoolExecutor scheduler;

    @Setup
    public void build() {
        pipeline = Pipeline.of("inventory", Policies.hedge());
        scheduler = new ScheduledThreadPoolExecutor(1);
        scheduler.setRemoveOnCancelPolicy(true);
    }

    @TearDown
    public void close() {
        pipeline.close();
        scheduler.shutdownNow();
    }

    @Benchmark
    public String call() {
        return pipeline.call(action);
    }

    @Benchmark
    public String callAsync() {
        return pipeline.callAsync(stage).join();
    }

    @Benchmark
    public String byHand() {
        CompletableFuture<String> first = new CompletableFuture<>();
        Future<?> second = scheduler.schedule(() -> complete(first), DELAY_MILLIS, TimeUnit.MILLISECONDS);
        complete(first);
        second.cancel(false);
        return first.join();
    }

    private void complete(CompletableFuture<String> answer) {
        var unused = stage.get().whenComplete((value, error) -> answer.complete(value));
    }
}
