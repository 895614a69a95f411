/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.log;

/** Lets a number of lines through in each minute, and counts the others. Safe for any number of threads. */
final class Pace {
    /** From {@link #next}: no line. */
    static final long NO_LINE = -1;

    static final long MINUTE = 60_000_000_000L;

    private final int most;
    private boolean begun;
    private long minute;
    private int lines;
    private long left;

    Pace(int most) {
        this.most = most;
    }

    /** How many events were left out since the last line; or {@link #NO_LINE}: leave this one out, too. */
    synchronized long next(long now) {
        begin(now);
        if (lines == most) {
            left++;
            return NO_LINE;
        }
        lines++;
        long before = left;
        left = 0;
        return before;
    }

    /** The same for the latest event that was left out: it comes through in any case. */
    synchronized long latest(long now) {
        begin(now);
        lines = Math.min(most, lines + 1);
        long others = left - 1;
        left = 0;
        return others;
    }

    /** For events whose line came through, and could not be written: they are left out like others. */
    synchronized void leaveOut(long events) {
        left += events;
    }

    /** Those that were left out and that no line has told of. */
    synchronized long takeLeft() {
        long taken = left;
        left = 0;
        return taken;
    }

    private void begin(long now) {
        if (!begun || now - minute >= MINUTE) {
            begun = true;
            minute = now;
            lines = 0;
        }
    }

    /** How long the present minute still lasts. */
    synchronized long rest(long now) {
        return MINUTE - (now - minute);
    }
}
