/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.time;

import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** The place of one thread in virtual time: its permit, how it waits, and its turn. Guarded by the clock, but for the turn. */
final class Seat {
    /** How a thread waits, and so what ends its wait before time does. */
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
        /** Its wait is over, and the baton is its own. */
        GO,
        /** Nothing is left that could end its wait. */
        QUIET,
        /** Virtual time has ended. */
        CLOSED
    }

    final Thread thread;
    /** Whether the thread was started by virtual time and so must have the baton to run. */
    final boolean driver;

    boolean permit;
    /** Changed by the seat's own thread alone, but for the end of a rest. */
    Wait wait = Wait.NONE;
    /** When the wait ends; null: never by itself. */
    @Nullable
    Event end;
    /** The end of the wait is settled: further reasons to end it are merged into the first. */
    boolean ending;
    /** The thread was interrupted while it waits: its flag is set when it goes on. */
    boolean interrupted;

    // Written by whoever passes the baton, taken by the thread itself: volatile, since the thread looks without the
    // lock.
    private volatile @Nullable Turn turn;

    Seat(Thread thread, boolean driver) {
        this.thread = thread;
        this.driver = driver;
    }

    void give(Turn reason) {
        ending = true;
        turn = reason;
        LockSupport.unpark(thread);
    }

    @Nullable
    Turn take() {
        Turn taken = turn;
        // Only what was seen is taken: a turn that is given just now must stay.
        if (taken != null) {
            turn = null;
        }
        return taken;
    }
}
