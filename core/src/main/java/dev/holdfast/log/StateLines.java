/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.log;

import dev.holdfast.internal.ChangesAlone;
import dev.holdfast.internal.Checks;
import dev.holdfast.internal.engine.Threads;
import dev.holdfast.log.Pace.Left;
import dev.holdfast.spi.TimeSource;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * Which changes of one policy's state have a line. The last line always says the state: if the latest change is left out, it
 * has its line when the minute is over. Safe for any number of threads.
 */
final class StateLines {
    private static final int MOST = 10;

    /** A change, whether it is a warning, and when it was. */
    record Change(String from, String to, String cause, boolean isWarning, long nanos) {
        boolean isByHand() {
            return cause.equals(ChangesAlone.BY_HAND) || cause.equals(ChangesAlone.BY_OPTION);
        }

        private boolean isOfAnOutage() {
            return from.equals("closed") || to.equals("closed");
        }
    }

    /** A change, how long ago it was if it is told late, and the others that its line tells of. */
    private record Line(Change change, String ago, Left others) {
        Left all() {
            return others.and(new Left(1, change.isWarning ? 1 : 0));
        }

        String more() {
            if (others.isNone()) {
                return ago.isEmpty() ? "" : " (" + ago + ")";
            }
            return " (" + (ago.isEmpty() ? "" : ago + "; ") + others.such() + ")";
        }
    }

    /** Writes a change, and what is to be said behind it, which tells of others. Returns false if the log does not take it. */
    interface Writer {
        boolean write(Change change, String more, Left others);
    }

    private final TimeSource time;
    private final Writer line;

    // Apart, so that what goes on in between hides neither the beginning nor the end of an outage.
    private final Pace outages = new Pace(MOST);
    private final Pace others = new Pace(MOST);

    /** Apart from both: whoever made the change looks for its line, however often the policy changes by itself. */
    private final Pace byHand = new Pace(MOST);

    // Guarded by this.
    /** Not yet written. Who writes one writes what others add meanwhile, so that no line overtakes another one, and nobody waits. */
    private final Queue<Line> lines = new ArrayDeque<>();

    private boolean writing;

    /** Null if the latest change has its line. */
    private @Nullable Change leftOut;

    private TimeSource.@Nullable Timer timer;
    private boolean closed;

    StateLines(TimeSource time, Writer line) {
        this.time = time;
        this.line = line;
    }

    private Pace of(Change change) {
        return change.isByHand() ? byHand : change.isOfAnOutage() ? outages : others;
    }

    void changed(Change change) {
        synchronized (this) {
            Pace pace = of(change);
            if (pace.next(change.nanos, change.isWarning)) {
                leftOut = null;
                add(new Line(change, "", pace.take()));
            } else {
                leftOut = change;
                writeIn(pace.rest(change.nanos));
            }
        }
        write();
    }

    private synchronized void writeIn(long nanos) {
        if (leftOut != null && timer == null && !closed) {
            timer = time.schedule(nanos, this::minuteIsOver);
        }
    }

    /** The state does not matter any more: a timer would keep whoever made the pipeline. Returns what no line will tell of. */
    synchronized Left close() {
        closed = true;
        leftOut = null;
        if (timer != null) {
            timer.cancel();
        }
        return outages.take().and(others.take()).and(byHand.take());
    }

    /** On the timer's thread, which runs no code of a user: so no appender of a log. */
    private void minuteIsOver() {
        synchronized (this) {
            timer = null;
            if (leftOut == null) {
                return;
            }
        }
        try {
            Threads.apart(time, this::writeLatest, "holdfast-log");
        } catch (Throwable noThread) {
            // Perhaps there is one then.
            writeIn(Pace.MINUTE);
        }
    }

    private void writeLatest() {
        synchronized (this) {
            long now = time.nanos();
            Change latest = leftOut;
            if (latest == null) {
                return;
            }
            leftOut = null;
            Pace pace = of(latest);
            pace.latest(now, latest.isWarning);
            add(new Line(latest, ago(now - latest.nanos), pace.take()));
        }
        write();
    }

    /** Empty for what has just happened. */
    private static String ago(long nanos) {
        long seconds = nanos / 1_000_000_000;
        return seconds == 0 ? "" : Checks.text(Duration.ofSeconds(seconds)) + " ago";
    }

    private synchronized void add(Line next) {
        if (lines.size() == 2 * MOST) {
            // The log stands still, and later lines say more.
            Line oldest = lines.remove();
            of(oldest.change).leaveOut(oldest.all());
        }
        lines.add(next);
    }

    /** Without a lock: the log may be slow, and may come back here. */
    private void write() {
        synchronized (this) {
            if (writing) {
                return;
            }
            writing = true;
        }
        for (Line next = next(); next != null; next = next()) {
            try {
                if (!line.write(next.change, next.more(), next.others)) {
                    of(next.change).leaveOut(next.others);
                }
            } catch (Throwable noMemory) {
                // There may be some for the next one.
            }
        }
    }

    private synchronized @Nullable Line next() {
        writing = !lines.isEmpty();
        return lines.poll();
    }
}
