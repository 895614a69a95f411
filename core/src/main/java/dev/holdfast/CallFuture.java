/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The future that a caller gets: whatever completes it from outside gives the call up. */
final class CallFuture<R extends @Nullable Object> extends CompletableFuture<R> {
    private final AsyncDriver driver;
    private final CallState call;
    private final boolean asReply;

    CallFuture(AsyncDriver driver, CallState call, boolean asReply) {
        this.driver = driver;
        this.call = call;
        this.asReply = asReply;
    }

    @SuppressWarnings({"unchecked", "NullAway"}) // the value is of the operation's type
    void deliver(CallState ended) {
        Throwable error = ended.error;
        if (error != null) {
            super.completeExceptionally(error);
            return;
        }
        Object value = ended.value;
        Object delivered = asReply ? new Reply<>(value, ended) : value;
        if (!super.complete((R) delivered)) {
            ended.discard(value);
        }
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        return givingUp(() -> super.cancel(mayInterruptIfRunning));
    }

    @Override
    public boolean complete(R value) {
        return givingUp(() -> super.complete(value));
    }

    @Override
    public boolean completeExceptionally(Throwable error) {
        return givingUp(() -> super.completeExceptionally(error));
    }

    @Override
    @SuppressWarnings("NullAway") // what the supplier gives is of the future's type
    public CompletableFuture<R> completeAsync(Supplier<? extends R> supplier, Executor executor) {
        // The JDK's own would complete past complete().
        executor.execute(() -> {
            try {
                complete(supplier.get());
            } catch (Throwable thrown) {
                completeExceptionally(thrown);
            }
        });
        return this;
    }

    /** What hangs on this future is the caller's, whoever completes it. */
    private boolean givingUp(BooleanSupplier completing) {
        Surroundings callers = Surroundings.enter(call, Ambient.get());
        boolean completed;
        try {
            completed = completing.getAsBoolean();
        } finally {
            Surroundings.leave(callers);
        }
        if (completed) {
            driver.cancel(call);
        }
        return completed;
    }

    @Override
    public <U> CompletableFuture<U> newIncompleteFuture() {
        return new CompletableFuture<>();
    }
}
