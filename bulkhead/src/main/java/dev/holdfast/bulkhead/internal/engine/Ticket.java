/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import dev.holdfast.spi.Completion;
import java.util.List;

/** A place in the queue before the permits. Completed once a permit was handed to it, or a later call took its place. */
public final class Ticket extends Completion {
    // The links are guarded by the lock of the permits; a ticket that is in no queue is a ring of its own.
    Ticket before = this;
    Ticket after = this;
    // Written before it is seen.
    boolean late;
    // Written under the lock before the completion, read without: the grant counts from here on.
    private volatile boolean granted;
    private volatile boolean displaced;

    /** Whether the holder of this ticket holds a permit. Never changes back. */
    public boolean granted() {
        return granted;
    }

    /** Whether calls had been waiting without a pause for too long when this one joined. */
    public boolean late() {
        return late;
    }

    /** How long the holder of this ticket may wait: the second time if it is {@link #late}, where that is shorter. */
    public long waitNanos(long longest, long longestIfLate) {
        return late ? Math.min(longest, longestIfLate) : longest;
    }

    /** Whether a later call took its place. Never changes back. */
    public boolean displaced() {
        return displaced;
    }

    void grant() {
        granted = true;
    }

    /** Each of them, whatever is thrown on the way: all of them have a permit. */
    static void completeAll(List<Ticket> served) {
        each(served, Ticket::complete);
    }

    void displace() {
        displaced = true;
    }
}
