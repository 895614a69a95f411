/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.log;

import dev.holdfast.internal.Checks;
import dev.holdfast.internal.engine.Threads;
import dev.holdfast.spi.TimeSource;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
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

    private final TimeSource time;
    /** Writes a change, and what is to be said behind it. */
    private final BiConsumer<Change, String> line;

    // Apart, so that what goes on in between hides neither the beginning nor the end of an outage.
    private final Pace outages = new Pace(MOST);
    private final Pace others = new Pace(MOST);

    /** Held while a line is written, so that no line overtakes a later one; never on the timer's thread. */
    private final ReentrantLock writing = new ReentrantLock();

    // Guarded by this.
    /** Null if the latest change has its line. */
    private @Nullable Change leftOut;

    private boolean timer;

    StateLines(TimeSource time, BiConsumer<Change, String> line) {
        this.time = time;
        this.line = line;
    }

    private Pace of(Change change) {
        return change.isOfAnOutage() ? outages : others;
    }

    void changed(Change change) {
        writing.lock();
        try {
            long left = next(change);
            if (left != Pace.NO_LINE) {
                line.accept(change, left == 0 ? "" : " (" + more(left) + ")");
            }
        } finally {
            writing.unlock();
        }
    }

    private synchronized long next(Change change) {
        long left = of(change).next(change.nanos);
        leftOut = left == Pace.NO_LINE ? change : null;
        writeIn(of(change).rest(change.nanos));
        return left;
    }

    private synchronized void writeIn(long nanos) {
        if (leftOut != null && !timer) {
            time.schedule(nanos, this::minuteIsOver);
            timer = true;
        }
    }

    /** On the timer's thread, which runs no code of a user: so no appender of a log. */
    private void minuteIsOver() {
        synchronized (this) {
            timer = false;
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
        writing.lock();
        try {
            long now = time.nanos();
            Change latest;
            long left;
            synchronized (this) {
                latest = leftOut;
                if (latest == null) {
                    return;
                }
                leftOut = null;
                left = of(latest).latest(now);
            }
            String ago = Checks.text(Duration.ofSeconds((now - latest.nanos) / 1_000_000_000)) + " ago";
            line.accept(latest, " (" + ago + (left == 0 ? "" : "; " + more(left)) + ")");
        } finally {
            writing.unlock();
        }
    }

    static String more(long left) {
        return Checks.number(left) + " more such events since the last line";
    }
}
