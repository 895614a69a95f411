/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.log;

import dev.holdfast.internal.Checks;
import dev.holdfast.internal.engine.Threads;
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

    /** A change, and when it was. */
    record Change(String from, String to, String cause, long nanos) {
        private boolean isOfAnOutage() {
            return from.equals("closed") || to.equals("closed");
        }
    }

    /** A change, what is to be said behind it, and how many others that tells of. */
    private record Line(Change change, String more, long others) {}

    /** Writes a change, what is to be said behind it, and of how many others that tells. */
    interface Writer {
        void write(Change change, String more, long others);
    }

    private final TimeSource time;
    private final Writer line;

    // Apart, so that what goes on in between hides neither the beginning nor the end of an outage.
    private final Pace outages = new Pace(MOST);
    private final Pace others = new Pace(MOST);

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
        return change.isOfAnOutage() ? outages : others;
    }

    void changed(Change change) {
        synchronized (this) {
            long left = of(change).next(change.nanos);
            leftOut = left == Pace.NO_LINE ? change : null;
            writeIn(of(change).rest(change.nanos));
            if (left != Pace.NO_LINE) {
                add(new Line(change, left == 0 ? "" : " (" + more(left) + ")", left));
            }
        }
        write();
    }

    private synchronized void writeIn(long nanos) {
        if (leftOut != null && timer == null && !closed) {
            timer = time.schedule(nanos, this::minuteIsOver);
        }
    }

    /** The state does not matter any more: a timer would keep whoever made the pipeline. */
    synchronized void close() {
        closed = true;
        if (timer != null) {
            timer.cancel();
        }
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
            long left = of(latest).latest(now);
            String ago = Checks.text(Duration.ofSeconds((now - latest.nanos) / 1_000_000_000)) + " ago";
            add(new Line(latest, " (" + ago + (left == 0 ? "" : "; " + more(left)) + ")", left));
        }
        write();
    }

    private synchronized void add(Line next) {
        if (lines.size() == 2 * MOST) {
            // The log stands still, and later lines say more.
            Line oldest = lines.remove();
            of(oldest.change).leaveOut(1 + oldest.others);
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
                line.write(next.change, next.more, next.others);
            } catch (Throwable noMemory) {
                // There may be some for the next one.
            }
        }
    }

    private synchronized @Nullable Line next() {
        writing = !lines.isEmpty();
        return lines.poll();
    }

    static String more(long left) {
        return Checks.number(left) + " more such events since the last line";
    }
}
