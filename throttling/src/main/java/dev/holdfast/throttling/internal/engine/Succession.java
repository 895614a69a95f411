/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling.internal.engine;

import java.math.BigInteger;

/**
 * How a line goes on for another one, whose settings were others. Places are compared by the time at which their call starts
 * at the earliest if the burst is used up. A place of a call that still waits keeps that time. A place of a call that could
 * start before the change keeps its distance from the change in calls, as do the parts of a call that are earned.
 *
 * <p>So no two places of both lines overlap, and the places that lie in a time bound how many calls start in it.
 */
final class Succession {
    private final Gcra from;
    private final Gcra to;
    private final long changed;
    private final long last;
    /** Places of the line before that are vacant are used so much less long than {@link #to} allows. */
    private final long margin;

    /**
     * At this time.
     *
     * @param lastEnd the end of the last place of the line before, not in the past
     */
    Succession(Gcra from, Gcra to, long now, long lastEnd) {
        this.from = from;
        this.to = to;
        changed = now;
        last = place(lastEnd);
        long shorter = from.margin(now);
        boolean waiting = last - to.reach() - to.units(now) > 0;
        margin = waiting || shorter > 0 ? Math.max(0, to.reach() - converted(from.reach() - shorter)) : 0;
    }

    Gcra to() {
        return to;
    }

    /** The end of the last place of the line before, on the other line. */
    long last() {
        return last;
    }

    /** The beginning or the end of a place of the line before, on the other line. */
    long place(long end) {
        long start = end - from.reach() - from.units(changed);
        long moved = start >= 0 ? converted(start) : -inCalls(-start);
        return Gcra.notNone(to.units(changed) + to.reach() + moved);
    }

    /** The margin, as long as there may be such places. */
    long margin(long now) {
        return last - to.units(now) > 0 ? margin : 0;
    }

    /**
     * The beginning of the first place that a call may take now. A vacant place of the line before is used only as long before
     * its call's turn, or after it, as on the line with the shorter reach: else a full burst of later calls could start beside
     * a heavy call that has waited and whose places are shorter.
     */
    long earliest(long now) {
        long begun = to.units(now);
        return begun + Math.max(0, Math.min(margin, last - begun));
    }

    /** Rounded up, because a call starts at a whole nanosecond. */
    private long converted(long units) {
        int finer = to.shift - from.shift;
        return finer >= 0 ? units << finer : -(-units >> -finer);
    }

    private long inCalls(long units) {
        return BigInteger.valueOf(units)
                .multiply(BigInteger.valueOf(to.cost))
                .divide(BigInteger.valueOf(from.cost))
                .longValue();
    }
}
