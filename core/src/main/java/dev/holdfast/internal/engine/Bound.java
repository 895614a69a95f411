/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.CheckedSupplier;
import dev.holdfast.spi.TimeSource;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What is bound to a thread, and goes with the work to other threads: the deadline, the number of the attempt, the priority and
 * the calls around it. Immutable, but for one of {@link #until}. Each static method acts on the current thread.
 */
public final class Bound {
    /** A priority of which nobody said anything: less than the rank of each {@link dev.holdfast.Call.Priority}. */
    public static final int UNSAID = -1;

    static final int USUAL = 1;
    static final int SHEDDABLE = 2;

    /** The clock of the deadline; null: there is no deadline. */
    final @Nullable TimeSource time;

    private final long until;
    final int attempt;
    /** The rank of a {@link dev.holdfast.Call.Priority}, or {@link #UNSAID}. Of two, the greater one holds: the lower priority. */
    final int priority;

    final @Nullable Around around;

    /** What was bound to the thread itself when {@link #current} made this. The call that ran there adds the rest. */
    final @Nullable Bound own;

    /** Says that {@link #then} holds in place of this; null: it never does. */
    private final @Nullable BooleanSupplier over;

    private final @Nullable Bound then;

    private Bound(@Nullable TimeSource time, long until, int attempt, int priority, @Nullable Around around) {
        this(time, until, attempt, priority, around, null, null, null);
    }

    private Bound(
            @Nullable TimeSource time,
            long until,
            int attempt,
            int priority,
            @Nullable Around around,
            @Nullable Bound own,
            @Nullable BooleanSupplier over,
            @Nullable Bound then) {
        this.time = time;
        this.until = until;
        this.attempt = attempt;
        this.priority = priority;
        this.around = around;
        this.own = own;
        this.over = over;
        this.then = then;
    }

    /** What the caller of this call had on its thread; null if it had nothing. */
    static @Nullable Bound ofCaller(CallState call) {
        return call.inheritsNothing()
                ? null
                : new Bound(
                        call.inheritedNanos == Long.MAX_VALUE ? null : call.time(),
                        call.startNanos + call.inheritedNanos,
                        call.outerAttempt,
                        call.outerPriority,
                        call.around);
    }

    /** What the attempt of this call that is about to run has on its thread. */
    static Bound ofAttempt(CallState call) {
        return new Bound(
                call.limited ? call.time() : null,
                call.limitAt,
                Math.max(call.attempts, call.outerAttempt),
                call.saidPriority(),
                call.withThoseAround());
    }

    /** What holds now; null if nothing does. */
    public static @Nullable Bound current() {
        Ambient here = Ambient.get();
        Bound own = here.bound();
        CallState outer = here.current();
        TimeSource time =
                own != null && own.time != null ? own.time : outer != null ? outer.time() : TimeSource.system();
        long now = time.nanos();
        long remaining = here.remaining(time, now);
        int attempt = here.attempt();
        int priority = here.priority();
        Around around = here.around();
        if (remaining == Long.MAX_VALUE && attempt == 0 && priority == UNSAID && around == null) {
            return null;
        }
        Bound all = outer == null ? own : null;
        return new Bound(
                remaining == Long.MAX_VALUE ? null : time,
                now + remaining,
                attempt,
                priority,
                around,
                own,
                all == null ? null : all.over,
                all == null ? null : all.then);
    }

    /**
     * Runs this with what holds now, until that says that it is over. From then on the other one holds, also wherever the task has
     * captured what held.
     */
    public static <T extends @Nullable Object> T until(BooleanSupplier over, @Nullable Bound then, Supplier<T> task) {
        Bound now = current();
        if (now == null) {
            return task.get();
        }
        Ambient here = Ambient.get();
        Ambient.Held before =
                here.replace(new Bound(now.time, now.until, now.attempt, now.priority, now.around, null, over, then));
        try {
            return task.get();
        } finally {
            here.putBack(before);
        }
    }

    /** Runs this with what holds now, but for the deadline. */
    public static void unlimited(Runnable task) {
        Bound now = current();
        Ambient here = Ambient.get();
        Ambient.Held before =
                here.replace(now == null ? null : new Bound(null, 0, now.attempt, now.priority, now.around));
        try {
            task.run();
        } finally {
            here.putBack(before);
        }
    }

    /** The same, in no attempt. */
    public Bound withoutAttempt() {
        return new Bound(time, until, 0, priority, around, null, over, then);
    }

    /** What holds of this; null if nothing does any more. */
    @Nullable
    Bound now() {
        Bound holds = this;
        while (holds != null && holds.over != null && holds.over.getAsBoolean()) {
            holds = holds.then;
        }
        return holds;
    }

    /** Binds what held somewhere else; null: nothing. It holds until {@link #restore} is called with what was bound before. */
    public static void set(@Nullable Bound elsewhere) {
        Ambient.get().bind(elsewhere == null ? null : elsewhere.alone());
    }

    /**
     * Without what was bound to the thread that told it: where work hops from thread to thread, each hop would keep that of all
     * before.
     */
    private Bound alone() {
        return own == null ? this : new Bound(time, until, attempt, priority, around, null, over, then);
    }

    /** Puts back what {@link #current} told on this very thread before something was set. */
    public static void restore(@Nullable Bound before) {
        Ambient.get().bind(before == null ? null : before.own);
    }

    /** Nanoseconds that are left on this thread, perhaps less than 0; {@link Long#MAX_VALUE} if nothing limits it. */
    public static long remaining() {
        Bound own = Ambient.get().bound();
        return remaining(own != null && own.time != null ? own.time : TimeSource.system());
    }

    /** As {@link #remaining()}, on the clock of this source. */
    public static long remaining(TimeSource time) {
        return Ambient.get().remaining(time, time.nanos());
    }

    /** The number of the attempt inside which this thread works; 0 if there is none that is known. */
    public static int attempt() {
        return Ambient.get().attempt();
    }

    /** The priority of what this thread works for: the rank of a {@link dev.holdfast.Call.Priority}; {@link #UNSAID}. */
    public static int priority() {
        return Ambient.get().priority();
    }

    /** Nanoseconds until this deadline, perhaps less than 0; {@link Long#MAX_VALUE} without one. */
    public long left() {
        Bound holds = now();
        return holds == null || holds.time == null ? Long.MAX_VALUE : holds.until - holds.time.nanos();
    }

    /** Nanoseconds until this deadline, on any clock; {@link Long#MAX_VALUE} without one. */
    long remaining(TimeSource other, long now) {
        TimeSource mine = time;
        return mine == null ? Long.MAX_VALUE : until - (mine == other ? now : mine.nanos());
    }

    /**
     * Runs this within so many nanoseconds, or what is left if that is less, in an attempt of this number at least, and with this
     * priority, or the one that holds if that is lower.
     */
    public static <T extends @Nullable Object, E extends Exception> T within(
            TimeSource time, long nanos, int attempt, int priority, CheckedSupplier<T, E> action) throws E {
        long now = time.nanos();
        Ambient here = Ambient.get();
        long remaining = Math.min(nanos, here.remaining(time, now));
        TimeSource limiting = remaining == Long.MAX_VALUE ? null : time;
        Bound before = here.bound();
        int number = before == null ? attempt : Math.max(attempt, before.attempt);
        return new Bound(limiting, now + remaining, number, priority, null).call(action);
    }

    /** Runs this with this priority, or the one that holds if that is lower. */
    public static <T extends @Nullable Object, E extends Exception> T within(int priority, CheckedSupplier<T, E> action)
            throws E {
        Bound before = Ambient.get().bound();
        return new Bound(null, 0, before == null ? 0 : before.attempt, priority, null).call(action);
    }

    /** Runs this with what held elsewhere. */
    public void run(Runnable task) {
        call(() -> {
            task.run();
            return null;
        });
    }

    /** Binds this to the thread while the action runs. A deadline that is bound already holds on if this has none. */
    <T extends @Nullable Object, E extends Exception> T call(CheckedSupplier<T, E> action) throws E {
        Ambient here = Ambient.get();
        Bound before = here.bound;
        Bound outer = here.bound();
        here.bound = outer == null ? this : inside(outer);
        try {
            return action.get();
        } finally {
            here.bound = before;
        }
    }

    private Bound inside(Bound outer) {
        Bound limit = time == null ? outer : this;
        return new Bound(
                limit.time,
                limit.until,
                attempt,
                Math.max(priority, outer.priority),
                Around.joined(around, outer.around));
    }
}
