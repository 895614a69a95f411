/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.CheckedSupplier;
import dev.holdfast.internal.Once;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.TimeSource;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** One wait of an asynchronous call: for a pause to elapse, a completion to come, or a stage of the user's to complete. */
final class Suspension extends Work
        implements BiConsumer<@Nullable Object, @Nullable Throwable>, Completion.Waiter, Runnable {
    final AsyncDriver driver;
    final CallState call;
    final Step what;
    /** Given before another thread can know of this. */
    long number;

    /** Null for an attempt, which usually goes on where it has ended: if another thread is to go on, this is made then. */
    final AsyncDriver.@Nullable HandOver handOver;

    int timerReason = CallWord.BY_TIMER;

    long timerAt;

    /** Before the timer is set, and then on its thread. */
    private boolean mayGoOnWaiting;

    @Nullable
    Completion completion;

    volatile TimeSource.@Nullable Timer timer;

    volatile @Nullable CompletionStage<?> stage;

    /** Whether the action was run. True also if it threw at once, so that there is no stage. */
    boolean ran;

    // Written before the claim, so the thread that the claim resumes sees them.
    @Nullable
    Object value;

    @Nullable
    Throwable error;

    // Guarded by this object.
    private boolean came;
    private boolean accepted;

    Suspension(AsyncDriver driver, CallState call, Step what) {
        this.driver = driver;
        this.call = call;
        this.what = what;
        handOver = what == Step.ACT ? null : driver.new HandOver(call);
    }

    /** The timer is that of a limit. */
    void limited() {
        timerReason = CallWord.BY_LIMIT;
    }

    /** If the timer finds that the limit of the call is over, and that the process stood still, the wait may go on. */
    void awaitsAnswer() {
        mayGoOnWaiting = call.awaitsAnswer();
    }

    @Override
    public void accept(@Nullable Object newValue, @Nullable Throwable newError) {
        if (!isFirst()) {
            return;
        }
        value = newValue;
        error = newError;
        try {
            if (StackRoom.isThere()) {
                come(newValue);
            } else {
                // The other thread claims it: until then a limit may strike.
                came(true);
                StackRoom.onNewThread(this);
            }
        } catch (Throwable noMemory) {
            // The call goes on when it is given up, and then waits for no other end of this work.
            tell(end());
            throw noMemory;
        }
    }

    /** A user's stage may call back twice. Only the first result counts; the second must not discard it. */
    private synchronized boolean isFirst() {
        boolean first = !accepted;
        accepted = true;
        return first;
    }

    private void come(@Nullable Object newValue) {
        if (!driver.claim(this, CallWord.BY_COMPLETION, false)) {
            tooLate(newValue);
        }
    }

    /** Marks a result that came where the stack was nearly full; returns the mark before. */
    private synchronized boolean came(boolean now) {
        boolean before = came;
        came = now;
        return before;
    }

    /** Ends the attempt with what this returns or throws. */
    void end(CheckedSupplier<?, ?> instead) {
        Object played = null;
        Throwable thrown = null;
        try {
            played = instead.get();
        } catch (Throwable t) {
            thrown = t;
        }
        accept(played, thrown);
    }

    /** The attempt cannot continue, and the call ends: the rest would run on a thread that is not for it. */
    void refuse() {
        List<LateEnd> waiting = end();
        driver.claim(this, CallWord.BY_REFUSAL, false);
        tell(waiting);
    }

    /** The completion has come, inside another call's policy. So the rest goes through the executor. */
    @Override
    public void completed() {
        driver.claim(this, CallWord.BY_COMPLETION, true);
    }

    /**
     * The timer has fired, or a result came where the stack was nearly full. This thread must do no more, so the rest goes
     * through the executor.
     */
    @Override
    public void run() {
        if (!came(false)) {
            boolean waits = mayGoOnWaiting;
            mayGoOnWaiting = false;
            if (!waits || !driver.goesOnWaiting(this)) {
                driver.claim(this, timerReason, true);
            }
        } else if (!driver.claim(this, CallWord.BY_COMPLETION, true)) {
            driver.onSpareThread(Once.of(() -> tooLate(value)));
        }
    }

    private void tooLate(@Nullable Object lost) {
        List<LateEnd> waiting = end();
        Surroundings callers = null;
        try {
            callers = Surroundings.enter(call, Ambient.get());
            call.engine.lateResult(call.spec.operation(), call.inside, lost, decidedAt());
        } finally {
            try {
                tell(waiting);
            } finally {
                Surroundings.leave(callers);
            }
        }
    }
}
