/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Classifier;
import dev.holdfast.spi.CallContext;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import java.util.AbstractList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** There is no memory for what an asynchronous call needs while it waits. */
class NoMemoryToWaitTest {
    private final CallSpec spec = new CallSpec(
            new OperationSpec("x", new Meaning(Classifier.DEFAULT), null, 1, Bound.UNSAID),
            null,
            Long.MAX_VALUE,
            true,
            false,
            null,
            null);

    /** Has a place in a queue for each call that waits. */
    private static final class Queue extends Policy {
        private int waiting;

        Queue() {
            super("queue", ENTER);
        }

        @Override
        public int enter(Passage passage) {
            waiting++;
            return passage.await(new Completion(), Long.MAX_VALUE);
        }

        @Override
        public void abandon(Passage passage) {
            waiting--;
        }
    }

    /** Each caller's contexts are asked for before its call waits. */
    private static final class Full extends AbstractList<CallContext> {
        @Override
        public CallContext get(int index) {
            throw new AssertionError("asked through its iterator");
        }

        @Override
        public Iterator<CallContext> iterator() {
            throw new OutOfMemoryError("full");
        }

        @Override
        public int size() {
            return 1;
        }
    }

    @Test
    void placeInAQueueIsGivenBack() {
        Queue queue = new Queue();
        Engine engine = new Engine(new Engine.Settings(
                "p", List.of(queue), TimeSource.system(), List.of(), new Full(), null, null, 0, null));
        Supplier<CompletableFuture<String>> action = () -> CompletableFuture.completedFuture("never");
        CompletableFuture<String> answer = engine.async.call(spec, action, Engine.SUPPLIER, null, false);
        assertThatThrownBy(answer::join).isNotNull();
        assertThat(queue.waiting).isZero();
    }
}
