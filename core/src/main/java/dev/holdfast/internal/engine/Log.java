/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.internal.SafeLog;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The log of one pipeline, for what goes wrong and has nobody to be thrown at. */
final class Log {
    private static final SafeLog LOG = SafeLog.of("dev.holdfast");

    private final Set<String> logged = ConcurrentHashMap.newKeySet();

    /** What is broken would fill the log with every call. */
    void once(String what, @Nullable Throwable thrown) {
        if (logged.add(what)) {
            LOG.warn(what + "; told once", thrown);
        }
    }

    static void warn(String what, Throwable thrown) {
        LOG.warn(what, thrown);
    }
}
