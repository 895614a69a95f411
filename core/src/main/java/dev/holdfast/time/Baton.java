/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.time;

import dev.holdfast.internal.TestMistake;
import dev.holdfast.time.Seat.Turn;
import dev.holdfast.time.Seat.Wait;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The events to come, and the baton, which is the right of a thread to go on. A driver (one of our own threads) has the baton
 * while events are left. It runs tasks itself, and hands the baton to a thread whose wait is over. A thread that begins to
 * wait keeps it if the next event is the end of this very wait, hands it to the thread whose wait ends next, or to an idle
 * driver if the next event is a task.
 *
 * <p>The monitor of this object guards all state. No thread holds it while it waits or runs a task. A monitor and not a lock,
 * because only a monitor blocks without ending at an interrupt and without touching the flag.
 */
final class Baton {
    /** Larger than all drawn ties: a director's turn comes after all other events of its instant. */
    private static final long LAST = Long.MAX_VALUE;

    private static final long CLOSE_MILLIS = 10_000;
    private static final long LOOK_NANOS = 1_000_000_000;
    /** So many looks in a row must find the same thread waiting by other means. On a busy machine the looks are late, too. */
    private static final int LOOKS = 20;

    private final LongSupplier ties;
    private final TreeSet<Event> events = new TreeSet<>();
    private final Map<Thread, Seat> seats = new HashMap<>();
    private final ArrayDeque<Seat> idle = new ArrayDeque<>();
    /** The waiting threads that were not started here. */
    private final Set<Seat> guests = new LinkedHashSet<>();

    private final List<Throwable> failures = new ArrayList<>();
    private final long lookNanos;
    private long sequence;
    /** How often a thread has gone on here: with a task, or after a wait. */
    private long moves;

    private final List<Driver> drivers = new ArrayList<>();
    private Consumer<Driver> start = onThreadOf(new Daemons());
    /** Whether one of our own threads has the baton. */
    private boolean driving;
    // Both are written under the lock, and read without it by clock readers and waiting threads.
    private volatile long elapsed;
    private volatile boolean closed;

    /** Draws the order of events of one instant from this; null: the order in which they are made. */
    Baton(@Nullable Random random) {
        this(random, LOOK_NANOS);
    }

    /** Whoever lets time pass looks as often whether it can. */
    Baton(@Nullable Random random, long lookNanos) {
        this.lookNanos = lookNanos;
        ties = random == null ? () -> sequence : () -> random.nextLong() >>> 1;
    }

    private static final class Daemons implements ThreadFactory {
        private int made;

        @Override
        public Thread newThread(Runnable task) {
            Thread thread = new Thread(null, task, "virtual-time-" + ++made, 0, false);
            thread.setDaemon(true);
            return thread;
        }
    }

    synchronized void threads(ThreadFactory factory) {
        start = onThreadOf(factory);
    }

    synchronized void pool(Executor pool) {
        start = pool::execute;
    }

    private static Consumer<Driver> onThreadOf(ThreadFactory factory) {
        return driver -> {
            Thread thread = factory.newThread(driver);
            driver.made = thread;
            thread.start();
        };
    }

    long elapsed() {
        return elapsed;
    }

    synchronized int left() {
        return events.size();
    }

    synchronized Event schedule(long delayNanos, Runnable task) {
        if (closed) {
            throw new RejectedExecutionException("virtual time is closed");
        }
        return add(delayNanos, ties.getAsLong(), null, task);
    }

    synchronized void cancel(Event event) {
        events.remove(event);
    }

    synchronized void unpark(Thread thread) {
        Seat seat = seatOf(thread);
        if (seat.wait == Wait.PARKED) {
            endWait(seat);
        } else {
            seat.permit = true;
        }
    }

    synchronized void interrupt(Thread thread) {
        Seat seat = seats.get(thread);
        if (seat == null || seat.wait == Wait.NONE) {
            thread.interrupt();
        } else {
            keepInterrupt(seat);
        }
    }

