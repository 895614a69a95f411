/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.internal.OfKeys;
import dev.holdfast.internal.SafeLog;
import dev.holdfast.spi.CallObserver.Keys;
import dev.holdfast.spi.Policy;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The log of one pipeline for errors that cannot be thrown to anybody. */
final class Log {
    private static final SafeLog LOG = SafeLog.of("dev.holdfast");
    /** What all instances for keys have logged: the same error of a thousand of them, with its stack trace, would fill the log. */
    private static final Map<Keys, Set<String>> OF_KEYS = Collections.synchronizedMap(new WeakHashMap<>());

    private final String pipeline;
    private final Set<String> logged;

    /** That of a pipeline with these policies. */
    Log(String pipeline, List<Policy> policies) {
        this.pipeline = pipeline;
        Keys keys = policies.stream()
                .map(policy -> policy instanceof OfKeys instance ? instance.keys() : null)
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
        logged = keys == null
                ? ConcurrentHashMap.newKeySet()
                : OF_KEYS.computeIfAbsent(keys, any -> ConcurrentHashMap.newKeySet());
    }

    /** Logs only once: a broken part would fill the log with every call. */
    void once(String what, @Nullable Throwable thrown) {
        if (isNews(what)) {
            LOG.warn(what + "; told once", thrown);
        }
    }

    /** Whether this was not told before, also of another instance. */
    boolean isNews(String what) {
        return logged.add(what.replace("'" + pipeline + "'", "it"));
    }

    static void warn(String what, Throwable thrown) {
        LOG.warn(what, thrown);
    }
}
