/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.spi.TimeSource;
import java.lang.ref.WeakReference;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * What is known of the thread that a call starts on: the call inside which it runs, the bound deadline, and a call object
 * to use again. One look-up of a thread-local serves all three.
 */
final class Ambient {
    /**
     * The thread itself holds only what is the JDK's: a class of ours in it would keep our class loader for as long as the
     * thread lives, and what an idle thread keeps would keep its last pipeline. While something goes on, the stack holds the
     * object, or it is pinned; else the garbage collector takes it, and the next call makes another one.
     */
    private static final ThreadLocal<WeakReference<?>> OF_THREAD =
            ThreadLocal.withInitial(() -> new WeakReference<>(null));

    /** Holds the object while something is bound. Apart, since each call follows what is above. */
    private static final ThreadLocal<@Nullable Object> PINNED = new ThreadLocal<>();

    /**
     * The call object of this thread's outermost blocking calls; null on a virtual thread, of which there may be millions.
     * It stays here while it runs, and only a flag says so: a reference that is written into an old object costs the
     * garbage collector's barrier.
     */
    private final @Nullable CallState own;

    final Caller caller = new Caller(Thread.currentThread());

    private boolean ownRuns;
    /** Whether {@link #own} is a call outside of the work that this thread now does for another caller. */
    private boolean ownHidden;

    private @Nullable CallState inner;
    /** The asynchronous call whose classifier runs. */
    @Nullable
    CallState judged;

    /** The deadline, attempt, priority and calls of others under which this thread works; null: none. */
    @Nullable
    Bound bound;

    /** How many asynchronous continuations are nested on this thread's stack. */
    int depth;

    /**
     * Whether this thread is inside the walk of a call, where nothing of another call may run; not while an action of the
     * user's runs.
     */
    private boolean walking;

    private boolean draining;
    private @Nullable Queue<Runnable> later;

    private Ambient() {
        own = Threads.isVirtual(caller.thread) ? null : new CallState(CallState.USUAL_LAYERS, false, caller);
    }

    // ---- walks

    /** A walk begins; returns what goes to {@link #leaveWalk}. */
    boolean enterWalk() {
        boolean before = walking;
        walking = true;
        return before;
    }

    void leaveWalk(boolean before) {
        walking = before;
        runLater();
    }

    /** Whether the thread is in a walk that is not paused. */
    boolean walks() {
        return walking;
    }

    /** Pauses the walk while the user's code runs or the thread waits. Returns whether calls of others went on meanwhile. */
    boolean pauseWalk() {
        walking = false;
        return runLater();
    }

    void resumeWalk() {
        walking = true;
    }

    /** For {@link #runLater}. Continuations run one after the other, never one inside another. */
    void addLater(Runnable continuation) {
        Queue<Runnable> queue = later;
        if (queue == null) {
            queue = new ConcurrentLinkedQueue<>(); // a failure to add leaves it whole; see ArrayDeque
            later = queue;
        }
        queue.add(continuation);
    }

    /** Runs what was added: at once, or after the walk that the thread is in. Returns whether anything was there to be run. */
    boolean runLater() {
        Queue<Runnable> queue = later;
        if (queue == null || walking || draining || depth > 0) {
            return false;
        }
        draining = true;
        try {
            for (Runnable next = queue.poll(); next != null; next = queue.poll()) {
                runOne(next);
            }
            later = null;
        } finally {
            draining = false;
        }
        return true;
    }

    /** What breaks one of them is no reason for the others not to run, and no matter of the call after whose walk they run. */
    private static void runOne(Runnable continuation) {
        try {
            continuation.run();
        } catch (Throwable broken) {
            Log.warn("a call could not go on", broken);
        }
    }

    static Ambient get() {
        Ambient known = (Ambient) OF_THREAD.get().get();
        return known == null ? renewed() : known;
    }

    private static Ambient renewed() {
        Ambient made = new Ambient();
        OF_THREAD.set(new WeakReference<>(made));
        return made;
    }

    /** Binds this; it holds although nothing on the stack holds this object. */
    void bind(@Nullable Bound binding) {
        bound = binding;
        PINNED.set(binding == null ? null : this);
    }

    /** What holds of that which is bound. */
    @Nullable
    Bound bound() {
        Bound known = bound;
        return known == null ? null : known.now();
    }

    /** The number of the attempt inside which whatever begins on this thread runs; 0 if there is none that is known. */
    int attempt() {
        CallState outer = current();
        Bound bound = bound();
        int fromOutside = bound == null ? 0 : bound.attempt;
        if (outer == null) {
            return fromOutside;
        }
        // What runs after an attempt, such as a fallback or a classifier, is none: what it calls may be tried again.
        boolean isNone = outer.answering || isAfterItsAttempt(outer);
        return Math.max(fromOutside, isNone ? outer.outerAttempt : Math.max(outer.attempts, outer.outerAttempt));
    }

    /** The priority of what this thread works for; {@link Bound#UNSAID}. */
    int priority() {
        CallState outer = current();
        Bound bound = bound();
        int fromOutside = bound == null ? Bound.UNSAID : bound.priority;
        return outer == null ? fromOutside : Math.max(fromOutside, outer.saidPriority());
    }

    /** The calls of a key inside which whatever begins on this thread runs. */
    @Nullable
    Around around() {
        CallState outer = current();
        Bound bound = bound();
        Around fromOutside = bound == null ? null : bound.around;
        return outer == null
                ? fromOutside
                : Around.joined(
                        fromOutside, isAfterItsAttempt(outer) ? outer.aroundNoAttempt() : outer.withThoseAround());
    }

    /**
     * Whether a classifier or other code on the call's way up runs here, and no attempt or fallback. An asynchronous call goes up on
     * one thread while an attempt that was given up may still run on another.
     */
    private boolean isAfterItsAttempt(CallState call) {
        return call.async ? call == judged : !call.down && !call.answering;
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
            @Nullable Bound bound) {}

    boolean holdsNothing() {
        return current() == null && bound == null;
    }

    Held replace(@Nullable Bound by) {
        Held before = new Held(inner, ownHidden, bound); // first: if there is no memory for it, nothing has changed
        inner = null;
        ownHidden = ownRuns;
        bound = by;
        return before;
    }

    void putBack(Held before) {
        inner = before.inner;
        ownHidden = before.ownHidden;
        bound = before.bound;
    }

    // ---- limits

    /** Nanoseconds until the nearest limit that holds on this thread, on any clock; {@link Long#MAX_VALUE} without one. */
    long remaining(TimeSource time, long now) {
        Bound bound = bound();
        long nearest = bound == null ? Long.MAX_VALUE : bound.remaining(time, now);
        CallState outer = current();
        if (outer != null && outer.limited) {
            TimeSource other = outer.time();
            nearest = Math.min(nearest, outer.limitAt - (other == time ? now : other.nanos()));
        }
        return nearest;
    }
}