    synchronized boolean isInterrupted(Thread thread) {
        Seat seat = seats.get(thread);
        return thread.isInterrupted() || (seat != null && seat.interrupted);
    }

    /**
     * The seat keeps an interrupt until the thread goes on. With its flag set, a thread could only wait in a busy loop, and
     * many virtual threads in such loops would keep the carriers from the thread whose turn it is. A driver that rests, or
     * has just got its turn, is not told: the interrupt was not meant for its next task.
     */
    private synchronized void keepInterrupt(Seat seat) {
        if (seat.wait != Wait.RESTING && seat.wait != Wait.NONE) {
            seat.interrupted = true;
            endWait(seat);
        }
    }

    /** Ends all waits, and then all our threads. */
    void close() {
        boolean interrupted = Thread.interrupted();
        for (Driver driver : endWaits()) {
            try {
                driver.awaitEnd();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Returns the drivers that end now. One that closes this itself goes on. */
    private synchronized List<Driver> endWaits() {
        closed = true;
        events.clear();
        seats.keySet().forEach(LockSupport::unpark);
        return drivers.stream()
                .filter(driver -> driver.thread != Thread.currentThread())
                .toList();
    }

    private Event add(long delayNanos, long tie, @Nullable Seat seat, Runnable task) {
        long at = elapsed + Math.max(0, delayNanos);
        Event event = new Event(at < 0 ? Long.MAX_VALUE : at, tie, sequence++, seat, task);
        events.add(event);
        return event;
    }

    private synchronized Seat currentSeat() {
        return seatOf(Thread.currentThread());
    }

    private Seat seatOf(Thread thread) {
        return seats.computeIfAbsent(thread, t -> new Seat(t, false));
    }

    /** Ends a wait at the present instant, if it can be ended. */
    private synchronized void endWait(Seat seat) {
        if (seat.wait.heedsInterrupts() && !seat.ending && !closed) {
            if (seat.end != null) {
                events.remove(seat.end);
            }
            seat.end = add(0, ties.getAsLong(), seat, () -> {});
            seat.ending = true;
        }
    }

    /** Hands the baton over and waits for it to come back. */
    Turn await(Wait wait, long nanos, Object reason) {
        Seat seat = currentSeat();
        Turn turn = sit(seat, wait, nanos) ? turn(seat) : Turn.GO;
        leave(seat);
        if (turn == Turn.CLOSED) {
            throw new IllegalStateException("virtual time is closed; " + reason + " was waited for");
        }
        if (turn == Turn.STUCK) {
            throw stuck();
        }
        return turn;
    }

    /** Begins a wait and hands the baton over; false: there is nothing to wait for. */
    private synchronized boolean sit(Seat seat, Wait wait, long nanos) {
        if (wait == Wait.DIRECTING && seat.driver) {
            throw new TestMistake("a spawned thread or an event cannot run time; let it sleep instead");
        }
        if (wait == Wait.PARKED && seat.permit && !closed) {
            seat.permit = false;
            return false;
        }
        if (wait.heedsInterrupts() && seat.thread.isInterrupted() && !closed) {
            return false;
        }
        if (!seat.driver && !closed) {
            refuseBesideDirector(wait);
        }
        seat.wait = wait;
        seat.ending = false;
        long tie = wait == Wait.DIRECTING ? LAST : ties.getAsLong();
        seat.end = nanos == Long.MAX_VALUE ? null : add(nanos, tie, seat, () -> {});
        if (!seat.driver) {
            guests.add(seat);
        }
        if ((seat.driver || !driving) && !closed) {
            handOn();
        }
        return true;
    }

    /**
     * A director lets time pass for itself alone. Beside it, another thread that was not started here would get its turn, and
     * more time would pass while that thread works.
     */
    private void refuseBesideDirector(Wait wait) {
        for (Seat guest : guests) {
            if (wait == Wait.DIRECTING || guest.wait == Wait.DIRECTING) {
                throw new TestMistake("two threads that virtual time has not started cannot let it pass at once: "
                        + Thread.currentThread().getName() + how(wait) + "while " + guest.thread.getName()
                        + how(guest.wait).stripTrailing()
                        + "; start callers with spawn() or on executor() of this time, and let one thread run it");
            }
        }
    }

    private static String how(Wait wait) {
        return wait == Wait.DIRECTING ? " runs it " : " waits in it ";
    }

    /** A thread whose wait is over gets the baton at once, perhaps the one that hands it on. Tasks are for a driver. */
    private void handOn() {
        Seat next = events.isEmpty() ? null : events.first().seat();
        if (next == null) {
            driving = true;
            startDriver();
            return;
        }
        elapsed = Math.max(elapsed, events.pollFirst().at());
        if (giveTurn(next)) {
            startDriver();
        }
    }

    /** The wait of this seat is over. Returns whether a driver is to go on beside it. */
    private boolean giveTurn(Seat seat) {
        driving = drivesAfterTurnOf(seat);
        seat.give(Turn.GO);
        return driving && !seat.driver;
    }

    private synchronized void leave(Seat seat) {
        moves++;
        seat.wait = Wait.NONE;
        if (seat.interrupted) {
            seat.interrupted = false;
            seat.thread.interrupt();
        }
        guests.remove(seat);
        if (!seat.driver && !seat.permit) {
            seats.remove(seat.thread);
        }
    }

    /** Parks until the seat gets its turn, or this time is closed. */
    private Turn turn(Seat seat) {
        Turn turn = null;
        Looks looks = seat.wait == Wait.DIRECTING ? new Looks() : null;
        while (!closed && (turn = seat.take()) == null) {
            if (looks == null) {
                LockSupport.park(this);
            } else {
                LockSupport.parkNanos(this, lookNanos);
                looks.look(seat);
            }
            if (seat.thread.isInterrupted()) {
                // By Java itself. First kept, then cleared, because others may look at it at any moment.
                keepInterrupt(seat);
                Thread.interrupted();
            }
        }
        return turn == null ? Turn.CLOSED : turn;
    }

    /** Looks of a director at the thread that has the baton: has it handed it on, or does it wait where no time passes? */
    private final class Looks {
        private long movesBefore = -1;
        private long lookedAt = System.nanoTime();
        private int found;

        void look(Seat director) {
            long now = System.nanoTime();
            if (now - lookedAt < lookNanos) {
                return;
            }
            lookedAt = now;
            synchronized (Baton.this) {
                found = moves == movesBefore && (waitsElsewhere() != null || lacksThread()) ? found + 1 : 0;
                movesBefore = moves;
                if (found >= LOOKS && director.turnIsAhead()) {
                    if (director.end != null) {
                        events.remove(director.end);
                    }
                    director.give(Turn.STUCK);
                }
            }
        }
    }

    /** The driver that has the baton, and waits by other means than this time; null if there is none. */
    private synchronized @Nullable Thread waitsElsewhere() {
        for (Driver driver : drivers) {
            Seat seat = driver.thread == null ? null : seats.get(driver.thread);
            if (driving && seat != null && seat.wait == Wait.NONE && seat.turnIsAhead()) {
                Thread.State state = seat.thread.getState();
                return state == Thread.State.WAITING || state == Thread.State.TIMED_WAITING ? seat.thread : null;
            }
        }
        return null;
    }

    /** Whether the baton is for a driver to which the pool has given no thread so far. */
    private synchronized boolean lacksThread() {
        return driving && drivers.stream().anyMatch(driver -> driver.thread == null && driver.made == null);
    }

    private IllegalStateException stuck() {
        if (lacksThread()) {
            return new IllegalStateException(
                    "virtual time cannot pass: its pool has no thread for its next task, since the"
                            + " tasks before wait for this one; give it a pool without a limit, such as"
                            + " Executors.newCachedThreadPool()");
        }
        Thread thread = waitsElsewhere();
        String name = thread == null ? "a thread" : "thread '" + thread.getName() + "'";
        IllegalStateException stuck = new IllegalStateException(
                "virtual time cannot pass: it is the turn of " + name + ", which waits by other means than this time"
                        + " (see the cause), such as Mono.block(), a blocking gRPC stub, join() or a latch."
                        + " Take the future instead, call run(), and look at the future");
        if (thread != null) {
            Throwable where = new Throwable(name + " waits here");
            where.setStackTrace(thread.getStackTrace());
            stuck.initCause(where);
        }
        synchronized (this) {
            failures.forEach(stuck::addSuppressed); // perhaps the reason why nothing ends its wait
            failures.clear();
        }
        return stuck;
    }

    private void startDriver() {
        Seat rested = idle.poll();
        if (rested != null) {
            rested.wait = Wait.NONE;
            rested.give(Turn.GO);
            return;
        }
        Driver driver = new Driver();
        start.accept(driver);
        drivers.add(driver);
    }

    /** It has the baton when it begins, and then whenever it gets a turn. */
    private final class Driver implements Runnable {
        private final CountDownLatch ended = new CountDownLatch(1);
        /** The one it runs on, as soon as it does. The monitor guards it. */
        private @Nullable Thread thread;
        /** The one that was made for it; null if it runs on a thread of a pool. */
        private @Nullable Thread made;

        @Override
        public void run() {
            if (Thread.holdsLock(Baton.this)) {
                throw new IllegalArgumentException(
                        "the pool of a virtual time runs a task on the thread that gives it one");
            }
            try {
                Seat seat = begin(this);
                do {
                    Runnable task = next(seat);
                    while (task != null) {
                        perform(task);
                        task = next(seat);
                    }
                } while (turn(seat) == Turn.GO);
            } finally {
                ended.countDown();
            }
        }

        void awaitEnd() throws InterruptedException {
            if (made != null) {
                made.join(CLOSE_MILLIS);
            } else {
                boolean unused = ended.await(CLOSE_MILLIS, TimeUnit.MILLISECONDS);
            }
        }
    }

    private synchronized Seat begin(Driver driver) {
        driver.thread = Thread.currentThread();
        Seat seat = new Seat(driver.thread, true);
        seats.put(driver.thread, seat);
        return seat;
    }

    private void perform(Runnable task) {
        try {
            task.run();
        } catch (Throwable e) {
            synchronized (this) {
                failures.add(e);
            }
        }
    }

    /** The next task for the driver that has the baton; null: the baton is elsewhere, and the driver idle. */
    private synchronized @Nullable Runnable next(Seat driver) {
        // The thread is used again: nothing of one task may be left for the next.
        driver.permit = false;
        Thread.interrupted();
        while (!closed) {
            Event event = events.pollFirst();
            if (event == null) {
                fallQuiet();
            } else {
                elapsed = Math.max(elapsed, event.at());
                moves++;
                if (event.seat() == null) {
                    return event.task();
                }
                if (giveTurn(event.seat())) {
                    continue;
                }
            }
            driver.wait = Wait.RESTING;
            idle.push(driver);
            return null;
        }
        return null;
    }

    /** Whether one of our own threads drives after this seat has got its turn. */
    private boolean drivesAfterTurnOf(Seat seat) {
        if (seat.driver) {
            return true;
        }
        guests.remove(seat);
        // A guest may end without waiting again; other guests must not wait for it. Only a director stops time for all.
        return seat.wait != Wait.DIRECTING && !guests.isEmpty();
    }

    private void fallQuiet() {
        driving = false;
        boolean directed = guests.stream().anyMatch(guest -> guest.wait == Wait.DIRECTING);
        for (Seat guest : List.copyOf(guests)) {
            if (!directed || guest.wait == Wait.DIRECTING) {
                guests.remove(guest);
                guest.give(Turn.QUIET);
            }
        }
    }

    /** Throws the exceptions of tasks since the last call. */
    void rethrow() {
        Throwable first;
        synchronized (this) {
            if (failures.isEmpty()) {
                return;
            }
            first = failures.get(0);
            failures.stream().filter(e -> e != first).forEach(first::addSuppressed);
            failures.clear();
        }
        if (first instanceof Error error) {
            throw error;
        }
        throw first instanceof RuntimeException e ? e : new IllegalStateException(first);
    }
}
