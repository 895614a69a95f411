/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testlogs;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** Keeps what a logger logs. It does not reach the console, and so needs no {@link Logs}. */
public class Logged extends Handler implements AutoCloseable {
    private final Logger logger;
    private final List<String> messages = new CopyOnWriteArrayList<>();

    /** Of the logger of this name. */
    public Logged(String name) {
        logger = Logger.getLogger(name);
    }

    /** Begins to keep, and returns itself. */
    public Logged start() {
        logger.addHandler(this);
        logger.setUseParentHandlers(false);
        return this;
    }

    /** What has been logged so far. */
    public List<String> messages() {
        return List.copyOf(messages);
    }

    @Override
    public void publish(LogRecord entry) {
        messages.add(entry.getMessage());
    }

    @Override
    public void flush() {
        // Nothing is held back.
    }

    @Override
    public void close() {
        logger.setUseParentHandlers(true);
        logger.removeHandler(this);
    }
}
