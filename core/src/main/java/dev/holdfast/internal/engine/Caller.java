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
    /** How many interrupts of ours the thread may still find. */
    private final AtomicInteger sent = new AtomicInteger();
    /** By the thread itself: whether the flag that it has set for a call further out is for somebody outside, too. */
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
        sent.incrementAndGet();
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
        int ours = sent.get();
        boolean outside = alsoOutside || interruptedOutside || interrupts > ours;
        boolean passesOn = struck.decrementAndGet() > 0;
        // Without one that is struck, all of them have landed: the action has felt those that were not found. A strike
        // that begins
        // now has sent none of them.
        sent.addAndGet(passesOn ? 1 - Math.min(interrupts, ours) : -ours);
        alsoOutside = passesOn && outside;
        if (passesOn || outside) {
            thread.interrupt();
        }
    }
}
