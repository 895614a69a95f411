/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.time;

import dev.holdfast.spi.TimeSource;
import dev.holdfast.time.Seat.Turn;
import dev.holdfast.time.Seat.Wait;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Time that passes only when nothing else can happen, so that tests of waiting neither wait nor differ from run to run.
 *
 * <pre>{@code
 * try (VirtualTime time = VirtualTime.seeded(42)) {
 *     Pipeline inventory = Pipeline.builder("inventory").time(time).policies(...).build();
 *     CompletableFuture<String> blocking = time.spawn(() -> inventory.call(client::health));
 *     CompletableFuture<String> async = inventory.callAsync(client::healthAsync);
 *     time.run();
 *     // both are done
 * }
 * }</pre>
 *
 * <p>One thread at a time is active: it holds the baton, and hands it over when it parks or sleeps here. Timers, tasks of
 * {@link #executor} and {@link #spawn spawned} callers are events that run on daemon threads of this object. A thread that
 * was not spawned, such as the test's own, has the baton outside of {@link #run}, {@link #advance}, {@link #sleep} and
 * {@link #park}, and lets time pass in them. Between those, nothing happens; a wait by other means
 * ({@code CompletableFuture.join}, a latch) for an event that is still to come waits for ever.
 *
 * <p>Other threads may schedule, spawn, unpark and interrupt at any time; only the order is then not repeatable.
 */
public final class VirtualTime implements TimeSource, AutoCloseable {
    /** Not zero, and crosses zero soon: an instant that is compared or taken for "none" shows itself. */
    private static final long START_NANOS = -1_000;

    private static final long START_MILLIS =
            Instant.parse("2026-01-01T00:00:00Z").toEpochMilli();
    /** Behind all that is drawn: a director's turn comes when everything else of its instant has happened. */
    private static final long LAST = Long.MAX_VALUE;

    private static final long CLOSE_MILLIS = 10_000;

    private final LongSupplier ties;
    private final TreeSet<Event> events = new TreeSet<>();
    private final Map<Thread, Seat> seats = new HashMap<>();
    private final ArrayDeque<Seat> idle = new ArrayDeque<>();
    /** The waiting threads that were not started here. */
    private final Set<Seat> guests = new LinkedHashSet<>();

    private final List<Throwable> failures = new ArrayList<>();
    private long sequence;
    private int drivers;
    /** Whether the baton is with one of this clock's own threads. */
    private boolean driving;
    // Both are written under the lock, and read without it by clock readers and waiting threads.
    private volatile long elapsed;
    private volatile boolean closed;

    /** Events of one instant happen in the order in which they were made. */
    public VirtualTime() {
        this.ties = () -> sequence;
    }

    private VirtualTime(Random random) {
        this.ties = () -> random.nextLong() >>> 1;
    }

    /** Events of one instant happen in an order that is drawn from the seed: the same seed, the same run. */
    public static VirtualTime seeded(long seed) {
        return new VirtualTime(new Random(seed));
    }

    @Override
    public long nanos() {
        return START_NANOS + elapsed;
    }

    @Override
    public long millis() {
        return START_MILLIS + TimeUnit.NANOSECONDS.toMillis(elapsed);
    }

    /**
     * Runs a task after a delay; {@link Long#MAX_VALUE}: never. It may block, in this time. What it throws is thrown by
     * {@link #run} or {@link #advance}.
     *
     * @throws RejectedExecutionException if this time is closed
     */
    @Override
    public synchronized Timer schedule(long delayNanos, Runnable task) {
        if (closed) {
            throw new RejectedExecutionException("virtual time is closed");
        }
        if (delayNanos == Long.MAX_VALUE) {
            return () -> {};
        }
        Event event = add(delayNanos, ties.getAsLong(), null, task);
        return () -> remove(event);
    }

    /** Makes each task an event of the present instant. */
    @Override
    public Executor executor() {
        return task -> schedule(0, task);
    }

    /** Starts a caller on a thread of its own, as an event of the present instant; the future takes what it returns or throws. */
    public <T extends @Nullable Object> CompletableFuture<T> spawn(Callable<T> caller) {
        CompletableFuture<T> future = new CompletableFuture<>();
        schedule(0, () -> {
            try {
                future.complete(caller.call());
            } catch (Throwable e) {
                future.completeExceptionally(e);
            }
        });
        return future;
    }

    /**
     * Lets everything happen that is still to happen, and time pass as far as that needs. Threads that are parked without
     * a limit may remain.
     *
     * @throws IllegalStateException on a spawned thread, or if this time is closed
     */
    public void run() {
        await(Wait.DIRECTING, Long.MAX_VALUE, this);
        rethrow();
    }

    /**
     * Lets everything happen that is due within the duration; then it is exactly that much later.
     *
     * @throws IllegalArgumentException if the duration is negative
     * @throws IllegalStateException on a spawned thread, or if this time is closed
     */
    public void advance(Duration duration) {
        if (duration.isNegative()) {
            throw new IllegalArgumentException("virtual time cannot go back by " + duration.negated());
        }
        await(Wait.DIRECTING, nanosOf(duration), this);
        rethrow();
    }

    /**
     * Sleeps in virtual time. Zero lets the other events of the instant happen first, as far as the order has it so.
     *
     * @throws InterruptedException if the thread is interrupted before or meanwhile
     * @throws IllegalStateException if this time is closed before or meanwhile
     */
    public void sleep(Duration duration) throws InterruptedException {
        await(Wait.SLEEPING, Math.max(0, nanosOf(duration)), duration);
        if (Thread.interrupted()) {
            throw new InterruptedException("sleep interrupted");
        }
    }

    /**
     * Parks as {@code LockSupport} does, in virtual time: returns at once if the thread is interrupted or was unparked before.
     *
     * @throws IllegalStateException if the wait has no limit and nothing is left to happen (a deadlock; a spawned thread
     *     stays parked instead, since its director may still unpark it), or if this time is closed before or meanwhile
     */
    @Override
    public void park(Object blocker, long nanos) {
        if (nanos > 0 && await(Wait.PARKED, nanos, blocker) == Turn.QUIET) {
            throw new IllegalStateException("deadlock: nothing is left to happen in virtual time while "
                    + Thread.currentThread().getName() + " waits without limit for " + blocker);
        }
    }

    @Override
    public synchronized void unpark(Thread thread) {
        Seat seat = seatOf(thread);
        if (seat.wait == Wait.PARKED) {
            endWait(seat);
        } else {
            seat.permit = true;
        }
    }

    /**
     * Sets the interrupt flag of a thread, and ends its wait in this time at the present instant. {@code Thread.interrupt()}
     * does so too, but not repeatably.
     */
    @Override
    public synchronized void interrupt(Thread thread) {
        Seat seat = seats.get(thread);
        if (seat != null && seat.wait == Wait.RESTING) {
            return;
        }
        thread.interrupt();
        if (seat != null) {
            endWait(seat);
        }
    }

    /**
     * Ends this time. What was still to happen will not; waits in it, also by spawned threads, end with an
     * IllegalStateException; the threads of this object end.
     */
    @Override
    public void close() {
        List<Thread> threads = new ArrayList<>();
        synchronized (this) {
            closed = true;
            events.clear();
            for (Seat seat : seats.values()) {
                LockSupport.unpark(seat.thread);
                if (seat.driver && seat.thread != Thread.currentThread()) {
                    threads.add(seat.thread);
                }
            }
        }
        boolean interrupted = Thread.interrupted();
        for (Thread thread : threads) {
            try {
                thread.join(CLOSE_MILLIS);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public synchronized String toString() {
        return "virtual time " + Duration.ofNanos(elapsed) + " after its start, " + events.size() + " events to come";
    }

    private Event add(long delayNanos, long tie, @Nullable Seat seat, Runnable task) {
        long at = elapsed + Math.max(0, delayNanos);
        Event event = new Event(at < 0 ? Long.MAX_VALUE : at, tie, sequence++, seat, task);
        events.add(event);
        return event;
    }

    private synchronized void remove(Event event) {
        events.remove(event);
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
    private Turn await(Wait wait, long nanos, Object reason) {
        Seat seat = currentSeat();
        Turn turn = sit(seat, wait, nanos) ? turn(seat) : Turn.GO;
        leave(seat);
        if (turn == Turn.CLOSED) {
            throw new IllegalStateException("virtual time is closed; " + reason + " was waited for");
        }
        return turn;
    }

    /** Begins a wait and hands the baton over; false: there is nothing to wait for. */
    private synchronized boolean sit(Seat seat, Wait wait, long nanos) {
        if (wait == Wait.DIRECTING && seat.driver) {
            throw new IllegalStateException("a spawned thread or an event cannot run time; let it sleep instead");
        }
        if (wait == Wait.PARKED && seat.permit && !closed) {
            seat.permit = false;
            return false;
        }
        if (wait.heedsInterrupts() && seat.thread.isInterrupted() && !closed) {
            return false;
        }
        seat.wait = wait;
        seat.ending = false;
        long tie = wait == Wait.DIRECTING ? LAST : ties.getAsLong();
        seat.end = nanos == Long.MAX_VALUE ? null : add(nanos, tie, seat, () -> {});
        if (!seat.driver) {
            guests.add(seat);
        }
        if ((seat.driver || !driving) && !closed) {
            driving = true;
            startDriver();
        }
        return true;
    }

    private synchronized void leave(Seat seat) {
        seat.wait = Wait.NONE;
        guests.remove(seat);
        if (!seat.driver && !seat.permit) {
            seats.remove(seat.thread);
        }
    }

    /**
     * Really waits. An interrupted sleeper keeps its flag all the while, as others may look at it; a flag that is set makes
     * a real park return at once, but its turn is due at this very instant.
     */
    @SuppressWarnings("ThreadPriorityCheck") // the yield makes way for those before it, and nothing depends on it
    private Turn turn(Seat seat) {
        boolean interrupted = false;
        Turn turn = null;
        while (!closed && (turn = seat.take()) == null) {
            LockSupport.park(this);
            if (!seat.wait.heedsInterrupts()) {
                interrupted |= Thread.interrupted();
            } else if (interrupted) {
                Thread.yield();
            } else if (seat.thread.isInterrupted()) {
                endWait(seat);
                interrupted = true;
            }
        }
        if (interrupted && seat.wait == Wait.DIRECTING) {
            seat.thread.interrupt();
        }
        return turn == null ? Turn.CLOSED : turn;
    }

    private void startDriver() {
        Seat rested = idle.poll();
        if (rested != null) {
            rested.wait = Wait.NONE;
            rested.give(Turn.GO);
            return;
        }
        Thread thread = new Thread(null, this::drive, "virtual-time-" + ++drivers, 0, false);
        thread.setDaemon(true);
        Seat seat = new Seat(thread, true);
        seats.put(thread, seat);
        seat.give(Turn.GO);
        thread.start();
    }

    private void drive() {
        Seat seat = currentSeat();
        while (turn(seat) == Turn.GO) {
            Runnable task = next(seat);
            while (task != null) {
                perform(task);
                task = next(seat);
            }
        }
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

    /** The next task for a driver, which has the baton; null: the baton is elsewhere, and the driver idle. */
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
                if (event.seat() == null) {
                    return event.task();
                }
                driving = goesOn(event.seat());
                event.seat().give(Turn.GO);
                if (driving && !event.seat().driver) {
                    continue;
                }
            }
            driver.wait = Wait.RESTING;
            idle.push(driver);
            return null;
        }
        return null;
    }

    /** Whether the clock keeps the baton, or goes on without one, when this seat gets its turn. */
    private boolean goesOn(Seat seat) {
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

    private void rethrow() {
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

    private static long nanosOf(Duration duration) {
        try {
            return duration.toNanos();
        } catch (ArithmeticException e) {
            // 292 years are long enough, and not without limit.
            return Long.MAX_VALUE - 1;
        }
    }
}
