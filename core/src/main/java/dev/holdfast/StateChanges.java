/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.PipelineSnapshot.StateChange;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.TimeSource;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** The last changes of state in one pipeline, the latest first. Safe for any number of threads. */
final class StateChanges implements CallObserver {
    private static final int MOST = 20;

    private final TimeSource time;
    private final Deque<StateChange> last = new ArrayDeque<>();

    StateChanges(TimeSource time) {
        this.time = time;
    }

    @Override
    public boolean hearsCalls() {
        return false;
    }

    @Override
    public synchronized void stateChanged(String pipeline, String policy, String from, String to, String cause) {
        if (last.size() == MOST) {
            last.removeLast();
        }
        last.addFirst(new StateChange(Instant.ofEpochMilli(time.millis()), policy, from, to, cause));
    }

    synchronized List<StateChange> all() {
        return List.copyOf(last);
    }
}
