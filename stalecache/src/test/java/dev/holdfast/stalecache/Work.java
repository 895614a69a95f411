/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What the dependency does with a call, and how often it has been asked. */
final class Work {
    private final Duration takes;
    private final Supplier<? extends @Nullable Object> value;
    private final @Nullable Throwable error;
    private final AtomicInteger asked = new AtomicInteger();

    private Work(Duration takes, Supplier<? extends @Nullable Object> value, @Nullable Throwable error) {
        this.takes = takes;
        this.value = value;
        this.error = error;
    }

    static Work value(@Nullable Object value) {
        return reading(() -> value);
    }

    /** What this gives at the moment at which the dependency is asked. */
    static Work reading(Supplier<? extends @Nullable Object> value) {
        return new Work(Duration.ZERO, value, null);
    }

    static Work error(Throwable error) {
        return new Work(Duration.ZERO, () -> null, error);
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
        Object read = value.get();
        if (!takes.isZero()) {
            time.sleep(takes);
        }
        if (error instanceof Exception exception) {
            throw exception;
        }
        if (error instanceof Error fatal) {
            throw fatal;
        }
        return read;
    }

    CompletableFuture<Object> async(VirtualTime time) {
        asked.incrementAndGet();
        Object read = value.get();
        CompletableFuture<Object> work = new CompletableFuture<>();
        if (takes.isZero()) {
            end(work, read);
        } else {
            time.schedule(takes.toNanos(), () -> end(work, read));
        }
        return work;
    }

    @SuppressWarnings("NullAway") // as above
    private void end(CompletableFuture<Object> work, @Nullable Object read) {
        if (error == null) {
            work.complete(read);
        } else {
            work.completeExceptionally(error);
        }
    }
}
