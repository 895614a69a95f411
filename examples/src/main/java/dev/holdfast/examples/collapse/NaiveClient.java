/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import java.util.concurrent.CompletableFuture;
import java.util.function.IntToDoubleFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What is written where there is no library: a timeout and a loop. */
final class NaiveClient implements Client {
    private final World world;
    private final double timeout;
    private final int tries;
    private final IntToDoubleFunction wait;

    /**
     * Waits for nothing between two tries.
     *
     * @param timeout of a try, in seconds
     */
    NaiveClient(World world, double timeout, int tries) {
        this(world, timeout, tries, failed -> 0);
    }

    /** Waits before each further try, for so many seconds after so many failed ones. */
    NaiveClient(World world, double timeout, int tries, IntToDoubleFunction wait) {
        this.world = world;
        this.timeout = timeout;
        this.tries = tries;
        this.wait = wait;
    }

    @Override
    public CompletableFuture<Answer> call(@Nullable Integer key, Supplier<CompletableFuture<String>> attempt) {
        CompletableFuture<Answer> answer = new CompletableFuture<>();
        attempt(1, attempt, answer);
        return answer;
    }

    private void attempt(int number, Supplier<CompletableFuture<String>> attempt, CompletableFuture<Answer> answer) {
        CompletableFuture<String> running = attempt.get();
        world.in(timeout, () -> running.cancel(false));
        var unused = running.whenComplete((value, error) -> ended(error, number, attempt, answer));
    }

    private void ended(
            @Nullable Throwable error,
            int number,
            Supplier<CompletableFuture<String>> attempt,
            CompletableFuture<Answer> answer) {
        if (error == null) {
            answer.complete(Answer.LIVE);
        } else if (number == tries) {
            answer.complete(Answer.NONE);
        } else {
            world.in(wait.applyAsDouble(number), () -> attempt(number + 1, attempt, answer));
        }
    }
}
