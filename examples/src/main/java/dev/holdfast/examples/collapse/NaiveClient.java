/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import java.util.concurrent.CompletableFuture;
import java.util.function.IntToDoubleFunction;
import org.jspecify.annotations.Nullable;

/** What is written where there is no library: a timeout and a loop. */
final class NaiveClient implements Client {
    private final World world;
    private final double timeout;
    private final Retries retries;
    private final IntToDoubleFunction wait;

    /**
     * Waits for nothing between two tries.
     *
     * @param timeout of a try, in seconds
     */
    NaiveClient(World world, double timeout, Retries retries) {
        this(world, timeout, retries, tries -> 0);
    }

    /** Waits before each further try, for so many seconds after so many tries. */
    NaiveClient(World world, double timeout, Retries retries, IntToDoubleFunction wait) {
        this.world = world;
        this.timeout = world.variation().timeout() > 0 ? world.variation().timeout() : timeout;
        this.retries = retries;
        this.wait = wait;
    }

    @Override
    public CompletableFuture<Answer> call(@Nullable Integer key, Service attempt) {
        retries.started();
        CompletableFuture<Answer> answer = new CompletableFuture<>();
        attempt(1, attempt, answer);
        return answer;
    }

    private void attempt(int number, Service attempt, CompletableFuture<Answer> answer) {
        CompletableFuture<String> running = attempt.ask(world.now() + timeout);
        world.in(timeout, () -> running.cancel(false));
        var unused = running.whenComplete((value, error) -> {
            if (error == null) {
                answer.complete(Answer.LIVE);
            } else if (retries.again(number)) {
                world.in(wait.applyAsDouble(number), () -> attempt(number + 1, attempt, answer));
            } else {
                answer.complete(Answer.NONE);
            }
        });
    }
}
