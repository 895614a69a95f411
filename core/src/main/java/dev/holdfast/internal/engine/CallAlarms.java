/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.spi.Completion;
import org.jspecify.annotations.Nullable;

/** What is to happen while an attempt of a call runs on: layers that are told of it, and attempts beside it. */
abstract class CallAlarms extends CallSurroundings {
    /** Layers that a thread's own call object has room for at first. */
    static final int USUAL_LAYERS = 8;

    /** Made when a layer first asks; then kept. */
    @Nullable
    Alarms alarms;

    CallAlarms(int layers) {
        super(layers);
    }

    boolean alarmed() {
        return alarms != null && alarms.any();
    }

    /** Whether somebody else may claim an open attempt of this call. */
    boolean contested() {
        return limited || (alarms != null && alarms.contested());
    }

    /** Running to open, of a hedge, which is given up by another thread at any time; -1 if it has been. */
    private long openHedge() {
        long number = openSuspension();
        if (number >= 0) {
            // Before it is open: whoever gives it up from open finds that it has begun.
            openAlarms(number);
            if (isGivenUpHedge()) {
                claim(number, BY_CANCEL);
                return -1;
            }
        }
        return number >= 0 && park(number) ? number : -1;
    }

    /** Whether it is a hedge whose attempt may no longer begin. To ask once the attempt was about to open. */
    boolean isGivenUpHedge() {
        Hedge hedge = hedge();
        return hedge != null && !hedge.started;
    }

    void openAlarms(long number) {
        if (alarms != null) {
            alarms.open(number);
        }
    }

    /**
     * Running to open, with the next number, of a call that nobody can cancel: no other thread writes the word now. A hedge
     * can be given up: then it is -1.
     */
    long openAttempt() {
        if (isHedge()) {
            return openHedge();
        }
        long number = nextNumber();
        openAlarms(number);
        open(number, contested());
        return number;
    }

    @Override
    public String limitedBy() {
        Hedge hedge = limitOwner == CALLER ? hedge() : null;
        return hedge == null ? super.limitedBy() : hedge.race.limitOwnerName;
    }

    @Override
    long limitNanos() {
        Hedge hedge = limitOwner == CALLER ? hedge() : null;
        return hedge == null ? super.limitNanos() : hedge.race.limitNanos;
    }

    @Override
    public void overdueAfter(long nanos) {
        if ((engine.plan.onOverdue >>> cursor & 1) == 0) {
            throw notAskedFor("overdueAfter", "OVERDUE");
        }
        if (nanos > LONGEST_LIMIT) {
            return;
        }
        timed = true;
        alarms(engine.plan.layers).ask(cursor, nanos);
    }

    /** The plan does not count on this layer. */
    IllegalStateException notAskedFor(String method, String flag) {
        return new IllegalStateException(
                method + " of " + engine.plan.policyName(cursor) + " without " + flag + " in its constructor");
    }

    Alarms alarms(int layers) {
        Alarms known = alarms;
        if (known == null || !known.fits(layers)) {
            known = new Alarms(Math.max(USUAL_LAYERS, layers));
            alarms = known;
        }
        return known;
    }

    /** The race of the layer that hedges, inside of which the call is; null if there is none. */
    @Nullable
    Race race() {
        return alarms == null ? null : alarms.race;
    }

    /** What it is as an attempt beside another call's; null if it is a call of its own. */
    @Nullable
    Hedge hedge() {
        return alarms == null ? null : alarms.hedge;
    }

    boolean isHedge() {
        return hedge() != null;
    }

    /** Whether a hedge has answered, so that what goes on inside the layer that hedges is of no use any more. */
    boolean isOvertaken() {
        Race race = race();
        return race != null && race.layer < cursor && race.isWon();
    }

    /** As {@link #isOvertaken}. If not, a hedge that answers later ends the suspension of this number. */
    boolean opensOvertaken(long opening) {
        Race race = race();
        if (race != null && race.layer < cursor) {
            race.opens(opening);
        }
        return isOvertaken();
    }

    @Override
    public @Nullable Completion hedgesUnderWay() {
        Race race = race();
        return race == null ? null : race.underWay();
    }

    @Override
    public int endHedges() {
        Race race = race();
        if (race == null) {
            return 0;
        }
        alarms(engine.plan.layers).race = null;
        return race.end();
    }

    @Override
    public boolean overdue() {
        return alarms != null && alarms.told(cursor);
    }
}
