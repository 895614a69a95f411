/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling.internal.engine;

import dev.holdfast.internal.ShortLock;
import dev.holdfast.spi.Completion;
import org.jspecify.annotations.Nullable;

/**
 * The engine of a gate: until when a destination is not to be called. The longest of the times that were told counts, and the gate is
 * never closed for longer than a maximum: no attempt starts while it is closed, so what those before are told counts only
 * until then, however late they are told it. An open gate is one read. The engine has no clock: the caller passes the time. Safe
 * for any number of threads.
 */
public final class Gate {

    /** A time in which the destination is not called. Who waits for its end awaits it: it never comes, and the time ends the wait. */
    public static final class Hold extends Completion {
        /** When the gate closed. A hold that is made longer gives way to one that began when it did. */
        private final long began;

        private final long end;
        /** The gate has opened: from now on attempts start. */
        private volatile boolean over;
        /** When the one began that came after it: for those that passed this one, the first closing. Guarded by the lock. */
        long next;

        private Hold(long began, long end) {
            this.began = began;
            this.end = end;
        }

        /** How long it still lasts; 0 if it is over. */
        public long left(long now) {
            return over ? 0 : Math.max(0, end - now);
        }

        /** How long it lasts in all, with what it was made longer by. */
        public long nanos() {
            return end - began;
        }

        /** Whether it is over for sure. If not, {@link #isOver(long)} says it. */
        public boolean isOver() {
            return over;
        }

        /** Whether it is over. If so, it stays so. */
        public boolean isOver(long now) {
            if (left(now) == 0) {
                over = true;
            }
            return over;
        }
    }

    /** What gates share of which one took the other's place: calls that began before belong to the same destination. */
    private static final class Held {
        final ShortLock lock = new ShortLock();
        /** Before the first one. */
        final Hold none = new Hold(0, 0);
        /** Written under the lock. */
        volatile Hold last = none;

        /** Guarded by the lock. */
        long most;

        Held(long most) {
            none.over = true;
            this.most = most;
        }

        /** When the gate, which is open, can close. The time of a thread that had no processor may be that of the last hold. */
        long mayClose(long now) {
            return last == none || now - last.end > 0 ? now : last.end;
        }

        void follow(long began, long end) {
            last.next = began;
            last = new Hold(began, end);
        }
    }

    private final long most;
    private Held present;

    /**
     * An open gate.
     *
     * @param most no hold lasts longer; in nanoseconds
     */
    public Gate(long most) {
        this.most = most;
        present = new Held(most);
    }

    /** The last hold, which may be {@linkplain Hold#isOver over}; null if there was none. */
    public @Nullable Hold last() {
        Hold seen = present.last;
        return seen == present.none ? null : seen;
    }

    /** The hold that lasts now; null if the gate is open. */
    public @Nullable Hold hold(long now) {
        Hold seen = present.last;
        return seen.isOver(now) ? null : seen;
    }

    /**
     * The dependency asks not to be called for so long. Shortens no hold.
     *
     * @param passed the {@linkplain #last last} hold when the attempt passed the open gate; null if there was none. The maximum counts
     *     from the first time on that the gate closed after that
     * @return whether the gate was open before
     */
    public boolean hold(long now, long asked, @Nullable Hold passed) {
        Held held = present;
        held.lock.lock();
        try {
            Hold seen = held.last;
            boolean open = seen.isOver(now);
            long began = open ? held.mayClose(now) : seen.began;
            Hold before = passed == null ? held.none : passed;
            long firstClosing = before == seen ? began : before.next;
            long end = now + Math.min(asked, held.most - (now - firstClosing));
            if (end - (open ? began : seen.end) <= 0) {
                return false;
            }
            held.follow(began, end);
            return open;
        } finally {
            held.lock.unlock();
        }
    }

    /** Takes the place of another gate: both have one hold from now on, and this one's maximum. Before this one is used. */
    public void takeOver(Gate previous, long now) {
        Held held = previous.present;
        present = held;
        held.lock.lock();
        try {
            held.most = most;
            if (held.last.left(now) > most) {
                held.follow(held.last.began, now + most);
            }
        } finally {
            held.lock.unlock();
        }
    }

    /** How many calls wait for the end of the present hold. */
    public int waiting() {
        return present.last.waiting();
    }
}
