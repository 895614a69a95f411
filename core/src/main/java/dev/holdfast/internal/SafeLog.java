/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import java.lang.System.Logger.Level;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A log that never throws. A user's handler may throw, and so may an exception that is printed. Neither must break a call.
 * Names that users give, such as an operation's, cannot forge a line. Safe for any number of threads.
 */
public final class SafeLog {
    private final System.Logger logger;

    private SafeLog(System.Logger logger) {
        this.logger = logger;
    }

    public static SafeLog of(String name) {
        return new SafeLog(System.getLogger(name));
    }

    /** Whether lines of this level are written now. One that cannot tell may write them. */
    public boolean writes(Level level) {
        try {
            return logger.isLoggable(level);
        } catch (Throwable cannotTell) {
            return true;
        }
    }

    /** Logs a problem that is reported nowhere else, in one line: hidden characters are escaped. */
    public void warn(String message, @Nullable Throwable thrown) {
        log(Level.WARNING, message, true, thrown);
    }

    /**
     * Logs a fact and its problems, each of which is a line. The first problem stands in the first line, since often this line alone
     * is seen. What comes from outside must be {@link Shown} in them.
     */
    public void warnProblems(String fact, @Nullable String problems) {
        String[] lines = String.valueOf(problems).split("\n");
        String more = lines.length == 1 ? "" : " (and " + (lines.length - 1) + " more)";
        String first = fact + ": " + lines[0] + more;
        String text =
                Stream.concat(Stream.of(first), Arrays.stream(lines).skip(1)).collect(Collectors.joining("\n"));
        log(Level.WARNING, text, false, null);
    }

    /** Logs a fact that is worth knowing, in one line: hidden characters are escaped. */
    public void info(String message) {
        log(Level.INFO, message, true, null);
    }

    private void log(Level level, String text, boolean oneLine, @Nullable Throwable thrown) {
        try {
            String message = oneLine ? Shown.line(text, Integer.MAX_VALUE) : text;
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
