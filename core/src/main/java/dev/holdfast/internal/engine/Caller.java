/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.spi.TimeSource;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The thread of nested blocking calls, and how many of them were struck and have not ended. The thread has one interrupt flag
 * for our interrupts and for those from outside. This class tells them apart.
 */
final class Caller {
    final Thread thread;
    private final AtomicInteger struck = new AtomicInteger();
    /** How many of our interrupts the thread may still find. */
    private final AtomicInteger sent = new AtomicInteger();
    /** Only on the thread. True if the flag that it set again for an outer call also stands for an interrupt from outside. */
    private boolean alsoOutside;

    Caller(Thread thread) {
        this.thread = thread;
    }

    /**
     * On another thread, which has struck a call: interrupts this one, unless its flag is set already. Returns false if it was
     * set from outside.
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
     * On the thread itself, after a struck call has ended and the flag is cleared. Sets the flag again for an interrupt from
     * outside, and for an outer call that was struck, since its action must still see it.
     *
     * @param interrupts how often the flag was found set since the action ended
     */
    void ended(int interrupts, boolean interruptedOutside) {
        int ours = sent.get();
        boolean outside = alsoOutside || interruptedOutside || interrupts > ours;
        boolean passesOn = struck.decrementAndGet() > 0;
        // If no call is struck any more, all our interrupts have arrived. The action consumed those that we did not
        // find set. A strike that begins now is not in `ours`.
        sent.addAndGet(passesOn ? 1 - Math.min(interrupts, ours) : -ours);
        alsoOutside = passesOn && outside;
        if (passesOn || outside) {
            thread.interrupt();
        }
    }
}
