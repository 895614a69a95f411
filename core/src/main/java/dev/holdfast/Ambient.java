/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.spi.TimeSource;
import org.jspecify.annotations.Nullable;

/**
 * What is known of the thread that a call starts on: the call inside which it runs, the bound deadline, and a call object
 * to use again. One look-up of a thread-local serves all three.
 */
final class Ambient {
    private static final ThreadLocal<Ambient> OF_THREAD = ThreadLocal.withInitial(Ambient::new);

    /** The innermost call whose action runs on this thread. */
    @Nullable
    CallState current;

    /** The deadline that {@link Deadline#within} bound; not looked at if {@link #boundTime} is null. */
    long boundAt;

    @Nullable
    TimeSource boundTime;

    /** Kept for the next outermost blocking call of this thread; null while one runs. */
    @Nullable
    CallState spare;

    /** How many asynchronous continuations are nested on this thread's stack. */
    int depth;

    private Ambient() {}

    static Ambient get() {
        return OF_THREAD.get();
    }

    /** Nanoseconds until the deadline bound on this thread, on any clock; {@link Long#MAX_VALUE} without one. */
    long remaining(TimeSource time, long now) {
        long nearest = Long.MAX_VALUE;
        TimeSource bound = boundTime;
        if (bound != null) {
            nearest = boundAt - (bound == time ? now : bound.nanos());
        }
        CallState outer = current;
        if (outer != null && outer.limited) {
            TimeSource other = outer.time;
            nearest = Math.min(nearest, outer.limitAt - (other == time ? now : other.nanos()));
        }
        return nearest;
    }
}
