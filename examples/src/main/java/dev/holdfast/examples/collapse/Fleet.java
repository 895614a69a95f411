/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import dev.holdfast.Call;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.Source;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Policy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
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

    /** Of pipelines with these policies. */
    static Fleet of(World world, int processes, Supplier<List<Policy>> policies) {
        Fleet fleet = new Fleet(world);
        for (int i = 0; i < processes; i++) {
            Pipeline pipeline = Pipeline.builder("service")
                    .time(world.time())
                    .policies(policies.get())
                    .build();
            fleet.processes.add(pipeline.operation("item"));
        }
        return fleet;
    }

    /** The usual number of processes. */
    static Fleet standard(World world) {
        return standard(world, PROCESSES);
    }

    /** Of pipelines as {@link Pipeline#standard} makes them, but for the seed of the jitter. */
    static Fleet standard(World world, int processes) {
        return standardWithout(world, processes, List.of());
    }

    /** The same without the policies of these names. */
    static Fleet standardWithout(World world, int processes, List<String> missing) {
        return of(world, processes, () -> {
            List<Policy> policies = new ArrayList<>();
            Pipeline standard =
                    Pipeline.builder("service").time(world.time()).standard().build();
            for (Policy policy : standard.policies()) {
                if (!missing.contains(policy.name())) {
                    policies.add(policy instanceof RetryPolicy retry ? seeded(world, retry) : policy);
                }
            }
            return policies;
        });
    }

    private static RetryPolicy seeded(World world, RetryPolicy retry) {
        return RetryPolicy.of(
                retry.settings().toBuilder().seed(world.random().nextLong()).build());
    }

    @Override
    public CompletableFuture<Answer> call(@Nullable Integer key, Supplier<CompletableFuture<String>> attempt) {
        Operation<String> process = processes.get(world.random().nextInt(processes.size()));
        Call<String> call = key == null ? process.unkeyed() : process.key(key);
        return call.replyAsync(running -> attempt.get())
                .handle((reply, error) ->
                        error != null ? Answer.NONE : reply.source() == Source.LIVE ? Answer.LIVE : Answer.STALE);
    }
}
