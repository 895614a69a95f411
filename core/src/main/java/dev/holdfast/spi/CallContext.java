/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spi;

import org.jspecify.annotations.Nullable;

/**
 * What code finds on its thread without being handed it, such as the MDC or the trace, and how it gets to the other threads
 * that run for a call.
 *
 * <p>Captured once a call, on its caller's thread, and only if something of the call may run elsewhere: when an
 * asynchronous call waits for the first time, when background work or a dedicated thread starts, when a call may be hedged;
 * and for each {@code onCancel} hook of a blocking attempt. Any other blocking call that stays on its thread never asks for
 * it. Restored around whatever the pipeline runs for that call on another thread.
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
 * <p>Called by many threads at once. What it throws is logged once and breaks no call. Implementations that are named in
 * {@code META-INF/services/dev.holdfast.spi.CallContext} are carried by every pipeline that is not told otherwise.
 */
@FunctionalInterface
public interface CallContext {

    /** Takes down what the current thread has; null if it has nothing that another thread must be given. */
    @Nullable
    Snapshot capture();

    /** What a thread had at one moment. Immutable; restored any number of times, on several threads at once too. */
    @FunctionalInterface
    interface Snapshot {
        /** Gives it to the current thread, until the scope is closed on the same thread. Undoes itself if it throws. */
        Scope restore();
    }

    /** A snapshot in force on one thread. Scopes are closed in the reverse of their order. */
    @FunctionalInterface
    interface Scope extends AutoCloseable {
        /** Gives back to the thread what it had before. */
        @Override
        void close();
    }
}
