/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** What the dependency does with one call. */
record Work(Duration takes, Object value, @Nullable Throwable error) {

    static Work value(Object value) {
        return new Work(Duration.ZERO, value, null);
    }

    static Work error(Throwable error) {
        return new Work(Duration.ZERO, "none", error);
    }

    Work taking(Duration time) {
        return new Work(time, value, error);
    }

    Object blocking(VirtualTime time) throws Exception {
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
        CompletableFuture<Object> work = new CompletableFuture<>();
        if (takes.isZero()) {
            end(work);
        } else {
            time.schedule(takes.toNanos(), () -> end(work));
        }
        return work;
    }

    private void end(CompletableFuture<Object> work) {
        if (error == null) {
            work.complete(value);
        } else {
            work.completeExceptionally(error);
        }
    }
}
