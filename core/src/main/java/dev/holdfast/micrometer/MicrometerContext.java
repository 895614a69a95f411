/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.micrometer;

import dev.holdfast.internal.micrometer.DeadlineAccessor;
import dev.holdfast.spi.CallContext;
import io.micrometer.context.ContextRegistry;
import io.micrometer.context.ContextSnapshot;
import io.micrometer.context.ContextSnapshotFactory;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Carries the thread-locals that are registered with Micrometer's context-propagation: the MDC, the trace, your own. A
 * thread-local without a value on the caller's thread has none on the other thread either.
 *
 * <p>Every pipeline uses it if {@code io.micrometer:context-propagation} is on the class path, unless it is told otherwise.
 * While nothing is registered, it costs a look at the registry.
 */
public final class MicrometerContext implements CallContext {
    private final ContextRegistry registry;
    private final ContextSnapshotFactory factory;

    /** For the registry {@link ContextRegistry#getInstance}. */
    public MicrometerContext() {
        this(ContextRegistry.getInstance());
    }

    private MicrometerContext(ContextRegistry registry) {
        this.registry = registry;
        factory = ContextSnapshotFactory.builder()
                .contextRegistry(registry)
                .captureKeyPredicate(MicrometerContext::isCarried)
                .clearMissing(true)
                .build();
    }

    /** For this registry. */
    public static MicrometerContext of(ContextRegistry registry) {
        return new MicrometerContext(Objects.requireNonNull(registry, "registry"));
    }

    @Override
    public @Nullable Snapshot capture() {
        if (nothingRegistered()) {
            return null;
        }
        ContextSnapshot snapshot = factory.captureAll();
        return () -> snapshot.setThreadLocals(MicrometerContext::isCarried)::close;
    }

    /** The pipeline carries the deadline itself. Inside an attempt it is not the caller's. */
    private static boolean isCarried(Object key) {
        return !DeadlineAccessor.KEY.equals(key);
    }

    private boolean nothingRegistered() {
        List<?> registered = registry.getThreadLocalAccessors();
        return registered.isEmpty() || (registered.size() == 1 && registered.get(0) instanceof DeadlineAccessor);
    }
}
