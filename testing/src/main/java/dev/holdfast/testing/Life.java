/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** One entry of a layer, from the first {@code enter} to the last {@code ended}, and what may happen next in it. */
final class Life {

    /** Where an entry stands. */
    enum State {
        /** Inside {@code enter}; stays so if that threw. */
        ENTERING,
        /** {@code enter} said pause: the end of the pause is the entry. */
        PAUSED,
        /** {@code enter} said await. */
        AWAITING,
        /** {@code enter} said proceed. */
        ENTERED,
        /** {@code settle} said retry: settled again after the next pass, unless the retry is refused. */
        RETRYING,
        /** {@code settle} said await, or its function made a stage. */
        SETTLING,
        /** Settled for good. */
        SETTLED,
        /** Given up while it waited, or {@code enter} threw. */
        ABANDONED,
        /** {@code enter} answered or rejected: nothing more may come. */
        TURNED
    }

    private final long number;
    private State state;
    private boolean ended;
    private boolean endedEarly;
    private @Nullable Object object;

    Life(long number, State state, @Nullable Object object) {
        this.number = number;
        this.state = state;
        this.object = object;
    }

    /** The object that the policy under the spy keeps for the entry. */
    synchronized @Nullable Object object() {
        return object;
    }

    synchronized void object(@Nullable Object value) {
        object = value;
    }

    boolean holds(Predicate<Object> what) {
        Object held = object();
        return held != null && what.test(held);
    }

    /** Moves to the next state. Returns whether that is allowed now. */
    synchronized boolean move(State next, State... allowed) {
        boolean legal = false;
        for (State from : allowed) {
            legal |= state == from;
        }
        state = next;
        legal &= !ended || endedEarly;
        endedEarly &= next != State.SETTLED && next != State.ABANDONED;
        return legal;
    }

    synchronized void set(State next) {
        state = next;
    }

    /**
     * Notes the end of the work; false if it was noted before, or if the layer was never settled. Work that is written off may
     * hold the thread of its call: then the layer is settled when it comes back.
     */
    synchronized boolean end(boolean writtenOff) {
        boolean settled = state == State.SETTLED || state == State.RETRYING || state == State.SETTLING;
        // A layer that was given up between two passes of one entry was entered, so its work must end, too.
        boolean givenUp = state == State.ABANDONED;
        boolean inside = state == State.ENTERED || state == State.PAUSED;
        boolean legal = !ended && (settled || givenUp || (writtenOff && inside));
        endedEarly |= legal && inside;
        ended = true;
        return legal;
    }

    @Override
    public synchronized String toString() {
        return "entry " + number + " " + state + (ended ? ", ended" : "");
    }
}
