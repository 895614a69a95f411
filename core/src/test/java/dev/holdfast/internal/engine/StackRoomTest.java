/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** An asynchronous call goes on where its stage completes; where a stack is nearly over, it goes on elsewhere. */
class StackRoomTest {
    private final Pipeline pipeline = Pipeline.of("p");
    private final CompletableFuture<String> stage = new CompletableFuture<>();

    /** Once where there is room, so that all classes are there. */
    private void warmUp() throws InterruptedException {
        CompletableFuture<String> completed = new CompletableFuture<>();
        CompletableFuture<String> cancelled = pipeline.callAsync(CompletableFuture<String>::new);
        CompletableFuture<String> answer = pipeline.callAsync(() -> completed);
        completed.complete("done");
        cancelled.cancel(true);
        CountDownLatch ran = new CountDownLatch(1);
        StackRoom.onNewThread(ran::countDown);
        ran.await();
        assertThat(answer.join()).isEqualTo("done");
    }

    /** Where the room that a walk needs has just been used up. */
    private void whereTheStackIsNearlyOver(Runnable task) throws InterruptedException {
        warmUp();
        List<Boolean> room = new ArrayList<>();
        Thread thread = new Thread(null, () -> deeper(task, room), "small", 256 * 1024);
        thread.start();
        thread.join();
        assertThat(room).containsExactly(false);
    }

    private static void deeper(Runnable task, List<Boolean> room) {
        if (StackRoom.isThere()) {
            deeper(task, room);
        } else {
            room.add(StackRoom.isThere());
            task.run();
        }
    }

    @Test
    void aCallWhoseStageCompletesThereEnds() throws InterruptedException {
        CompletableFuture<String> answer = pipeline.callAsync(() -> stage);

        whereTheStackIsNearlyOver(() -> stage.complete("done"));

        assertThat(answer.join()).isEqualTo("done");
    }

    @Test
    void whatHangsOnACallThatEndsThereHasRoom() throws InterruptedException {
        CompletableFuture<Boolean> room = pipeline.callAsync(() -> stage).thenApply(value -> StackRoom.isThere());

        whereTheStackIsNearlyOver(() -> stage.complete("done"));

        assertThat(room.join()).isTrue();
    }

    @Test
    void aCallThatIsCancelledThereGivesUpItsAttempt() throws InterruptedException {
        CompletableFuture<String> answer = pipeline.callAsync(() -> stage);

        whereTheStackIsNearlyOver(() -> answer.cancel(true));

        assertThat(answer).isCancelled();
        assertThat(stage.handle((value, error) -> stage.isCancelled()).join()).isTrue();
    }
}
