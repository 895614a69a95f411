/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.log;

import dev.holdfast.internal.engine.Threads;
import dev.holdfast.spi.TimeSource;
import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * Lines that no event of now brings along. One thread, which ends after the last of them, writes them: neither the timer's thread nor
 * whoever closes a pipeline waits for the log. Safe for any number of threads.
 */
final class LastLines {
    /** There may be many logs, one for each pipeline of code: while lines wait for a log that hangs, one thread waits with them. */
    private static final LastLines SYSTEM = new LastLines(TimeSource.system());

    private final TimeSource time;
    // Guarded by this.
    private final Queue<Runnable> lines = new ArrayDeque<>();
    private boolean writing;

    private LastLines(TimeSource time) {
        this.time = time;
    }

    /** Those of all logs whose minutes are the machine's, or of one log. */
    static LastLines of(TimeSource time) {
        return time == TimeSource.system() ? SYSTEM : new LastLines(time);
    }

    /** With what writes the line. */
    void add(Runnable line) {
        synchronized (this) {
            lines.add(line);
            if (writing) {
                return;
            }
            writing = true;
        }
        try {
            Threads.apart(time, this::write, "holdfast-log");
        } catch (Throwable noThread) {
            // Perhaps there is one for the next line.
            stop();
        }
    }

    private synchronized void stop() {
        writing = false;
    }

    private void write() {
        for (Runnable line = next(); line != null; line = next()) {
            try {
                line.run();
            } catch (Throwable noMemory) {
                // There may be some for the next one.
            }
        }
    }

    private synchronized @Nullable Runnable next() {
        writing = !lines.isEmpty();
        return lines.poll();
    }
}
