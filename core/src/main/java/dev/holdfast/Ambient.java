/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.spi.TimeSource;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * What is known of the thread that a call starts on: the call inside which it runs, the bound deadline, and a call object
 * to use again. One look-up of a thread-local serves all three.
 */
final class Ambient {
    private static final ThreadLocal<Ambient> OF_THREAD = ThreadLocal.withInitial(Ambient::new);

    /**
     * The call object of this thread's outermost blocking calls; null on a virtual thread, of which there may be millions.
     * It stays here while it runs, and only a flag says so: a reference that is written into an old object costs the
     * garbage collector's barrier.
     */
    private final @Nullable CallState own =
            Threads.isVirtual(Thread.currentThread()) ? null : CallState.ofThread(Thread.currentThread());

    private boolean ownRuns;
    /** Whether {@link #own} runs further out than what this thread is in the middle of for somebody else. */
    private boolean ownHidden;

    private @Nullable CallState inner;

    /** The deadline that {@link Deadline#within} bound; not looked at if {@link #boundTime} is null. */
    long boundAt;

    @Nullable
    TimeSource boundTime;

    /** The number of the attempt outside of this process that an inbound request belongs to; 0 if none is known. */
    int boundAttempt;

    /** How many asynchronous continuations are nested on this thread's stack. */
    int depth;

    /** Whether this thread, in the middle of a call, strikes others in the place of the timer's: it must run nothing of theirs. */
    boolean strikes;

    private @Nullable Deque<Runnable> later;

    private Ambient() {}

    /** To be run when the continuation that runs on this stack is over. */
    void later(Runnable continuation) {
        if (later == null) {
            later = new ArrayDeque<>();
        }
        later.add(continuation);
    }

    void runLater() {
        while (later != null && !later.isEmpty()) {
            later.remove().run();
        }
    }

    static Ambient get() {
        return OF_THREAD.get();
    }

    /** The number of the attempt inside which whatever begins on this thread runs; 0 if there is none that is known. */
    int attempt() {
        CallState outer = current();
        return outer == null ? boundAttempt : Math.max(boundAttempt, Math.max(outer.attempts, outer.outerAttempt));
    }

    /** The innermost call whose action runs on this thread. */
    @Nullable
    CallState current() {
        CallState innermost = inner;
        return innermost != null ? innermost : ownRuns && !ownHidden ? own : null;
    }

    /** The thread's own call object, which runs from now on; null if it cannot, since there is another call around it. */
    @Nullable
    CallState enterOwn() {
        if (own == null || ownRuns || inner != null) {
            return null;
        }
        ownRuns = true;
        return own;
    }

    void leaveOwn() {
        ownRuns = false;
    }

    /** The innermost call but for the thread's own object; goes to {@link #leave} after an {@link #enter}. */
    @Nullable
    CallState inner() {
        return inner;
    }

    /** Another call runs from now on. */
    void enter(CallState call) {
        inner = call;
    }

    void leave(@Nullable CallState before) {
        inner = before;
    }

    // ---- going on with another caller's call

    /** What holds on one thread, to be put back there. */
    record Held(
            @Nullable CallState inner,
            boolean ownHidden,
            @Nullable TimeSource boundTime,
            long boundAt,
            int boundAttempt) {}

    boolean holdsNothing() {
        return current() == null && boundTime == null && boundAttempt == 0;
    }

    /** From now on what held where this call was made holds here too, and nothing else. */
    Held replace(CallState call) {
        Held before = new Held(inner, ownHidden, boundTime, boundAt, boundAttempt);
        inner = null;
        ownHidden = ownRuns;
        boundTime = call.inheritedNanos == Long.MAX_VALUE ? null : call.time();
        boundAt = call.startNanos + call.inheritedNanos;
        boundAttempt = call.outerAttempt;
        return before;
    }

    void putBack(Held before) {
        inner = before.inner;
        ownHidden = before.ownHidden;
        boundTime = before.boundTime;
        boundAt = before.boundAt;
        boundAttempt = before.boundAttempt;
    }

    // ---- limits

    /** Nanoseconds until the nearest limit that holds on this thread, on any clock; {@link Long#MAX_VALUE} without one. */
    long remaining(TimeSource time, long now) {
        long nearest = boundRemaining(time, now);
        CallState outer = current();
        if (outer != null && outer.limited) {
            TimeSource other = outer.time();
            nearest = Math.min(nearest, outer.limitAt - (other == time ? now : other.nanos()));
        }
        return nearest;
    }

    /** As {@link #remaining}, without regard to the call that runs on this thread. */
    long boundRemaining(TimeSource time, long now) {
        TimeSource bound = boundTime;
        return bound == null ? Long.MAX_VALUE : boundAt - (bound == time ? now : bound.nanos());
    }
}
