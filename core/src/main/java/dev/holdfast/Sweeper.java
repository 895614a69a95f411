/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.spi.TimeSource;
import java.lang.ref.WeakReference;
import java.util.Iterator;
import java.util.Queue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Looks at all calls in flight once a period while there are any, and strikes those whose limit is over: on the timer's
 * thread, or in its place on that of a call which is about to begin an attempt.
 */
final class Sweeper {
    /** For so long nothing is found before the sweeping stops: starting it again costs a timer. */
    private static final long IDLE_NANOS = 200_000_000;

    private static final int FIRST_SIZE = 2_048;
    /** Places between the first tries of two threads: more than a cache line of references. */
    private static final int STRIDE = 32;

    private static final int TRIES = 2 * STRIDE;
    /** Random places that are all taken, before the table counts as full. */
    private static final int STARTS = 8;

    /** So late the thread of the timer is at times without being held up. */
    private static final long LATE_NANOS = 250_000;

    /** A call that sweeps over more would be late itself; a look takes some ten nanoseconds. */
    private static final int MOST_LOOKS_OF_A_CALL = 16_384;

    /** Generously: the first strike also links what it calls. */
    private static final int FRAMES_OF_A_STRIKE = 512;

    /** At so many empty places one looks in the time of a look at a call. */
    private static final int EMPTY_FOR_ONE = 8;

    /** Instead of an instant: no timer is set. */
    private static final long NEVER = 0;

    private final TimeSource time;
    private final Queue<WeakReference<CallState>> owned;
    private final long periodNanos;
    private final boolean ofLimits;
    /** When the next sweep is to begin. */
    private final AtomicLong due = new AtomicLong(NEVER);

    private volatile Table newest = new Table(FIRST_SIZE, null);
    /** Which timer goes on: one that was refused may have been set all the same. */
    private volatile long chain;
    // Written by whoever sweeps and read by callers, without care.
    private int looks;

    // By the timer's thread.
    private long idleNanos;

    Sweeper(TimeSource time, Queue<WeakReference<CallState>> owned, long periodNanos, boolean ofLimits) {
        this.time = time;
        this.owned = owned;
        this.periodNanos = periodNanos;
        this.ofLimits = ofLimits;
    }

    // ---- places of calls that no thread owns

    /** Places for calls; a place is taken by one compare-and-set and given back by one store. */
    static final class Table {
        final AtomicReferenceArray<CallState> places;
        final @Nullable Table smaller;

        Table(int size, @Nullable Table smaller) {
            places = new AtomicReferenceArray<>(size);
            this.smaller = smaller;
        }
    }

    void place(CallState call) {
        for (Table table = newest; !placed(call, table); table = newest) {
            grow(table);
        }
    }

    private static boolean placed(CallState call, Table table) {
        for (int starts = 0; starts < STARTS; starts++) {
            // Anywhere, so that the calls of one thread do not crowd.
            if (placed(call, table, ThreadLocalRandom.current().nextInt() * STRIDE)) {
                return true;
            }
        }
        return false;
    }

    private static boolean placed(CallState call, Table table, int start) {
        AtomicReferenceArray<CallState> places = table.places;
        int mask = places.length() - 1;
        for (int place = start; place - start < TRIES; place++) {
            int i = place & mask;
            if (places.getPlain(i) == null && places.compareAndSet(i, null, call)) {
                call.watchSlot = i;
                call.watchTable = table;
                return true;
            }
        }
        return false;
    }

    private synchronized void grow(Table full) {
        if (newest == full) {
            newest = new Table(full.places.length() * 2, full);
        }
    }

    // ---- sweeping

    /** If the timer's thread is held up, the call sweeps in its place. */
    void approach(CallState call) {
        long at = due.get();
        if (at != NEVER && call.now - at > LATE_NANOS && looks <= MOST_LOOKS_OF_A_CALL && hasStack()) {
            sweepInPlaceOfTheTimer(at, call.now);
            call.now = time.nanos();
        }
    }

    /** A claim cannot be taken back: where the stack ended in the middle of a strike, nobody would go on with that call. */
    private static boolean hasStack() {
        try {
            return deep(FRAMES_OF_A_STRIKE) == FRAMES_OF_A_STRIKE;
        } catch (StackOverflowError nearlyOver) {
            return false;
        }
    }

    private static int deep(int frames) {
        return frames == 0 ? 0 : 1 + deep(frames - 1);
    }

