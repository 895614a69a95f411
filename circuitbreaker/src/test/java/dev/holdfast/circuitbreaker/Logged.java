/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** What is logged by a package, which so does not reach the console. */
final class Logged extends Handler implements AutoCloseable {
    private final Logger logger;
    private final List<String> messages = new ArrayList<>();

    Logged(String name) {
        logger = Logger.getLogger(name);
    }

    void start() {
        logger.addHandler(this);
        logger.setUseParentHandlers(false);
    }

    synchronized List<String> messages() {
        return List.copyOf(messages);
    }

    @Override
    public synchronized void publish(LogRecord entry) {
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
