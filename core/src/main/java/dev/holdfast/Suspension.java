/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.spi.Completion;
import dev.holdfast.spi.TimeSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** One wait of an asynchronous call: for a pause to elapse, a completion to come, or a stage of the user's to complete. */
final class Suspension implements BiConsumer<@Nullable Object, @Nullable Throwable>, Completion.Waiter, Runnable {
    final AsyncDriver driver;
    final CallState call;
    final int what;
    final long number;
    int timerReason = CallState.BY_TIMER;

    @Nullable
    Completion completion;

    volatile TimeSource.@Nullable Timer timer;

    @Nullable
    CompletionStage<?> stage;

    /** Whether the action was run, also if it threw at once and there is no stage. */
    boolean ran;

    // Written before the claim, and so visible to whoever the claim resumes.
    @Nullable
    Object value;

    @Nullable
    Throwable error;

    private boolean over;
    private long decidedAt;
    private boolean decided;
    private int reach = Integer.MAX_VALUE;
    private @Nullable List<LateEnd> lateEnds;

    Suspension(AsyncDriver driver, CallState call, int what, long number) {
        this.driver = driver;
        this.call = call;
        this.what = what;
        this.number = number;
    }

    /** The stage has completed. */
    @Override
    public void accept(@Nullable Object newValue, @Nullable Throwable newError) {
        value = newValue;
        error = newError;
        if (!driver.claim(this, CallState.BY_COMPLETION, false)) {
            tooLate(newValue);
        }
    }

    /** The completion has come, inside a policy's method of another call: what follows goes through the executor. */
    @Override
    public void completed() {
        driver.claim(this, CallState.BY_COMPLETION, true);
    }

    /** The timer has fired, on its own thread: what follows goes through the executor. */
    @Override
    public void run() {
        driver.claim(this, timerReason, true);
    }

    // ---- work that goes on after its outcome was decided

    private void tooLate(@Nullable Object lost) {
        List<LateEnd> waiting;
        long since;
        boolean overran;
        synchronized (this) {
            over = true;
            waiting = lateEnds == null ? List.of() : lateEnds;
            lateEnds = null;
            overran = decided;
            since = decidedAt;
        }
        driver.lateResult(this, lost, overran ? since : Long.MIN_VALUE, overran);
        for (LateEnd end : waiting) {
            end.workEnded();
        }
    }

    /** The outcome was decided without the stage, which goes on; false if it has completed meanwhile. */
    synchronized boolean goesOn(long now) {
        decidedAt = now;
        decided = !over;
        return !over;
    }

    synchronized boolean isOver() {
        return over;
    }

    synchronized boolean attach(LateEnd end) {
        if (over) {
            return false;
        }
        if (lateEnds == null) {
            lateEnds = new ArrayList<>(2);
        }
        lateEnds.add(end);
        return true;
    }

    boolean reaches(int layer) {
        return reach >= layer;
    }

    void reachOnly(int layer) {
        reach = Math.min(reach, layer);
    }
}
