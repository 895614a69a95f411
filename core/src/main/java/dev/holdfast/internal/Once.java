/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import java.util.concurrent.Executor;
import java.util.function.Supplier;

/** A task that runs once, whatever a user's executor does: some run a task and throw all the same. */
public abstract class Once implements Runnable {
    private boolean begun;

    /** Of this task. */
    public static Once of(Runnable task) {
        return new Once() {
            @Override
            public void runOnce() {
                task.run();
            }
        };
    }

    /** Runs the task, also if it has run: for one that no executor {@linkplain #isTakenBy takes}. */
    public abstract void runOnce();

    @Override
    public final void run() {
        if (begins()) {
            runOnce();
        }
    }

    private synchronized boolean begins() {
        boolean first = !begun;
        begun = true;
        return first;
    }

    /** Hands the task to the executor. Returns false if that refuses and has not begun the task; then it never will. */
    public final boolean isTakenBy(Supplier<Executor> executor) {
        try {
            executor.get().execute(this);
            return true;
        } catch (Throwable refusal) {
            return !begins();
        }
    }
}
