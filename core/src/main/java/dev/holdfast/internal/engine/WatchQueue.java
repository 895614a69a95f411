/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.internal.Stripes;
import dev.holdfast.spi.TimeSource;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.PriorityQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * The watchdog of all calls on one time source. An attempt puts an entry into an inbox. One timer wakes for the entry that is
 * due first, moves the inboxes into a queue that belongs to it alone, and looks at the calls that are due.
 *
 * <p>An attempt that ends does not take its entry out. It empties the entry, which the next attempt may fill, or which the
 * timer drops. The call object of a thread stays in its entry between calls, until the timer finds it idle.
 *
 * <p>An entry promises a look at an instant. An attempt writes its data, then reads the promise. The timer writes a later
 * promise, then reads the attempt. So at least one sees the other: the attempt posts another entry, or the timer looks again.
 */
final class WatchQueue extends Watchdog {
    /** How exact limits are: the timer does not wake more often. */
    private static final long PERIOD_NANOS = 1_000_000;
    /** The timer looks at new entries after this time at the latest, so that inboxes do not grow. */
    private static final long LOOK_NANOS = 50_000_000;
    /** Emptied entries stay for at most this time, and so does the entry of a thread that makes no more calls. */
    private static final long KEEP_NANOS = 1_000_000_000;
    /** Looking for emptied entries takes some ten nanoseconds an entry; so this is at most 1 % of a processor. */
    private static final long KEEP_NANOS_AN_ENTRY = 2_000;
    /** A timer that is as late says that the whole process stood still: a long garbage collection, a frozen container. */
    private static final long STOOD_STILL_NANOS = 50_000_000;
    /**
     * Then answers may be there at which nobody could look. What is due waits for them, once for each attempt: limits also strike
     * on a machine that is always too busy.
     */
    private static final long GRACE_NANOS = 100_000_000;
    /** A timer that is as late may have been lost with its thread. The next call sets another one. */
    private static final long LOST_NANOS = 1_000_000_000;
    /** Between two inboxes: two cache lines of references. */
    private static final int STRIDE = 2 * Stripes.STRIDE;
    /** The timer sleeps for this time if nobody wakes it: longer than any limit. */
    private static final long ASLEEP_NANOS = Long.MAX_VALUE / 2;

    /** The number of an attempt where none is under way. */
    private static final long NONE = -1;

    /** Watches attempts, one after the other. */
    static final class Entry {
        private static final VarHandle CALL = Handles.of(MethodHandles.lookup(), "call", CallState.class);

        final WatchQueue queue;

        /** Null: emptied. */
        volatile @Nullable CallState call;

        /** The promise: the timer looks at this instant, or at an earlier one. */
        volatile long at;

        /** When the timer looks. Only the timer reads and writes it. */
        long dueAt;

        /** The number of the attempt that has had its grace. Only the timer reads and writes it. */
        long graced = NONE;

        @Nullable
        Entry next;

        Entry(WatchQueue queue, CallState call, long at) {
            this.queue = queue;
            this.call = call;
            this.at = at;
            dueAt = at;
        }

        void promise(long instant) {
            dueAt = instant;
            at = instant;
        }

        boolean promises(WatchQueue asked, long due) {
            return queue == asked && at - due <= 0;
        }

        boolean fill(CallState newCall, long due) {
            if (call == null && promises(queue, due) && CALL.compareAndSet(this, null, newCall)) {
                if (promises(queue, due)) {
                    return true;
                }
                empty();
            }
            return false;
        }

        void empty() {
            CALL.setRelease(this, null);
        }
    }

    private final TimeSource time;
    private final AtomicReferenceArray<@Nullable Entry> inboxes = new AtomicReferenceArray<>(Stripes.count() * STRIDE);

    /** When the timer wakes at the latest, or was to wake if it is awake. */
    private volatile long wakeAt;

    // Guarded by this.
    private TimeSource.@Nullable Timer timer;
    private long wokeAt;

    // Of the timer alone.
    private PriorityQueue<Entry> queue = new PriorityQueue<>((a, b) -> Long.signum(a.dueAt - b.dueAt));
    /** What was taken from an inbox and is not in the queue yet. */
    private @Nullable Entry taken;

    private long tidyAt;

