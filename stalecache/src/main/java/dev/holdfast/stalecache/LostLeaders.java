/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import dev.holdfast.CallTimeoutException;
import dev.holdfast.Outcome;
import dev.holdfast.spi.Passage;
import dev.holdfast.stalecache.Flight.Landing;
import dev.holdfast.stalecache.Flight.Lost;
import dev.holdfast.stalecache.Flight.Running;

/** Leaders that are not back although their limit is over, or have no thread: the calls that wait for them go on. */
final class LostLeaders {
    private final CacheState cache;

    LostLeaders(CacheState cache) {
        this.cache = cache;
    }

    /** For a call that is about to find a load under way. */
    void giveUpOnLost(Passage passage, Object key, long patience) {
        Flight flight = cache.flights.underWay(key);
        if (flight != null) {
            giveUpIfLost(passage, flight, patience);
        }
    }

    void giveUpIfLost(Passage passage, Flight flight, long patience) {
        long now = passage.now();
        Lost lost = flight.outlived(now);
        if (lost != null) {
            giveUpOn(passage, lost);
        }
        Ticket without = flight.lostWithoutAttempt(patience, now);
        if (without != null) {
            // The call that has waited longest, if any, loads on its own thread, as it would without the cache.
            if (without.isRefresh()) {
                cache.store.refreshFailed(flight.key(), now, -1);
            }
            cache.flights.leave(without, now);
        }
    }

    /** The leader is not back although its limit is over. The flight is over for the others. */
    private void giveUpOn(Passage passage, Lost lost) {
        long now = passage.now();
        Ticket leader = lost.leader();
        Running attempt = lost.attempt();
        if (leader.flight().isSlow(now)) {
            // So the next load is in the background, where it holds no caller.
            cache.paces.of(passage).slow(true);
        }
        if (leader.isRefresh()) {
            // Perhaps nobody has looked for long.
            cache.store.refreshFailed(leader.flight().key(), attempt.outlivedAt, -1);
        }
        if (attempt.personal) {
            cache.flights.leave(leader, now);
            return;
        }
        Throwable timeout =
                new CallTimeoutException(passage.pipeline(), attempt.limitedBy, attempt.attempt, now - attempt.since);
        cache.flights.land(leader, Landing.failed(Outcome.TIMEOUT, timeout, true));
    }
}
