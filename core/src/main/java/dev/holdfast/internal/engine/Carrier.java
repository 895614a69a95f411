/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.spi.CallContext;
import dev.holdfast.spi.CallContext.Scope;
import dev.holdfast.spi.CallContext.Snapshot;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Takes the contexts of a pipeline's callers to other threads. A context that throws is logged once for its class; the call
 * goes on without it.
 */
final class Carrier {
    private static final Scope NOTHING_TO_UNDO = () -> {};
    private static final Snapshot NOTHING = () -> NOTHING_TO_UNDO;

    /** Volatile: the list is read without a lock. That two threads load it at once does no harm. */
    private static volatile @Nullable List<CallContext> found;

    private final List<CallContext> contexts;
    private final Set<Class<?>> logged = ConcurrentHashMap.newKeySet();

    private Carrier(List<CallContext> contexts) {
        this.contexts = contexts;
    }

    /** For these contexts; null means those on the class path. Returns null if there are none. */
    static @Nullable Carrier of(@Nullable List<CallContext> given) {
        List<CallContext> carried = given == null ? onClassPath() : given;
        return carried.isEmpty() ? null : new Carrier(carried);
    }

    private static List<CallContext> onClassPath() {
        List<CallContext> known = found;
        if (known == null) {
            known = load();
            found = known;
        }
        return known;
    }

    private static List<CallContext> load() {
        List<CallContext> loaded = new ArrayList<>();
        Iterator<CallContext> all = ServiceLoader.load(CallContext.class, CallContext.class.getClassLoader())
                .iterator();
        for (; ; ) {
            try {
                if (!all.hasNext()) {
                    return List.copyOf(loaded);
                }
                loaded.add(all.next());
            } catch (ServiceConfigurationError unusable) {
                if (!(unusable.getCause() instanceof LinkageError)) {
                    throw unusable;
                }
                // Its library is optional, and not here.
            }
        }
    }

    /** What the current thread has. {@link Snapshot#restore} and closing the scope never throw. */
    Snapshot capture() {
        List<Snapshot> captured = new ArrayList<>(contexts.size());
        for (CallContext context : contexts) {
            try {
                Snapshot snapshot = context.capture();
                if (snapshot != null) {
                    captured.add(snapshot);
                }
            } catch (Throwable thrown) {
                log("capturing", context, thrown);
            }
        }
        return captured.isEmpty() ? NOTHING : () -> restore(captured);
    }

    private Scope restore(List<Snapshot> captured) {
        Deque<Scope> scopes = new ArrayDeque<>(captured.size());
        for (Snapshot snapshot : captured) {
            try {
                scopes.push(snapshot.restore());
            } catch (Throwable thrown) {
                log("restoring", snapshot, thrown);
            }
        }
        return () -> scopes.forEach(this::close);
    }

    private void close(Scope scope) {
        try {
            scope.close();
        } catch (Throwable thrown) {
            log("taking away", scope, thrown);
        }
    }

    Runnable carrying(Runnable task) {
        Snapshot snapshot = capture();
        return () -> within(snapshot, task);
    }

    static void within(@Nullable Snapshot snapshot, Runnable task) {
        Scope scope = restored(snapshot);
        try {
            task.run();
        } finally {
            scope.close();
        }
    }

    /** The task is run in any case: somebody may wait for what it does. */
    private static Scope restored(@Nullable Snapshot snapshot) {
        try {
            return snapshot == null ? NOTHING_TO_UNDO : snapshot.restore();
        } catch (OutOfMemoryError none) {
            return NOTHING_TO_UNDO;
        }
    }

    private void log(String doing, Object what, Throwable thrown) {
        if (logged.add(what.getClass())) {
            Log.warn(
                    doing + " the context of a call threw; told once: "
                            + what.getClass().getName(),
                    thrown);
        }
    }
}
