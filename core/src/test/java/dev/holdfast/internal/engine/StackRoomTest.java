/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
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
        AtomicBoolean ran = new AtomicBoolean();
        Thread thread = new Thread(
                null,
                () -> deeper(() -> {
                    ran.set(true);
                    task.run();
                }),
                "small",
                256 * 1024);
        thread.start();
        thread.join();
        assertThat(ran).isTrue();
    }

    /** Asked more than once: code that has just been compiled needs less room than a moment before. */
    private static void deeper(Runnable task) {
        for (int asked = 0; asked < 3; asked++) {
            if (StackRoom.isThere()) {
                deeper(task);
                return;
            }
        }
        task.run();
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

    /** The JDK wraps the error for the stages that depend on the future, and needs its text. Newer ones catch what that throws. */
    private static final class Deep extends Exception {
        private static final long serialVersionUID = 1L;

        @Override
        public String getMessage() {
            throw new StackOverflowError("made up");
        }
    }

    @Test
    void aCallIsGivenUpAlsoIfItsFutureOverflowsTheStackWhenItIsComplete() throws InterruptedException {
        CompletableFuture<String> answer = pipeline.callAsync(() -> stage);
        var unused = answer.thenRun(() -> {});
        List<Throwable> thrown = new ArrayList<>();

        whereTheStackIsNearlyOver(() -> {
            try {
                answer.completeExceptionally(new Deep());
            } catch (StackOverflowError overflow) {
                thrown.add(overflow);
            }
        });

        assertThat(thrown).hasSizeLessThan(2);
        assertThat(answer).isCompletedExceptionally();
        assertThat(stage.handle((value, error) -> stage.isCancelled())
                        .orTimeout(1, TimeUnit.MINUTES)
                        .join())
                .isTrue();
    }

    /** Where it overflows, layers further out would be left out. */
    @Test
    void aCallThatOverflowsTheStackOnItsWayEndsElsewhere() {
        List<Thread> ended = new CopyOnWriteArrayList<>();
        Policy holding = new Policy("holding", Policy.ENTER | Policy.ENDED) {
            @Override
            public int enter(Passage passage) {
                ((CallState) passage).context = () -> {
                    throw new StackOverflowError("made up");
                };
                return PROCEED;
            }

            @Override
            public void ended(Passage passage) {
                ended.add(Thread.currentThread());
            }
        };
        CompletableFuture<String> answer = Pipeline.of("p", holding).callAsync(() -> stage);

        stage.complete("done");

        assertThat(answer.handle((value, error) -> error).join()).isInstanceOf(StackOverflowError.class);
        assertThat(ended).hasSize(1).doesNotContain(Thread.currentThread());
    }
}
