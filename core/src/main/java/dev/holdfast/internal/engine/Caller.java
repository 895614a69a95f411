/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.spi.TimeSource;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The thread of blocking calls, one inside the other, and how many of them have been struck and have not ended. The thread
 * has one interrupt flag for all of them and for whoever interrupts it from outside; this tells whose it is.
 */
final class Caller {
    final Thread thread;
    private final AtomicInteger struck = new AtomicInteger();
    // By the thread itself.
    /** Whether the flag was last set for a call further out. */
    private boolean passedOn;
    /** Whether it was set for somebody outside too, by then. */
    private boolean alsoOutside;

    Caller(Thread thread) {
        this.thread = thread;
    }

    /**
     * By whoever strikes one of its calls, on another thread: interrupts it, unless it has been interrupted already. False
     * if that was from outside.
     */
    boolean interrupt(TimeSource time) {
        boolean ours = struck.getAndIncrement() > 0;
        if (time.isInterrupted(thread)) {
            return ours;
        }
        time.interrupt(thread);
        return true;
    }

    /**
     * By the thread itself, when a call that was struck has ended and its flag is cleared: it is set again if somebody
     * outside has set it, or for a call further out, whose action has still to feel it.
     *
     * @param interrupts how often the flag was found set since the action ended
     */
    void ended(int interrupts, boolean interruptedOutside) {
        // One of them was ours, and another one may have been passed on to this call by one further in.
        boolean outside = alsoOutside || interruptedOutside || interrupts > (passedOn ? 2 : 1);
        passedOn = struck.decrementAndGet() > 0;
        alsoOutside = passedOn && outside;
        if (passedOn || outside) {
            thread.interrupt();
        }
    }
}
