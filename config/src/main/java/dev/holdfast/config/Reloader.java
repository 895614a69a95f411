/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.internal.SafeLog;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Looks at the files again and again, and reloads them when what they say has changed. It compares what is in them and not when
 * they were written: so it sees editors that replace a file, symbolic links that are switched, and network mounts.
 */
final class Reloader implements Runnable {
    private static final SafeLog LOG = SafeLog.of(Holdfast.class.getName());

    private final Holdfast holdfast;
    private final List<? extends Source> sources;
    private final long periodMillis;
    private final Thread thread = new Thread(this, "holdfast-config");
    private byte[] latest = {};
    /** A failure that was told, and what was in the files. */
    private @Nullable String told;

    private byte[] toldOf = {};

    Reloader(Holdfast holdfast, List<? extends Source> sources, Duration period) {
        this.holdfast = holdfast;
        this.sources = sources;
        periodMillis = period.toMillis();
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    @Override
    public void run() {
        while (!holdfast.isClosed()) {
            try {
                Thread.sleep(periodMillis);
                look();
            } catch (InterruptedException interrupted) {
                // By close, which the loop sees; or by code of somebody's, such as a property: then watching goes on.
            } catch (Throwable broken) {
                // Watching goes on, whatever somebody's properties do.
                if (!holdfast.isClosed()) {
                    LOG.warn("looking for a changed configuration failed", broken);
                }
            }
        }
    }

    /** Reloads if the files say something else than when they were loaded or refused. */
    synchronized void look() {
        byte[] now = {};
        try {
            now = Source.contents(Source.taken(sources));
            boolean still = Arrays.equals(now, latest);
            latest = now;
            // Twice the same: a file that is being written is not read half written.
            if (still && !holdfast.isClosed()) {
                reload(now);
            }
        } catch (Throwable failure) {
            if (!holdfast.isClosed() && isNews(failure, now)) {
                log(failure);
                told = failure.toString();
                toldOf = now;
            }
        }
    }

    private void reload(byte[] now) {
        holdfast.reload(now, failure -> isNews(failure, now))
                .ifPresent(changed -> LOG.info("configuration was read again: "
                        + (changed.isEmpty() ? "no pipeline changed" : "changed " + String.join(", ", changed))));
        told = null;
    }

    /** What fails in the same way at each look is told once. */
    private boolean isNews(Throwable failure, byte[] now) {
        return !(failure.toString().equals(told) && Arrays.equals(now, toldOf));
    }

    private static void log(Throwable failure) {
        if (failure instanceof ConfigException) {
            LOG.warnProblems("a changed configuration is refused, and the last good one stays", failure.getMessage());
        } else {
            LOG.warn("a changed configuration could not be read, and each look tries it again", failure);
        }
    }

    void close() {
        thread.interrupt();
    }
}
