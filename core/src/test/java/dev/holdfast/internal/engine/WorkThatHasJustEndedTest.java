/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.contract.Around;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.testing.ThreadKind;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** An interrupt from outside in the moment in which work on a thread of its own has ended, and its caller does not know yet. */
@ThreadKind.Each
class WorkThatHasJustEndedTest {
    private final CountDownLatch release = new CountDownLatch(1);

    private static final class Dedicated extends Policy {
        Dedicated() {
            super("dedicated", ENTER);
        }

        @Override
        public int dedicatedThreads() {
            return 1;
        }
    }

    /** When the caller is about to wait, the work ends and somebody interrupts the caller. */
    private static final class Ending extends Around {
        Ending() {
            super(TimeSource.system());
        }

        @Override
        public void park(Object blocker, long nanos) {
            if (blocker instanceof OtherThread work && !work.isOver()) {
                work.end();
                Thread.currentThread().interrupt();
                return;
            }
            super.park(blocker, nanos);
        }
    }

    @Test
    void interruptIsNotSwallowed() throws Exception {
        CompletableFuture<Boolean> flag = new CompletableFuture<>();
        try (Pipeline pipeline = Pipeline.builder("p")
                .policies(new Dedicated())
                .time(new Ending())
                .build()) {
            ThreadKind.current()
                    .newThread(() -> {
                        try {
                            pipeline.call(() -> {
                                release.await();
                                return "answer";
                            });
                        } catch (Throwable thrown) {
                            flag.completeExceptionally(thrown);
                        }
                        flag.complete(Thread.currentThread().isInterrupted());
                    })
                    .start();
            assertThat(flag.get(5, TimeUnit.MINUTES)).isTrue();
        } finally {
            release.countDown();
        }
    }
}
