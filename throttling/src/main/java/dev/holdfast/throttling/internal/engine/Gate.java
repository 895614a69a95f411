/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling.internal.engine;

import dev.holdfast.spi.Completion;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The engine of a gate: until when a destination is not to be called. The longest of the times that were told counts, and none is
 * longer than a maximum. An open gate is one read. The engine has no clock: the caller passes the time. Safe for any number of
 * threads.
 */
public final class Gate {

    /** A time in which the destination is not called. Who waits for its end awaits it: it never comes, and the time ends the wait. */
    public static final class Hold extends Completion {
        private final long end;
        private final long nanos;

        private Hold(long now, long nanos) {
            end = now + nanos;
            this.nanos = nanos;
        }

        /** How long it still lasts; 0 if it is over. */
        public long left(long now) {
            return Math.max(0, end - now);
        }

        /** How long it was to last when it began. */
        public long nanos() {
            return nanos;
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

    /** Whether the gate is open for sure. If not, {@link #hold(long)} says whether a hold still lasts. */
    public boolean isOpen() {
        return present.get() == null;
    }

    /** The hold that lasts now; null if the gate is open. */
    public @Nullable Hold hold(long now) {
        Hold seen = present.get();
        if (seen == null || seen.left(now) > 0) {
            return seen;
        }
        // A hold that began meanwhile stays. A thread that has read an old time would only see this one as too long.
        present.compareAndSet(seen, null);
        return null;
    }

    /**
     * The dependency asks not to be called for so long. Shortens no hold.
     *
     * @return whether the gate was open before
     */
    public boolean hold(long now, long asked) {
        long nanos = Math.min(asked, present.most);
        while (nanos > 0) {
            Hold seen = present.get();
            long left = seen == null ? 0 : seen.left(now);
            if (nanos <= left) {
                return false;
            }
            if (present.compareAndSet(seen, new Hold(now, nanos))) {
                return left == 0;
            }
        }
        return false;
    }

    /** Takes the place of another gate: both have one hold from now on, and this one's maximum. Before this one is used. */
    public void takeOver(Gate previous, long now) {
        present = previous.present;
        present.most = most;
        Hold longer = present.get();
        if (longer != null && longer.left(now) > most) {
            // If another one begins at this moment, it is within the new maximum.
            present.compareAndSet(longer, most == 0 ? null : new Hold(now, most));
        }
    }

    /** How many calls wait for the end of the present hold. */
    public int waiting() {
        Hold held = present.get();
        return held == null ? 0 : held.waiting();
    }
}
