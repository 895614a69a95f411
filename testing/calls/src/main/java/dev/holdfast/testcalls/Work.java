/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testcalls;

import dev.holdfast.Call;
import dev.holdfast.Reply;
import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What a dependency does with a call, and how often it has been asked. */
public final class Work {
    private final Duration takes;
    private final Supplier<? extends @Nullable Object> value;
    private final @Nullable Throwable error;
    private final AtomicInteger asked = new AtomicInteger();

    private Work(Duration takes, Supplier<? extends @Nullable Object> value, @Nullable Throwable error) {
        this.takes = takes;
        this.value = value;
        this.error = error;
    }

    /** Answers this. */
    public static Work value(@Nullable Object value) {
        return reading(() -> value);
    }

    /** Answers what this gives at the moment at which the dependency is asked. */
    public static Work reading(Supplier<? extends @Nullable Object> value) {
        return new Work(Duration.ZERO, value, null);
    }

    /** Throws this. */
    public static Work error(Throwable error) {
        return new Work(Duration.ZERO, () -> null, error);
    }

    /** The same after a time. */
    public Work taking(Duration time) {
        return new Work(time, value, error);
    }

    /** How often it has been asked. */
    public int asked() {
        return asked.get();
    }

    /** What it throws. */
    public Throwable error() {
        return Objects.requireNonNull(error);
    }

    /** Begins a call of which this is the action, in one of the two ways. */
    public Running<Reply<Object>> start(Way way, VirtualTime time, Call<Object> call) {
        return way == Way.CALL
                ? Running.blocking(time, () -> call.reply(attempt -> blocking(time)))
                : Running.async(call.replyAsync(attempt -> async(time)));
    }

    /** On this thread. */
    @SuppressWarnings("NullAway") // a dependency that answers null although nobody expects it
    public Object blocking(VirtualTime time) throws Exception {
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

    /** With a future. */
    public CompletableFuture<Object> async(VirtualTime time) {
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
