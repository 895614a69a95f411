/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spi;

import org.jspecify.annotations.Nullable;

/**
 * Carries values that belong to a thread, such as the MDC or the trace, to the other threads that run for a call.
 *
 * <p>Captured once for each call, on the caller's thread, and only if a part of the call may run elsewhere: when an
 * asynchronous call waits for the first time, when background work or a dedicated thread starts, when a call may be hedged.
 * Also captured for each {@code onCancel} hook of a blocking attempt, but by no other blocking call that stays on its thread.
 * Restored around everything that the pipeline runs for that call on another thread.
 *
 * <pre>{@code
 * Pipeline.builder("inventory").context(() -> {
 *     String tenant = TENANT.get();                    // on the caller's thread
 *     return () -> {
 *         String before = TENANT.get();                // on the thread that goes on with the call
 *         TENANT.set(tenant);
 *         return () -> TENANT.set(before);
 *     };
 * })
 * }</pre>
 *
 * <p>Called by many threads at once. An exception that it throws is logged once and breaks no call. Every pipeline uses the
 * implementations that are named in {@code META-INF/services/dev.holdfast.spi.CallContext}, unless it is told otherwise.
 */
@FunctionalInterface
public interface CallContext {

    /** Records the values of the current thread; null if there is nothing to carry. */
    @Nullable
    Snapshot capture();

    /** The values of a thread at one moment. Immutable; restored any number of times, also on several threads at once. */
    @FunctionalInterface
    interface Snapshot {
        /** Sets the values on the current thread, until the scope is closed on the same thread. Undoes itself if it throws. */
        Scope restore();
    }

    /** A snapshot in force on one thread. Scopes are closed in the reverse of their order. */
    @FunctionalInterface
    interface Scope extends AutoCloseable {
        /** Sets the values that the thread had before. */
        @Override
        void close();
    }
}
