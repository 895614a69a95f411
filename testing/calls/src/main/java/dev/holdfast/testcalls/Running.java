/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testcalls;

import dev.holdfast.time.VirtualTime;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A call under way.
 *
 * @param result what it ends with
 * @param giveUp how its caller gives it up: interrupts the thread, or cancels the future
 */
public record Running<T>(CompletableFuture<T> result, Runnable giveUp) {

    /** A call that blocks a thread of this time. */
    public static <T> Running<T> blocking(VirtualTime time, Callable<T> call) {
        AtomicReference<Thread> caller = new AtomicReference<>();
        CompletableFuture<T> result = time.spawn(() -> {
            caller.set(Thread.currentThread());
            return call.call();
        });
        return new Running<>(result, () -> {
            Thread thread = caller.get();
            if (thread != null) {
                time.interrupt(thread);
            }
        });
    }

    /** A call that has returned this future. */
    public static <T> Running<T> async(CompletableFuture<T> result) {
        return new Running<>(result, () -> result.cancel(true));
    }

    /** What the call was rejected or ended with. */
    public Throwable error() {
        return errorOf(result);
    }

    /** What this has failed with. Does not wait, so that a call which goes on fails its test. */
    public static Throwable errorOf(CompletableFuture<?> result) {
        if (!result.isCompletedExceptionally()) {
            throw new AssertionError(result.isDone() ? "ended well, with " + result.join() : "has not ended");
        }
        Throwable error = result.handle((value, thrown) -> thrown).join();
        return error instanceof CompletionException && error.getCause() != null ? error.getCause() : error;
    }
}
