/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.log;

import dev.holdfast.internal.Checks;

/** Lets a number of lines through in each minute, and counts the other events. Safe for any number of threads. */
final class Pace {
    static final long MINUTE = 60_000_000_000L;

    /** Events that no line has told of, and how many of them are warnings. */
    record Left(long events, long warnings) {
        static final Left NONE = new Left(0, 0);

        boolean isNone() {
            return events == 0;
        }

        boolean isWarning() {
            return warnings > 0;
        }

        Left and(Left others) {
            return new Left(events + others.events, warnings + others.warnings);
        }

        /** Behind a line of the same kind. */
        String such() {
            return Checks.number(events) + " more such events since the last line";
        }
    }

    private final int most;
    private boolean begun;
    private long minute;
    private int lines;
    private long left;
    private long warnings;

    Pace(int most) {
        this.most = most;
    }

    /** Whether this event has a line; else it is left out. */
    synchronized boolean next(long now, boolean isWarning) {
        begin(now);
        if (lines == most) {
            left++;
            warnings += isWarning ? 1 : 0;
            return false;
        }
        lines++;
        return true;
    }

    /** The latest event, which was left out, has its line in any case. */
    synchronized void latest(long now, boolean isWarning) {
        begin(now);
        lines = Math.min(most, lines + 1);
        left--;
        warnings -= isWarning ? 1 : 0;
    }

    /** For events whose line came through, and could not be written: they are left out like others. */
    synchronized void leaveOut(Left events) {
        left += events.events;
        warnings += events.warnings;
    }

    /** Whether there are events that no line has told of. */
    synchronized boolean isBehind() {
        return left > 0;
    }

    /** Those that were left out and that no line has told of: one is about to. */
    synchronized Left take() {
        if (left == 0) {
            return Left.NONE;
        }
        Left taken = new Left(left, warnings);
        left = 0;
        warnings = 0;
        return taken;
    }

    private void begin(long now) {
        if (!begun || now - minute >= MINUTE) {
            begun = true;
            minute = now;
            lines = 0;
        }
    }

    /** How long the present minute still lasts; one begins if there is none. */
    synchronized long rest(long now) {
        begin(now);
        return MINUTE - (now - minute);
    }
}
