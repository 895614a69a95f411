/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import java.util.concurrent.Executor;
import java.util.function.Supplier;

/** A task that runs once, whatever a user's executor does: some run a task and throw all the same. */
abstract class Once implements Runnable {
    private boolean begun;

    static Once of(Runnable task) {
        return new Once() {
            @Override
            void runOnce() {
                task.run();
            }
        };
    }

    abstract void runOnce();

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
    final boolean isTakenBy(Supplier<Executor> executor) {
        try {
            executor.get().execute(this);
            return true;
        } catch (Throwable refusal) {
            return !begins();
        }
    }
}