    WatchQueue(TimeSource time) {
        this.time = time;
        wokeAt = time.nanos() - PERIOD_NANOS;
        wakeAt = wokeAt + ASLEEP_NANOS;
        tidyAt = wokeAt;
    }

    // ---- by calls

    @Override
    void watch(CallState call, long number) {
        long limit = call.limited ? call.limitAt - call.attemptStart : Alarms.NEVER;
        long wait = call.alarms == null ? limit : Math.min(limit, call.alarms.waitNanos(0));
        if (wait > CallLimits.LONGEST_LIMIT) {
            return;
        }
        long due = call.attemptStart + wait;
        long soon = call.attemptStart + Math.min(wait, LOOK_NANOS);
        Entry known = call.entry;
        if (!call.own) {
            call.entry = filled(call, due);
        } else if (known == null || !known.promises(this, due)) {
            call.entry = posted(new Entry(this, call, soon), inbox());
            if (known != null) {
                known.empty();
            }
        }
        // Unsigned, so also if `soon` is before `wakeAt`.
        if (Long.compareUnsigned(soon - wakeAt, LOST_NANOS + LOOK_NANOS) > 0) {
            wakeBy(soon);
        }
    }

    private int inbox() {
        return (Stripes.current() * STRIDE) & (inboxes.length() - 1);
    }

    private Entry filled(CallState call, long due) {
        int inbox = inbox();
        Entry newest = inboxes.get(inbox);
        return newest != null && newest.fill(call, due) ? newest : posted(new Entry(this, call, due), inbox);
    }

    private Entry posted(Entry entry, int inbox) {
        Entry newest;
        do {
            newest = inboxes.get(inbox);
            entry.next = newest;
        } while (!inboxes.weakCompareAndSetVolatile(inbox, newest, entry));
        return entry;
    }

    @Override
    void release(CallState call) {
        Entry entry = call.own ? null : call.entry;
        if (entry != null) {
            call.entry = null;
            entry.empty();
        }
    }

    @Override
    long graceNanos(long lateNanos) {
        return lateNanos >= STOOD_STILL_NANOS ? GRACE_NANOS : 0;
    }

    private synchronized void wakeBy(long instant) {
        long now = time.nanos();
        if (now - wakeAt > LOST_NANOS) {
            setTimer(0);
            // It is to see that it is late, if the process stood still and nothing was lost.
            wakeAt = now - STOOD_STILL_NANOS;
            return;
        }
        long earliest = wokeAt + PERIOD_NANOS;
        long at = instant - earliest < 0 ? earliest : instant;
        // A call that was slow to come here asks for an instant that has passed: the timer is not late for that.
        at = at - now < 0 ? now : at;
        if (at - wakeAt < 0) {
            setTimer(at - now);
            wakeAt = at;
        }
    }

    private void setTimer(long delayNanos) {
        // One that is refused may be set all the same. Then it wakes in vain.
        TimeSource.Timer set = time.schedule(delayNanos, this::wake);
        if (timer != null) {
            timer.cancel();
        }
        timer = set;
    }

    /** How many entries the timer has in its queue. */
    int size() {
        return queue.size();
    }

    // ---- by the timer

    private void wake() {
        long now = time.nanos();
        boolean stoodStill = now - wakeAt >= STOOD_STILL_NANOS;
        try {
            takeInboxes();
            for (Entry first = queue.peek(); first != null && first.dueAt - now <= 0; first = queue.peek()) {
                queue.remove();
                look(first, now, stoodStill);
            }
            if (queue.isEmpty() || now - tidyAt >= 0) {
                tidy(now);
            }
        } finally {
            sleepAtLast(now);
        }
    }

    /** Without a timer, no limit would strike before another call sets one. So the thread waits here for the memory. */
    private void sleepAtLast(long now) {
        for (; ; ) {
            try {
                sleep(now);
                return;
            } catch (OutOfMemoryError | RejectedExecutionException refused) {
                if (refused instanceof RejectedExecutionException
                        && !(refused.getCause() instanceof OutOfMemoryError)) {
                    throw refused;
                }
                time.park(this, PERIOD_NANOS);
            }
        }
    }

