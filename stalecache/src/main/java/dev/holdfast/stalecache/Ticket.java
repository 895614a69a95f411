/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import dev.holdfast.spi.Completion;
import dev.holdfast.stalecache.Flight.Landing;
import org.jspecify.annotations.Nullable;

/** A call's part in a flight. As a completion, it comes when the flight ends for this call, or the call becomes the leader. */
final class Ticket extends Completion {
    private final Flight flight;
    private final boolean refresh;
    /** Whether the call runs inside a later attempt of an outer pipeline, and so is not retried. */
    private final boolean nested;
    /** How many calls waited when this one came. */
    private int place;
    /** How many leaders the flight had lost when this call came. */
    private int lostBefore;

    private long since;

    private volatile @Nullable Landing landing;
    /** When its call ends, if it {@link #ends}. */
    private volatile long endsAt;

    private volatile boolean ends;

    // Used by the call itself only.
    private long lastCallAt;
    private boolean hasLastCall;
    private boolean takesOldIfSlow;
    private boolean older;

    Ticket(Flight flight, boolean refresh, boolean nested) {
        this.flight = flight;
        this.refresh = refresh;
        this.nested = nested;
    }

    /** Called by the flight. */
    void boarded(int at, int lost, long now) {
        place = at;
        lostBefore = lost;
        since = now;
    }

    Flight flight() {
        return flight;
    }

    /** Whether this is the ticket of a load in the background, which no caller leads. */
    boolean isRefresh() {
        return refresh;
    }

    boolean isNested() {
        return nested;
    }

    int place() {
        return place;
    }

    int lostBefore() {
        return lostBefore;
    }

    /** When it began to wait. */
    long since() {
        return since;
    }

    boolean leads() {
        return flight.isLedBy(this);
    }

    /** Its call ends after this time, whatever happens; {@link Long#MAX_VALUE}: it may take for ever. */
    void ends(long now, long remaining) {
        if (remaining != Long.MAX_VALUE) {
            endsAt = now + remaining;
            ends = true;
        }
    }

    /** {@link Long#MAX_VALUE} if its call may take for ever. */
    long untilEnd(long now) {
        return ends ? endsAt - now : Long.MAX_VALUE;
    }

    // ---- the end of the flight, which the flight sets before the completion comes

    void land(Landing brought) {
        landing = brought;
    }

    /** How the flight ended for this call; null as long as it has not. */
    @Nullable
    Landing landing() {
        return landing;
    }

    // ---- what the call remembers

    /** The latest time to take an old value. Afterwards its layer is not asked any more. */
    void lastCall(long at) {
        lastCallAt = at;
        hasLastCall = true;
    }

    /** {@link Long#MAX_VALUE} if it may wait for ever. */
    long untilLastCall(long now) {
        return hasLastCall ? lastCallAt - now : Long.MAX_VALUE;
    }

    /** Whether the leader takes the old value if it is slow. */
    void takesOldIfSlow(boolean takes) {
        takesOldIfSlow = takes;
    }

    boolean takesOldIfSlow() {
        return takesOldIfSlow;
    }

    /** The call has begun before the flight. */
    void older() {
        older = true;
    }

    boolean isOlder() {
        return older;
    }
}
