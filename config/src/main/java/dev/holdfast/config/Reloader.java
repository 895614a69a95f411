/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.internal.SafeLog;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;

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
    private byte[] seen;
    private byte[] latest;
    private volatile boolean closed;

    Reloader(Holdfast holdfast, List<? extends Source> sources, Duration period) {
        this.holdfast = holdfast;
        this.sources = sources;
        periodMillis = period.toMillis();
        seen = contents();
        latest = seen;
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    @Override
    public void run() {
        while (!closed) {
            try {
                Thread.sleep(periodMillis);
                look();
            } catch (InterruptedException closing) {
                return;
            } catch (RuntimeException | Error broken) {
                // Watching goes on, whatever an observer or a policy of somebody's does.
                if (!closed) {
                    LOG.warn("looking for a changed configuration failed", broken);
                }
            }
        }
    }

    /** Reloads if something has changed since the last look. */
    synchronized void look() {
        byte[] now = contents();
        boolean still = Arrays.equals(now, latest);
        latest = now;
        // Twice the same: a file that is being written is not read half written.
        if (closed || !still || Arrays.equals(now, seen)) {
            return;
        }
        seen = now;
        try {
            List<String> changed = holdfast.reload();
            LOG.info("configuration was read again: "
                    + (changed.isEmpty() ? "no pipeline changed" : "changed " + String.join(", ", changed)));
        } catch (ConfigException wrong) {
            LOG.warnLines("a changed configuration is refused, and the last good one stays:\n" + wrong.getMessage());
        }
    }

    private byte[] contents() {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (Source source : sources) {
            all.writeBytes(source.contents());
            all.write(0);
        }
        return all.toByteArray();
    }

    void close() {
        closed = true;
        thread.interrupt();
    }
}
