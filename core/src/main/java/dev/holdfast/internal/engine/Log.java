/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.internal.OfKeys;
import dev.holdfast.internal.SafeLog;
import dev.holdfast.spi.CallObserver.Keys;
import dev.holdfast.spi.Policy;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The log of one pipeline, or of all its instances for keys, for errors that cannot be thrown to anybody. */
final class Log {
    /** Enough for one pipeline. The same error of a thousand instances, each with its stack trace, would fill the log. */
    private static final int MOST = 20;

    private static final SafeLog LOG = SafeLog.of("dev.holdfast");
    private static final Map<Keys, Log> OF_KEYS = Collections.synchronizedMap(new WeakHashMap<>());

    private final Set<String> logged = ConcurrentHashMap.newKeySet();

    /** That of the pipeline with these policies. */
    static Log of(List<Policy> policies) {
        for (Policy policy : policies) {
            Keys keys = policy instanceof OfKeys instance ? instance.keys() : null;
            if (keys != null) {
                return OF_KEYS.computeIfAbsent(keys, any -> new Log());
            }
        }
        return new Log();
    }

    /** Logs only once: a broken part would fill the log with every call. */
    void once(String what, @Nullable Throwable thrown) {
        if (isNews(what)) {
            LOG.warn(what + "; told once", thrown);
        }
    }

    /** Whether this was not told before, nor too much else. */
    boolean isNews(String what) {
        return logged.size() < MOST && logged.add(what);
    }

    static void warn(String what, Throwable thrown) {
        LOG.warn(what, thrown);
    }
}