    /** Sets the next timer. A thread that has just posted an entry waits for this lock. */
    private synchronized void sleep(long now) {
        wokeAt = now;
        wakeAt = now + ASLEEP_NANOS;
        takeInboxes();
        Entry first = queue.peek();
        if (first != null) {
            wakeBy(first.dueAt - tidyAt < 0 ? first.dueAt : tidyAt);
        }
    }

    private void takeInboxes() {
        queueTaken();
        for (int inbox = 0; inbox < inboxes.length(); inbox += STRIDE) {
            if (inboxes.get(inbox) != null) {
                taken = inboxes.getAndSet(inbox, null);
                queueTaken();
            }
        }
    }

    private void queueTaken() {
        for (Entry entry = taken; entry != null; entry = taken) {
            if (!droppedIfEmpty(entry)) {
                queue.add(entry);
            }
            taken = entry.next;
            entry.next = null;
        }
    }

    /** Drops what was emptied, and gives the memory of a peak back. */
    private void tidy(long now) {
        queue.removeIf(this::droppedIfEmpty);
        queue = new PriorityQueue<>(queue);
        tidyAt = now + KEEP_NANOS + queue.size() * KEEP_NANOS_AN_ENTRY;
    }

    private boolean droppedIfEmpty(Entry entry) {
        if (entry.call == null) {
            entry.at = tidyAt + ASLEEP_NANOS;
            return entry.call == null;
        }
        return false;
    }

    private void look(Entry entry, long now, boolean stoodStill) {
        boolean letGo = entry.at - now > CallLimits.LONGEST_LIMIT;
        CallState call = entry.call;
        long number = numberUnderWay(call);
        long wait = call == null || number == NONE ? Alarms.NEVER : look(entry, call, number, now, stoodStill);
        boolean goesOn = wait <= CallLimits.LONGEST_LIMIT;
        if (goesOn) {
            entry.promise(now + Math.max(1, call != null && call.own ? Math.min(wait, KEEP_NANOS) : wait));
        } else {
            entry.at = now + ASLEEP_NANOS;
            entry.dueAt = now + LOOK_NANOS;
        }
        CallState newCall = entry.call;
        long newNumber = numberUnderWay(newCall);
        if (newNumber != NONE && (newCall != call || newNumber != number)) {
            // The new attempt may rely on the promise that this look has used up.
            entry.promise(now + 1);
            goesOn = true;
        }
        // A thread's own object is looked at once more: an attempt that only an alarm waits for may have begun unseen.
        if (goesOn || (newCall != null && newCall.own && !letGo)) {
            queue.add(entry);
        }
    }

    private static long numberUnderWay(@Nullable CallState call) {
        return call == null ? NONE : call.numberUnderWay();
    }

    /** Does what is due. Returns after how many nanoseconds to look again, or {@link Alarms#NEVER}. Throws nothing. */
    private long look(Entry entry, CallState call, long number, long now, boolean stoodStill) {
        try {
            // What is read here may belong to a later attempt, but nothing is done under a number that has passed. A
            // thread's own object also serves pipelines on other time sources.
            if (call.time() != time) {
                return Alarms.NEVER;
            }
            long left = call.limited ? call.limitAt - now : Alarms.NEVER;
            if (stoodStill
                    && entry.graced != number
                    && (left <= 0 || (call.alarms != null && call.alarms.isDue(call, number, now)))) {
                entry.graced = number;
                return left > 0 ? Math.min(left, GRACE_NANOS) : GRACE_NANOS;
            }
            long wait = tell(call, number, now);
            if (left > 0) {
                return Math.min(wait, left);
            }
            call.driver().strike(call, number);
        } catch (OutOfMemoryError none) {
            return LOOK_NANOS; // for the next try
        } catch (Throwable broken) {
            log(call, broken);
        }
        return Alarms.NEVER;
    }

    private static long tell(CallState call, long number, long now) {
        try {
            return call.alarms == null ? Alarms.NEVER : call.alarms.tell(call, number, now);
        } catch (Throwable broken) {
            // A broken alarm must not disable the limit.
            log(call, broken);
            return Alarms.NEVER;
        }
    }

    private static void log(CallState call, Throwable broken) {
        Log.warn("a limit of '" + call.pipeline() + "' could not be kept", broken);
    }
}
