/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.CheckedSupplier;
import dev.holdfast.spi.CallContext;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.TimeSource;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A blocking attempt on a thread of its own, for which the caller waits. If the caller is interrupted, by the watchdog or from
 * outside, it leaves the attempt: the work is interrupted, and the caller does not wait even if the work goes on.
 */
final class OtherThread extends Work implements Runnable, CheckedSupplier<@Nullable Object, Exception> {
    private final CallState call;
    private final Engine engine;
    private final OperationSpec operation;
    private final CheckedSupplier<?, ?> action;
    private final @Nullable Asker asker;
    private final Bound bound;
    private final @Nullable Inside inside;
    private final CallContext.@Nullable Snapshot context;
    private final Completion come = new Completion();
    /** Made beforehand: there may be no memory for it on the other thread, and the caller waits. */
    private final Runnable work = this::work;

    // Guarded by this.
    private @Nullable Thread runner;
    private boolean begun;
    private boolean left;

    /** Only on the thread of the caller. */
    private boolean waitedFor;

    // Published by the completion.
    private @Nullable Object value;
    private @Nullable Throwable error;

    OtherThread(CallState call, CheckedSupplier<?, ?> action) {
        this.call = call;
        this.action = action;
        engine = call.engine;
        operation = call.spec.operation();
        asker = call.spec.asker();
        bound = Bound.ofAttempt(call);
        inside = call.inside;
        context = call.context();
    }

    /** The work, on its own thread. */
    @Override
    public void run() {
        Carrier.within(context, work);
    }

    private void work() {
        if (begins()) {
            try {
                Asker.check(asker);
                value = bound.call(action);
            } catch (Throwable thrown) {
                error = thrown;
            }
        }
        boolean nobodys;
        List<LateEnd> waiting;
        synchronized (this) {
            runner = null;
            nobodys = left;
            waiting = end();
        }
        // Clears our interrupt, or one that the action left: it is not for the next attempt on this thread.
        Thread.interrupted();
        if (nobodys) {
            engine.lateResult(operation, inside, value, decidedAt());
            tell(waiting);
        } else {
            come.complete();
        }
    }

    private synchronized boolean begins() {
        begun = !left;
        runner = begun ? Thread.currentThread() : null;
        return begun;
    }

    /** What the work came to, on the thread of the caller, which waits for it. */
    @Override
    public @Nullable Object get() throws Exception {
        waitedFor = true;
        TimeSource time = engine.time;
        Thread caller = Thread.currentThread();
        Completion.Waiter waiter = () -> time.unpark(caller);
        if (come.register(waiter)) {
            try {
                while (!come.isDone()) {
                    // The flag stays set: the driver finds out whose interrupt it was.
                    if (caller.isInterrupted()) {
                        if (leave()) {
                            throw engine.rejections.interrupted();
                        }
                        break; // the work has just ended
                    }
                    time.park(this, Long.MAX_VALUE);
                }
            } catch (Throwable cannotWait) {
                leave();
                throw cannotWait;
            } finally {
                come.remove(waiter);
            }
        }
        if (error != null) {
            throw BlockingDriver.<RuntimeException>asItIs(error);
        }
        return value;
    }

    /** If the attempt could not be watched, nobody gets its value, now or later. */
    void unlessWaitedFor() {
        if (!waitedFor && !leave()) {
            engine.discard(operation, inside, value);
        }
    }

    /** Whether it was left before its thread had come to it. */
    synchronized boolean neverBegan() {
        return left && !begun;
    }

    /** Nobody waits any longer; false if the work has ended. */
    private boolean leave() {
        if (!leaves()) {
            return false;
        }
        RunningAttempt attempt = call.attempt;
        if (attempt != null) {
            // A thread that struck has done so already; one that interrupted the caller has not.
            attempt.cancel();
            engine.runHooks(attempt, null);
        }
        return true;
    }

    private synchronized boolean leaves() {
        if (isOver()) {
            return false;
        }
        left = true;
        if (begun) {
            goesOn(engine.time.nanos());
            call.goesOn(this);
            Thread running = runner;
            if (running != null) {
                engine.time.interrupt(running);
            }
        } else {
            end();
        }
        return true;
    }
}
