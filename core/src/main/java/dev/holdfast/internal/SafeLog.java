/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import java.lang.System.Logger.Level;
import org.jspecify.annotations.Nullable;

/**
 * A log that never throws. A handler of the user's may, and so may an exception that it is to print; what is told to the log
 * must harm no call. Safe for any number of threads.
 */
public final class SafeLog {
    private final System.Logger logger;

    private SafeLog(System.Logger logger) {
        this.logger = logger;
    }

    /** The log of this name. */
    public static SafeLog of(String name) {
        return new SafeLog(System.getLogger(name));
    }

    /** Something went wrong that nobody else is told of. */
    public void warn(String message, @Nullable Throwable thrown) {
        log(Level.WARNING, message, thrown);
    }

    /** Something that is worth knowing. */
    public void info(String message) {
        log(Level.INFO, message, null);
    }

    private void log(Level level, String message, @Nullable Throwable thrown) {
        try {
            if (thrown == null) {
                logger.log(level, message);
            } else {
                logger.log(level, message, thrown);
            }
        } catch (Throwable cannotBeLogged) {
            // There is nobody else to tell.
        }
    }
}
