/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling.internal.engine;

import dev.holdfast.spi.Completion;
import java.util.concurrent.atomic.AtomicReference;
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
        private final long number;
        private final long began;
        private final long end;
        /** The gate has opened: from now on attempts start. */
        private volatile boolean over;

        private Hold(@Nullable Hold before, long began, long end) {
            number = before == null ? 1 : before.number + 1;
            this.began = began;
            this.end = end;
        }

        /** Which one of this gate; 1 or more. A hold that was made longer is another one. */
        public long number() {
            return number;
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
    private static final class Held extends AtomicReference<@Nullable Hold> {
        private static final long serialVersionUID = 1;

        private volatile long most;
    }

    private final long most;
    private Held present = new Held();

    /**
     * An open gate.
     *
     * @param most no hold lasts longer; in nanoseconds
     */
    public Gate(long most) {
        this.most = most;
        present.most = most;
    }

    /** The last hold, which may be {@linkplain Hold#isOver over}; null if there was none. */
    public @Nullable Hold last() {
        return present.get();
    }

    /** The hold that lasts now; null if the gate is open. */
    public @Nullable Hold hold(long now) {
        Hold seen = present.get();
        return seen == null || seen.isOver(now) ? null : seen;
    }

    /**
     * The dependency asks not to be called for so long. Shortens no hold.
     *
     * @param passed the number of the {@linkplain #last last} hold when the attempt passed the open gate; 0 if there was none. If it
     *     is the last one still, the attempt began after it, and another hold begins. If not, the gate has closed since, and
     *     the maximum counts from then on
     * @return whether the gate was open before
     */
    public boolean hold(long now, long asked, long passed) {
        while (true) {
            Hold seen = present.get();
            long began = seen == null || seen.number == passed ? now : seen.began;
            long nanos = Math.min(asked, began + present.most - now);
            long left = seen == null ? 0 : seen.left(now);
            if (nanos <= left) {
                return false;
            }
            if (present.compareAndSet(seen, new Hold(seen, began, now + nanos))) {
                return left == 0;
            }
        }
    }

    /** Takes the place of another gate: both have one hold from now on, and this one's maximum. Before this one is used. */
    public void takeOver(Gate previous, long now) {
        present = previous.present;
        present.most = most;
        Hold longer = present.get();
        if (longer != null && longer.left(now) > most) {
            // If another one begins at this moment, it is within the new maximum.
            present.compareAndSet(longer, new Hold(longer, longer.began, now + most));
        }
    }

    /** How many calls wait for the end of the present hold. */
    public int waiting() {
        Hold held = present.get();
        return held == null ? 0 : held.waiting();
    }
}
