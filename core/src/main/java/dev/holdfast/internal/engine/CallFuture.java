/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.internal.Discards;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The future that a caller gets: whatever completes it from outside gives the call up. First the call ends, and then the stages
 * that depend on the future run, as when the call ends by itself.
 */
final class CallFuture<R extends @Nullable Object> extends CompletableFuture<R> implements Discards {
    private static final long PAUSE_NANOS = 1_000_000;

    private static final VarHandle CALL = Handles.of(MethodHandles.lookup(), "call", CallState.class);

    private final boolean asReply;

    /**
     * Null once somebody outside completes this: then nobody else does. Null also once the call is over, so that a future that is
     * kept for long keeps nothing of the call.
     *
     * <p>Not volatile. A thread that sees an old value tries to complete the future, and the JDK lets one do so. An end that comes
     * of giving the call up cannot see an old value: the call's word is written in between.
     */
    private @Nullable CallState call;

    /** Written before this is complete; null: the value is not discarded. */
    private @Nullable Unclaimed unclaimed;

    /** How it discards is made before: at the end of the call there may be no memory for it. */
    CallFuture(CallState call, boolean asReply, @Nullable Unclaimed unclaimed) {
        this.call = call;
        this.asReply = asReply;
        this.unclaimed = unclaimed;
    }

    @SuppressWarnings({"unchecked", "NullAway"}) // the value is of the operation's type
    void deliver(CallState ended) {
        if (call == null) {
            ended.loseValueFor(null);
            return;
        }
        Throwable error = ended.error;
        if (error != null) {
            unclaimed = null;
            fail(error);
        } else {
            Object value = ended.value;
            Object delivered = asReply ? ended.reply(value) : value;
            if (ended.common) {
                unclaimed = null;
            }
            if (!super.complete((R) delivered)) {
                ended.loseValueFor(null);
            }
        }
        call = null;
    }

    /** The JDK needs memory for it. Without an end its caller would wait for ever, so this thread waits for the memory. */
    private void fail(Throwable error) {
        for (; ; ) {
            try {
                super.completeExceptionally(error);
                return;
            } catch (OutOfMemoryError none) {
                if (isDone()) { // it is of a stage that depends on it
                    throw none;
                }
                LockSupport.parkNanos(this, PAUSE_NANOS);
            }
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
        var unused = complete(value);
        super.obtrudeValue(value);
    }

    @Override
    public void obtrudeException(Throwable error) {
        var unused = completeExceptionally(error);
        super.obtrudeException(error);
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

    /** Ends the call before it completes the future. False if somebody else completes it, perhaps only a moment later. */
    private boolean givingUp(BooleanSupplier completing) {
        if (isDone()) {
            return completing.getAsBoolean();
        }
        CallState underWay = call;
        if (underWay == null) {
            return false;
        }
        if (!StackRoom.isThere()) {
            return withoutRoom(underWay, completing);
        }
        if (!CALL.compareAndSet(this, underWay, null)) {
            return false;
        }
        boolean completed;
        try {
            underWay.engine.async.cancel(underWay);
        } finally {
            completed = completesAlone(underWay, completing);
        }
        return completed;
    }

    private boolean completesAlone(CallState underWay, BooleanSupplier completing) {
        try {
            return completes(underWay, completing);
        } finally {
            if (!isDone()) {
                call = underWay; // for want of memory: the next one completes it
            }
        }
    }

    /**
     * The call ends on another thread. What the JDK itself can do with so little is done before: it may throw, and then the call
     * goes on, or is given up if the future is complete.
     */
    private boolean withoutRoom(CallState underWay, BooleanSupplier completing) {
        try {
            return completing.getAsBoolean();
        } finally {
            if (isDone()) { // the stages that depend on it come after that, and may throw
                underWay.engine.async.cancel(underWay);
            }
        }
    }

    /** Runs the stages that depend on this future as their caller would, whoever completes it. */
    private static boolean completes(CallState underWay, BooleanSupplier completing) {
        Surroundings callers;
        try {
            callers = Surroundings.enter(underWay, Ambient.get());
        } catch (Throwable broken) {
            var unused = completing.getAsBoolean(); // nobody else would
            throw broken;
        }
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
