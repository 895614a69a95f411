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

    private final long most;
    private final AtomicReference<@Nullable Hold> present = new AtomicReference<>();
    /** What took this gate's place. Calls that began before still tell this one. */
    private volatile @Nullable Gate successor;

    /**
     * An open gate.
     *
     * @param most no hold lasts longer; in nanoseconds
     */
    public Gate(long most) {
        this.most = most;
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
    public boolean hold(long now, long nanos) {
        boolean began = begin(now, nanos);
        Gate next = successor;
        if (next != null) {
            next.begin(now, nanos);
        }
        return began;
    }

    private boolean begin(long now, long asked) {
        long nanos = Math.min(asked, most);
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

    /** Takes over the present hold of another gate, and what calls that have begun will tell it. */
    public void takeOver(Gate previous, long now) {
        successor = null;
        // Before its hold is read: what comes after that is handed on.
        previous.successor = this;
        Hold held = previous.hold(now);
        if (held != null) {
            begin(now, held.left(now));
        }
    }

    /** How many calls wait for the end of the present hold. */
    public int waiting() {
        Hold held = present.get();
        return held == null ? 0 : held.waiting();
    }
}
