/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import dev.holdfast.spi.Completion;

/**
 * A call's part in a flight. Comes, as a completion, when the flight has landed or when this call has become its leader.
 */
final class Ticket extends Completion {
    private final Flight flight;
    private final boolean refresh;

    Ticket(Flight flight, boolean refresh) {
        this.flight = flight;
        this.refresh = refresh;
    }

    Flight flight() {
        return flight;
    }

    /** Whether this is a refresh in the background, for which nobody waits at first. */
    boolean isRefresh() {
        return refresh;
    }

    boolean leads() {
        return flight.isLedBy(this);
    }
}
