/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.internal.SafeLog;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The log of one pipeline, for errors that cannot be thrown to anybody. */
final class Log {
    private static final SafeLog LOG = SafeLog.of("dev.holdfast");

    private final Set<String> logged = ConcurrentHashMap.newKeySet();

    /** Logs only once: a broken part would fill the log with every call. */
    void once(String what, @Nullable Throwable thrown) {
        if (logged.add(what)) {
            LOG.warn(what + "; told once", thrown);
        }
    }

    static void warn(String what, Throwable thrown) {
        LOG.warn(what, thrown);
    }
}
