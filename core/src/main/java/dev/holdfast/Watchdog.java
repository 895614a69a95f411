/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import dev.holdfast.spi.TimeSource;
import java.lang.ref.WeakReference;
import java.util.Iterator;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Strikes attempts that have outlived their limit. On the system's time there is one for all calls in flight: a table that is
 * swept once a millisecond while there is anything in it, since a timer task for each call costs more than all the policies
 * together. On any other time each limit is a timer of its own, so that it strikes at its exact instant.
 */
abstract class Watchdog {
    private static final Watchdog SYSTEM = new Sweeping(TimeSource.system());

    static Watchdog on(TimeSource time) {
        return time == TimeSource.system() ? SYSTEM : new Exact(time);
    }

    /** Watches the open attempt of this call, whose limit does not change meanwhile. */
    abstract void watch(CallState call, long number);

    /** The attempt is over. */
    abstract void release(CallState call);

    private static final class Exact extends Watchdog {
        private final TimeSource time;

        Exact(TimeSource time) {
            this.time = time;
        }

        @Override
        void watch(CallState call, long number) {
            call.limitTimer = time.schedule(call.limitAt - call.now, () -> call.strike(number));
        }

        @Override
        void release(CallState call) {
            TimeSource.Timer timer = call.limitTimer;
            if (timer != null) {
                timer.cancel();
                call.limitTimer = null;
            }
        }
    }

    /** Places for calls; a place is taken by one compare-and-set and given back by one store. */
    static final class Table {
        final AtomicReferenceArray<CallState> places;
        final @Nullable Table smaller;

        Table(int size, @Nullable Table smaller) {
            places = new AtomicReferenceArray<>(size);
            this.smaller = smaller;
        }
    }

    private static final class Sweeping extends Watchdog {
        private static final long RESOLUTION_NANOS = 1_000_000;
        /** Sweeps over an empty table before the sweeping stops: starting it again costs a timer. */
        private static final int IDLE_SWEEPS = 200;

        private static final int FIRST_SIZE = 2_048;
        /** Places between the first tries of two threads: more than a cache line of references. */
        private static final int STRIDE = 32;

        private static final int TRIES = 2 * STRIDE;
        /** Random places that are all taken, before the table counts as full. */
        private static final int STARTS = 8;

        private final TimeSource time;
        private final AtomicBoolean sweeping = new AtomicBoolean();
        /** The threads' own call objects, each met once: its calls then cost nothing but their word. */
        private final Queue<WeakReference<CallState>> owned = new ConcurrentLinkedQueue<>();

        private volatile Table newest = new Table(FIRST_SIZE, null);
        private int idle;

        Sweeping(TimeSource time) {
            this.time = time;
        }

        @Override
        void watch(CallState call, long number) {
            if (!call.known) {
                meet(call);
            }
            if (!sweeping.get()) {
                startSweeping();
            }
        }

        private void meet(CallState call) {
            if (call.own) {
                owned.add(new WeakReference<>(call));
                call.known = true;
                return;
            }
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

        @Override
        @SuppressWarnings("NullAway") // an empty place is null; the array has no way to say so
        void release(CallState call) {
            Table table = call.watchTable;
            if (table != null) {
                call.watchTable = null;
                table.places.setRelease(call.watchSlot, null);
            }
        }

        private void startSweeping() {
            if (sweeping.compareAndSet(false, true)) {
                idle = 0;
                time.schedule(RESOLUTION_NANOS, this::sweep);
            }
        }

        private void sweep() {
            idle = sweepAll() ? idle + 1 : 0;
            if (idle < IDLE_SWEEPS) {
                time.schedule(RESOLUTION_NANOS, this::sweep);
                return;
            }
            sweeping.set(false);
            // A call that came after the last sweep may have seen that sweeping still went on.
            if (!sweepAll()) {
                startSweeping();
            }
        }

        private boolean sweepAll() {
            long now = time.nanos();
            boolean empty = true;
            for (Iterator<WeakReference<CallState>> all = owned.iterator(); all.hasNext(); ) {
                CallState call = all.next().get();
                if (call == null) {
                    all.remove();
                } else {
                    empty &= !look(call, now);
                }
            }
            for (Table table = newest; table != null; table = table.smaller) {
                empty &= sweep(table.places, now);
            }
            return empty;
        }

        private boolean sweep(AtomicReferenceArray<CallState> places, long now) {
            boolean empty = true;
            for (int i = 0, n = places.length(); i < n; i++) {
                CallState call = places.getAcquire(i);
                if (call != null) {
                    empty = false;
                    look(call, now);
                }
            }
            return empty;
        }

        /** Whether there is an attempt to watch. */
        private boolean look(CallState call, long now) {
            // The number first: what is read after it belongs to this attempt or to a later one, and the claim of a
            // number that has passed fails. A thread's own object also serves pipelines on other sources of time.
            long number = call.openNumber();
            if (number < 0 || call.time() != time) {
                return false;
            }
            if (call.limitAt - now <= 0) {
                call.strike(number);
            }
            return true;
        }
    }
}
