/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import dev.holdfast.Attempt;
import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.CheckedFunction;
import dev.holdfast.Pipeline;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.timeout.TimeoutPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * How late limits strike: calls that never end are given up after 20 ms, and what is counted is the time from then until the
 * strike, which is the interrupt of a call that blocks; and until the caller knows, for which the machine must let one more
 * thread run. Each way without load, and while threads make calls without a pause: so many that half of the
 * processors are busy, and four for each processor. The control is a task of a timer that has nothing else to do: so late is
 * the machine itself.
 */
public final class Strikes {
    static final Duration LIMIT = Duration.ofMillis(20);
    private static final int CALLS = 2_000;
    private static final int IN_FLIGHT = 20;

    /** In place of the end of a limit, which was over before the action looked. */
    private static final long UNKNOWN = Long.MIN_VALUE;

    private Strikes() {}

    /** Starts it. */
    public static void main(String... arguments) throws InterruptedException, ExecutionException {
        System.out.println(Table.machine() + "; " + CALLS + " calls a row, " + IN_FLIGHT + " at a time, limit "
                + LIMIT.toMillis() + " ms.\n");
        System.out.println(Lateness.HEADER);
        int processors = Runtime.getRuntime().availableProcessors();
        for (int busy : new int[] {0, (processors + 1) / 2, 4 * processors}) {
            try (Load load = new Load(busy)) {
                for (Way way : Way.values()) {
                    measure(way, CALLS / 10, IN_FLIGHT);
                    System.out.println(measure(way, CALLS, IN_FLIGHT).row(way.title, load.threads()));
                }
            }
        }
    }

    static Lateness measure(Way way, int calls, int inFlight) throws InterruptedException, ExecutionException {
        ExecutorService callers = Executors.newFixedThreadPool(inFlight, TimedThread::new);
        try (Limited limited = way.prepare()) {
            List<Long> late = new ArrayList<>();
            Callable<List<Long>> caller = () -> one(limited, calls / inFlight);
            for (Future<List<Long>> done : callers.invokeAll(Collections.nCopies(inFlight, caller))) {
                late.addAll(done.get());
            }
            return new Lateness(late);
        } finally {
            callers.shutdownNow();
        }
    }

    private static List<Long> one(Limited limited, int calls) {
        List<Long> late = new ArrayList<>(calls);
        while (late.size() < calls) {
            limited.lateNanos().ifPresent(late::add);
        }
        return late;
    }

    /** Knows when it was interrupted last. */
    private static final class TimedThread extends Thread {
        private volatile long interruptedAt;

        TimedThread(Runnable work) {
            super(work);
        }

        @Override
        public void interrupt() {
            interruptedAt = System.nanoTime();
            super.interrupt();
        }

        static long interruptedAt() {
            return ((TimedThread) Thread.currentThread()).interruptedAt;
        }
    }

    /** Who limits what. */
    enum Way {
        TIMEOUT_STRIKES("timeout, blocking: interrupt"),
        TIMEOUT_BLOCKING("timeout, blocking: caller"),
        TIMEOUT_ASYNC("timeout, asynchronous: caller"),
        DEADLINE_STRIKES("deadline, blocking: interrupt"),
        DEADLINE_BLOCKING("deadline, blocking: caller"),
        DEADLINE_ASYNC("deadline, asynchronous: caller"),
        TASK("control: a timer's task");

        private final String title;

        Way(String title) {
            this.title = title;
        }

        private Limited prepare() {
            return switch (this) {
                case TIMEOUT_STRIKES -> new Blocking(TimeoutPolicy.of(LIMIT), TimedThread::interruptedAt);
                case TIMEOUT_BLOCKING -> new Blocking(TimeoutPolicy.of(LIMIT), System::nanoTime);
                case DEADLINE_STRIKES -> new Blocking(DeadlinePolicy.of(LIMIT), TimedThread::interruptedAt);
                case DEADLINE_BLOCKING -> new Blocking(DeadlinePolicy.of(LIMIT), System::nanoTime);
                case TIMEOUT_ASYNC -> new Asynchronous(TimeoutPolicy.of(LIMIT));
                case DEADLINE_ASYNC -> new Asynchronous(DeadlinePolicy.of(LIMIT));
                case TASK -> new Task();
            };
        }
    }

    /** When the limit of this attempt is over, exactly: its thread may have had to wait for a processor since the call began. */
    private static long endOf(Attempt attempt) {
        long now = System.nanoTime();
        long remaining = attempt.remainingNanos();
        return remaining == 0 ? UNKNOWN : now + remaining;
    }

    private static OptionalLong between(long end, long struck) {
        return end == UNKNOWN ? OptionalLong.empty() : OptionalLong.of(struck - end);
    }

    /** Makes calls that never end by themselves. */
    private interface Limited extends AutoCloseable {

        /**
         * Makes one; so long after its limit it was struck, or its caller knew of it. Empty if its thread was held up for
         * longer than the limit before it could begin, so that there was nothing to strike.
         */
        OptionalLong lateNanos();

        @Override
        void close();
    }

    private record Blocking(Pipeline pipeline, LongSupplier at, CountDownLatch never) implements Limited {
        Blocking(Policy policy, LongSupplier at) {
            this(Pipeline.of("inventory", policy), at, new CountDownLatch(1));
        }

        @Override
        public OptionalLong lateNanos() {
            AtomicLong end = new AtomicLong(UNKNOWN);
            CheckedFunction<Attempt, Void, InterruptedException> action = attempt -> {
                end.set(endOf(attempt));
                never.await();
                throw new IllegalStateException("what never happens has happened");
            };
            try {
                pipeline.<Void>operation("endless").unkeyed().call(action);
                throw new IllegalStateException("a call that never ends has ended");
            } catch (CallTimeoutException struck) {
                return between(end.get(), at.getAsLong());
            } catch (CallRejectedException neverBegan) {
                return OptionalLong.empty();
            } catch (InterruptedException stranger) {
                throw new IllegalStateException("nobody else interrupts", stranger);
            }
        }

        @Override
        public void close() {
            pipeline.close();
        }
    }

    private record Asynchronous(Pipeline pipeline) implements Limited {
        Asynchronous(Policy policy) {
            this(Pipeline.of("inventory", policy));
        }

        @Override
        public OptionalLong lateNanos() {
            AtomicLong end = new AtomicLong(UNKNOWN);
            return pipeline.operation("endless")
                    .unkeyed()
                    .callAsync(attempt -> {
                        end.set(endOf(attempt));
                        return new CompletableFuture<>();
                    })
                    .handle((value, error) -> {
                        if (error instanceof CallTimeoutException) {
                            return between(end.get(), System.nanoTime());
                        }
                        if (error instanceof CallRejectedException) {
                            return OptionalLong.empty();
                        }
                        throw new IllegalStateException("not given up", error);
                    })
                    .join();
        }

        @Override
        public void close() {
            pipeline.close();
        }
    }

    private record Task(ScheduledThreadPoolExecutor timer) implements Limited {
        Task() {
            this(new ScheduledThreadPoolExecutor(1));
        }

        @Override
        public OptionalLong lateNanos() {
            CompletableFuture<Long> ran = new CompletableFuture<>();
            long end = System.nanoTime() + LIMIT.toNanos();
            var unused = timer.schedule(() -> ran.complete(System.nanoTime()), LIMIT.toNanos(), TimeUnit.NANOSECONDS);
            return OptionalLong.of(ran.join() - end);
        }

        @Override
        public void close() {
            timer.shutdownNow();
        }
    }
}
