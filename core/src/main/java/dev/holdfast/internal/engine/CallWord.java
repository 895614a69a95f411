/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The word of a call makes sure that each suspension is resumed exactly once. It holds the suspension's number, its state, why
 * it was claimed, and whether a cancellation is pending. The landing tells when another thread that claimed an attempt is done.
 */
abstract class CallWord extends CallPadding {
    // Why a suspension was claimed.
    static final int BY_COMPLETION = 1;
    static final int BY_TIMER = 2;
    static final int BY_LIMIT = 3;
    static final int BY_CANCEL = 4;
    static final int BY_INTERRUPT = 5;
    static final int BY_REFUSAL = 6;
    static final int BY_RACE = 7;

    // The states of a suspension.
    static final int RUNNING = 0;
    static final int ARMING = 1;
    static final int OPEN = 2;
    private static final int STATE_MASK = 3;
    private static final long CANCEL_PENDING = 4;
    private static final int REASON_SHIFT = 3;
    private static final long REASON_MASK = 7L << REASON_SHIFT;
    private static final int NUMBER_SHIFT = 6;
    private static final VarHandle WORD = Handles.of(MethodHandles.lookup(), "word", long.class);
    private static final VarHandle LANDED = Handles.of(MethodHandles.lookup(), "landed", boolean.class);

    @SuppressWarnings("unused") // through WORD; the number goes on when the object is used again, so that none repeats
    private volatile long word;

    /** Published by the landing: whether the caller had been interrupted from outside. */
    boolean interruptedOutside;

    @SuppressWarnings("unused") // through LANDED, since it is read while another thread writes it
    private boolean landed;

    /** Running to arming, with the next number; -1 if a cancellation is pending. */
    long openSuspension() {
        for (; ; ) {
            long seen = word;
            if ((seen & CANCEL_PENDING) != 0) {
                return -1;
            }
            long number = (seen >>> NUMBER_SHIFT) + 1;
            if (WORD.compareAndSet(this, seen, number << NUMBER_SHIFT | ARMING)) {
                return number;
            }
        }
    }

    /** Arming to open; false if somebody has claimed it meanwhile: then the opener continues itself. */
    boolean park(long number) {
        return WORD.compareAndSet(this, number << NUMBER_SHIFT | ARMING, number << NUMBER_SHIFT | OPEN);
    }

    /** The number of the next suspension, of a call that nobody can cancel: no other thread writes the word now. */
    long nextNumber() {
        return (word >>> NUMBER_SHIFT) + 1;
    }

    /** Running to open, with this {@link #nextNumber}. */
    void open(long number, boolean contested) {
        long open = number << NUMBER_SHIFT | OPEN;
        if (contested) {
            // A full fence: either the watchdog sees this write, or this thread sees that its entry was dropped.
            word = open;
        } else {
            // Only an alarm waits for this: the watchdog looks once more, much later, before it drops the entry.
            WORD.setRelease(this, open);
        }
    }

    /** Open to running, of an attempt without a limit: nobody else claims it. */
    void closeAttempt(long number) {
        WORD.setRelease(this, claimed(number, BY_COMPLETION));
    }

    /** Claims the suspension. Returns the state before; {@link #RUNNING} if somebody else was first. */
    int claim(long number, int reason) {
        for (; ; ) {
            long seen = word;
            int state = (int) (seen & STATE_MASK);
            if (seen >>> NUMBER_SHIFT != number || state == RUNNING) {
                return RUNNING;
            }
            if (WORD.compareAndSet(this, seen, claimed(number, reason))) {
                return state;
            }
        }
    }

    /** As {@link #claim}, only while the suspension is arming: then its opener goes on with the call. */
    boolean claimArming(long number, int reason) {
        long arming = number << NUMBER_SHIFT | ARMING;
        return word == arming && WORD.compareAndSet(this, arming, claimed(number, reason));
    }

    private static long claimed(long number, int reason) {
        return number << NUMBER_SHIFT | (long) reason << REASON_SHIFT | RUNNING;
    }

    int claimReason() {
        return (int) ((word & REASON_MASK) >>> REASON_SHIFT);
    }

    /** The number of the suspension that is under way; -1 if none is. */
    long numberUnderWay() {
        long seen = word;
        return (seen & STATE_MASK) == RUNNING ? -1 : seen >>> NUMBER_SHIFT;
    }

    boolean isUnderWay(long number) {
        long seen = word;
        return seen >>> NUMBER_SHIFT == number && (seen & STATE_MASK) != RUNNING;
    }

    boolean cancelPending() {
        return (word & CANCEL_PENDING) != 0;
    }

    /** Marks the cancellation as pending if the call runs, else claims its suspension; true if that was open. */
    boolean cancel() {
        for (; ; ) {
            long seen = word;
            if ((seen & STATE_MASK) == RUNNING) {
                if ((seen & CANCEL_PENDING) != 0 || WORD.compareAndSet(this, seen, seen | CANCEL_PENDING)) {
                    return false;
                }
            } else {
                int from = claim(seen >>> NUMBER_SHIFT, BY_CANCEL);
                if (from != RUNNING) {
                    return from == OPEN;
                }
            }
        }
    }

    /**
     * As {@link #cancel}, for a blocking call: interrupts its thread if the action runs. Returns false if the action was about
     * to run, and now does not.
     */
    boolean giveUp() {
        for (; ; ) {
            long seen = word;
            int state = (int) (seen & STATE_MASK);
            if (state == RUNNING) {
                if ((seen & CANCEL_PENDING) != 0 || WORD.compareAndSet(this, seen, seen | CANCEL_PENDING)) {
                    return true;
                }
            } else if (state == OPEN) {
                strike(seen >>> NUMBER_SHIFT, BY_CANCEL);
            } else if (WORD.compareAndSet(this, seen, claimed(seen >>> NUMBER_SHIFT, BY_CANCEL))) {
                // Only from arming: an attempt that has opened meanwhile must be interrupted.
                return false;
            }
        }
    }

    /** Gives up an open blocking attempt, on another thread than its own. */
    abstract void strike(long number, int reason);

    void expectLanding() {
        landed = false;
        interruptedOutside = false;
    }

    /**
     * After this the thread continues, even if the interrupt failed, and may use the object for its next call. Publishes what
     * was written before.
     */
    void landed(boolean outside) {
        interruptedOutside = outside;
        LANDED.setRelease(this, true);
    }

    boolean hasLanded() {
        return (boolean) LANDED.getAcquire(this);
    }
}
