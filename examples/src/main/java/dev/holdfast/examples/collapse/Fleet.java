/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import dev.holdfast.Call;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.Reply.Source;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.timeout.TimeoutPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * So many processes with a pipeline each, which share the calls evenly. What the pipelines know of the service they find out
 * by themselves; there is nothing that they share.
 */
final class Fleet implements Client {
    /** What the experiments have, where they leave it open. */
    static final int PROCESSES = 10;

    private final World world;
    private final List<Operation<String>> processes = new ArrayList<>();

    private Fleet(World world) {
        this.world = world;
    }

    /** The usual number of processes, with pipelines as {@link Pipeline#standard} makes them and a stale cache. */
    static Fleet standard(World world) {
        return standard(world, PROCESSES);
    }

    /** Of so many processes with such pipelines. */
    static Fleet standard(World world, int processes) {
        return standard(world, processes, Stream::of);
    }

    /** Of so many processes with such pipelines, but for what this makes of each policy. */
    static Fleet standard(World world, int processes, Function<Policy, Stream<Policy>> change) {
        Fleet fleet = new Fleet(world);
        for (int i = 0; i < processes; i++) {
            Pipeline standard = Pipeline.builder("service")
                    .time(world.time())
                    .standard()
                    .with(StaleCachePolicy.ofDefaults())
                    .build();
            List<Policy> policies = standard.policies().stream()
                    .flatMap(change)
                    .map(policy ->
                            policy instanceof TimeoutPolicy && world.variation().timeout() > 0
                                    ? TimeoutPolicy.of(Duration.ofNanos(
                                            (long) (1e9 * world.variation().timeout())))
                                    : policy)
                    .map(policy -> policy instanceof RetryPolicy retry ? seeded(world, retry) : policy)
                    .toList();
            fleet.processes.add(Pipeline.builder("service")
                    .silence("probes-above-permits") // a share of the permits is small on purpose
                    .time(world.time())
                    .policies(policies)
                    .build()
                    .operation("item"));
        }
        return fleet;
    }

    /** The same policy, but for jitter that can be repeated. */
    private static RetryPolicy seeded(World world, RetryPolicy retry) {
        return RetryPolicy.of(
                retry.settings().toBuilder().seed(world.random().nextLong()).build());
    }

    @Override
    public CompletableFuture<Answer> call(@Nullable Integer key, Service attempt) {
        Operation<String> process = processes.get(world.random().nextInt(processes.size()));
        Call<String> call = key == null ? process.unkeyed() : process.key(key);
        return call.replyAsync(running -> attempt.ask(world.now() + running.remainingNanos() / 1e9))
                .handle((reply, error) ->
                        error != null ? Answer.NONE : reply.source() == Source.LIVE ? Answer.LIVE : Answer.STALE);
    }
}
