/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.PipelineSnapshot.StateChange;
import dev.holdfast.internal.OwnObserver;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.TimeSource;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.stream.Stream;

/**
 * The last changes of state in one pipeline. Those to and from closed are kept apart, so that the beginning of an outage is known
 * however often probes have failed since. Safe for any number of threads.
 */
final class StateChanges implements CallObserver, OwnObserver.Keeper {
    private static final int MOST = 20;

    private final TimeSource time;
    private final Deque<Numbered> closed = new ArrayDeque<>();
    private final Deque<Numbered> others = new ArrayDeque<>();
    private int number;

    private record Numbered(int number, StateChange change) {}

    StateChanges(TimeSource time) {
        this.time = time;
    }

    @Override
    public boolean hearsCalls() {
        return false;
    }

    @Override
    public synchronized void stateChanged(String pipeline, String policy, String from, String to, String cause) {
        Deque<Numbered> last = from.equals("closed") || to.equals("closed") ? closed : others;
        if (last.size() == MOST) {
            last.removeLast();
        }
        StateChange change = new StateChange(Instant.ofEpochMilli(time.millis()), policy, from, to, cause);
        last.addFirst(new Numbered(number++, change));
    }

    /** The latest first. */
    synchronized List<StateChange> all() {
        return Stream.concat(closed.stream(), others.stream())
                .sorted(Comparator.comparingInt(Numbered::number).reversed())
                .map(Numbered::change)
                .toList();
    }
}
