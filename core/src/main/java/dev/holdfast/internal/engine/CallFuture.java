/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.internal.Discards;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The future that a caller gets: whatever completes it from outside gives the call up. */
final class CallFuture<R extends @Nullable Object> extends CompletableFuture<R> implements Discards {
    private final boolean asReply;

    /** Null once the call is over, so that a future that is kept for long keeps nothing of the call. */
    private @Nullable CallState call;

    /** Written before this is complete; null: the value is not discarded. */
    private @Nullable Unclaimed unclaimed;

    CallFuture(CallState call, boolean asReply) {
        this.call = call;
        this.asReply = asReply;
    }

    /** Before the call begins: at its end there may be no memory for it. */
    void discardsAs(@Nullable Unclaimed ofCall) {
        unclaimed = ofCall;
    }

    @SuppressWarnings({"unchecked", "NullAway"}) // the value is of the operation's type
    void deliver(CallState ended) {
        call = null;
        Throwable error = ended.error;
        if (error != null) {
            super.completeExceptionally(error);
            return;
        }
        Object value = ended.value;
        Object delivered = asReply ? ended.reply(value) : value;
        if (ended.common) {
            unclaimed = null;
        }
        if (!super.complete((R) delivered)) {
            ended.loseValueFor(null);
        }
    }

    @Override
    public void discard(Object lost) {
        if (unclaimed != null) {
            unclaimed.discard(lost);
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
    public void obtrudeValue(R value) {
        var unused = givingUp(() -> {
            super.obtrudeValue(value);
            return true;
        });
    }

    @Override
    public void obtrudeException(Throwable error) {
        var unused = givingUp(() -> {
            super.obtrudeException(error);
            return true;
        });
    }

    @Override
    @SuppressWarnings("NullAway") // what the supplier gives is of the future's type
    public CompletableFuture<R> completeAsync(Supplier<? extends R> supplier, Executor executor) {
        // The JDK's own method would not call complete().
        executor.execute(() -> {
            if (isDone()) {
                return;
            }
            try {
                complete(supplier.get());
            } catch (Throwable thrown) {
                completeExceptionally(thrown);
            }
        });
        return this;
    }

    /** Runs the stages that depend on this future as their caller would, whoever completes it. */
    private boolean givingUp(BooleanSupplier completing) {
        CallState underWay = call;
        if (underWay == null) {
            return completing.getAsBoolean();
        }
        if (completes(underWay, completing)) {
            underWay.engine.async.cancel(underWay);
            return true;
        }
        return false;
    }

    private static boolean completes(CallState underWay, BooleanSupplier completing) {
        if (!StackRoom.isThere()) { // what the JDK itself can do with so little is done all the same
            return completing.getAsBoolean();
        }
        Surroundings callers = Surroundings.enter(underWay, Ambient.get());
        try {
            return completing.getAsBoolean();
        } finally {
            Surroundings.leave(callers);
        }
    }

    @Override
    public <U> CompletableFuture<U> newIncompleteFuture() {
        return new CompletableFuture<>();
    }
}
