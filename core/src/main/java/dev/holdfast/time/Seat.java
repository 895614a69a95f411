/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.time;

import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** The place of one thread in virtual time: its permit, its wait and its turn. The baton's monitor guards all but the turn. */
final class Seat {
    /** How a thread waits. Each constant tells what ends the wait before its time is over. */
    enum Wait {
        /** Not at all: it runs. */
        NONE,
        /** Only a turn: a driver with nothing to do. */
        RESTING,
        /** An unpark or an interrupt. */
        PARKED,
        /** An interrupt. */
        SLEEPING,
        /** Nothing: it is in run or advance. */
        DIRECTING;

        boolean heedsInterrupts() {
            return this == PARKED || this == SLEEPING;
        }
    }

    /** Why a thread goes on. */
    enum Turn {
        /** Its wait is over, and it has the baton. */
        GO,
        /** Nothing is left that could end its wait. */
        QUIET,
        /** Nothing can end its wait: the thread that has the baton waits by other means. */
        STUCK,
        /** Virtual time has ended. */
        CLOSED
    }

    final Thread thread;
    /** Whether the thread was started by virtual time and so must have the baton to run. */
    final boolean driver;

    boolean permit;
    /** Only the seat's own thread changes it, except for the end of a rest. */
    Wait wait = Wait.NONE;
    /** When the wait ends; null: never by itself. */
    @Nullable
    Event end;
    /** The end of the wait is decided. Further reasons to end it are merged into the first. */
    boolean ending;
    /** The thread was interrupted in its wait. Its flag is set when it goes on. */
    boolean interrupted;

    // Volatile: another thread writes it when it passes the baton, and the seat's thread takes it without the lock.
    private volatile @Nullable Turn turn;

    Seat(Thread thread, boolean driver) {
        this.thread = thread;
        this.driver = driver;
    }

    void give(Turn reason) {
        ending = true;
        turn = reason;
        if (thread != Thread.currentThread()) {
            LockSupport.unpark(thread);
        }
    }

    /** Whether no turn was given that the thread has not taken. */
    boolean turnIsAhead() {
        return turn == null;
    }

    @Nullable
    Turn take() {
        Turn taken = turn;
        // Cleared only if a turn was seen. A turn that is given at this moment must stay.
        if (taken != null) {
            turn = null;
        }
        return taken;
    }
}
