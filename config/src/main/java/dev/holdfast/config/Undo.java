/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import java.util.ArrayDeque;
import java.util.Deque;

/** How the changes of a reload are taken back, the last one first. For one thread. */
final class Undo {
    private final Deque<Runnable> steps = new ArrayDeque<>();

    /** To be called before the change: a change that throws may be half done. A step may add others, which come next. */
    void add(Runnable step) {
        steps.push(step);
    }

    /**
     * Takes all back, also if some of it cannot be taken back.
     *
     * @param why gets what is thrown meanwhile
     */
    void run(Throwable why) {
        for (Runnable step = steps.poll(); step != null; step = steps.poll()) {
            try {
                step.run();
            } catch (RuntimeException | Error broken) {
                if (broken != why) {
                    why.addSuppressed(broken);
                }
            }
        }
    }
}
