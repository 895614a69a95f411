/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** What the dependency does with a call, and how often it has been asked. */
final class Work {
    private final Duration takes;
    private final @Nullable Object value;
    private final @Nullable Throwable error;
    private final AtomicInteger asked = new AtomicInteger();

    private Work(Duration takes, @Nullable Object value, @Nullable Throwable error) {
        this.takes = takes;
        this.value = value;
        this.error = error;
    }

    static Work value(@Nullable Object value) {
        return new Work(Duration.ZERO, value, null);
    }

    static Work error(Throwable error) {
        return new Work(Duration.ZERO, null, error);
    }

    Work taking(Duration time) {
        return new Work(time, value, error);
    }

    int asked() {
        return asked.get();
    }

    @SuppressWarnings("NullAway") // a dependency that answers null although nobody expects it
    Object blocking(VirtualTime time) throws Exception {
        asked.incrementAndGet();
        if (!takes.isZero()) {
            time.sleep(takes);
        }
        if (error instanceof Exception exception) {
            throw exception;
        }
        if (error instanceof Error fatal) {
            throw fatal;
        }
        return value;
    }

    CompletableFuture<Object> async(VirtualTime time) {
        asked.incrementAndGet();
        CompletableFuture<Object> work = new CompletableFuture<>();
        if (takes.isZero()) {
            end(work);
        } else {
            time.schedule(takes.toNanos(), () -> end(work));
        }
        return work;
    }

    @SuppressWarnings("NullAway") // as above
    private void end(CompletableFuture<Object> work) {
        if (error == null) {
            work.complete(value);
        } else {
            work.completeExceptionally(error);
        }
    }
}