    private void sweepInPlaceOfTheTimer(long at, long now) {
        long begun = now | 1;
        if (due.compareAndSet(at, begun) && new Sweep(false).all()) {
            due.compareAndSet(begun, after(now));
        }
        // Else the next call goes on: this one has done enough, or whoever was woken by a strike took its
        // processor.
    }

    private long after(long now) {
        return now + periodNanos | 1; // never 0
    }

    void start() {
        if (due.get() == NEVER && due.compareAndSet(NEVER, after(time.nanos()))) {
            idleNanos = 0;
            schedule();
        }
    }

    private void schedule() {
        try {
            long link = chain + 1;
            chain = link;
            time.schedule(periodNanos, () -> sweep(link));
        } catch (Throwable noTimer) {
            // Else nobody would ever try again, and no limit strike.
            due.set(NEVER);
            throw noTimer;
        }
    }

    private void sweep(long link) {
        if (link != chain) {
            return;
        }
        idleNanos = foundAny() ? 0 : idleNanos + periodNanos;
        if (idleNanos < IDLE_NANOS) {
            due.set(after(time.nanos()));
            schedule();
            return;
        }
        due.set(NEVER);
        // A call that came after the last sweep may have seen that there was one to come.
        if (foundAny()) {
            start();
        }
    }

    private boolean foundAny() {
        Sweep sweep = new Sweep(true);
        return !sweep.all() || sweep.found > 0;
    }

    /** A look at all calls. */
    private final class Sweep {
        private final boolean onTimer;
        private final long now = time.nanos();
        /** What this sweeper has to sweep for: attempts of its kind, and places that are taken. */
        private int found;

        private boolean enough;

        Sweep(boolean onTimer) {
            this.onTimer = onTimer;
        }

        /** False if it was broken off. Throws nothing: the timer goes on, and a call with what is its own. */
        boolean all() {
            Ambient ambient = Ambient.get();
            boolean before = ambient.strikes;
            ambient.strikes = !onTimer;
            try {
                int seen = lookAtOwned();
                int places = 0;
                for (Table table = newest; table != null && !enough; table = table.smaller) {
                    seen += lookAt(table.places);
                    places += table.places.length();
                }
                if (!enough) {
                    looks = seen + places / EMPTY_FOR_ONE;
                }
            } catch (Throwable broken) {
                enough = true;
            } finally {
                ambient.strikes = before;
            }
            return !enough;
        }

        private int lookAtOwned() {
            int seen = 0;
            for (Iterator<WeakReference<CallState>> all = owned.iterator(); all.hasNext() && !enough; seen++) {
                CallState call = all.next().get();
                if (call == null) {
                    all.remove();
                } else if (look(call)) {
                    found++;
                }
            }
            return seen;
        }

        private int lookAt(AtomicReferenceArray<CallState> places) {
            int seen = 0;
            for (int i = 0, n = places.length(); i < n && !enough; i++) {
                CallState call = places.getAcquire(i);
                if (call != null) {
                    seen++;
                    look(call);
                }
            }
            found += seen;
            return seen;
        }

        /** Whether there is an attempt of this sweeper's kind. */
        private boolean look(CallState call) {
            // The number first: what is read after it belongs to this attempt or to a later one, and the claim of a
            // number that has passed fails. A thread's own object also serves pipelines on other sources of time.
            long number = call.openNumber();
            if (number < 0 || call.time() != time) {
                return false;
            }
            boolean overdue = call.limited && call.limitAt - now <= 0;
            try {
                if (onTimer) {
                    tell(call, number);
                }
                if (overdue) {
                    call.strike(number);
                }
            } catch (Throwable broken) {
                // The other calls have limits too.
                Interpreter.log("a limit of '" + call.pipeline() + "' could not be kept", broken);
            }
            if (overdue && !onTimer && time.nanos() - now > LATE_NANOS) {
                enough = true;
            }
            return ofLimits == (call.limited || call.race() != null);
        }

        /** On the timer's thread alone: two at a time would tell a policy twice, and a call is not to start hedges. */
        private void tell(CallState call, long number) {
            Alarms alarms = call.alarms;
            if (alarms == null) {
                return;
            }
            if (now - call.attemptStart >= alarms.due()) {
                alarms.tell(call, number, now);
            }
            Race race = alarms.race;
            if (race != null) {
                race.look(now);
            }
        }
    }
}
