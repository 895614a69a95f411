/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.matrix;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;

import dev.holdfast.Attempt;
import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Deadline;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.bulkhead.BulkheadSettings.LimitAlgorithm;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.matrix.Cell.Level;
import dev.holdfast.matrix.Cell.Way;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testing.SpyPolicy;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.throttling.ThrottlePolicy;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A few rounds of calls through real threads, pools and executors, each troubled by somebody at some point: interrupted,
 * cancelled, refused, closed. No end is foretold; every one must be legal, nobody may hang, and nothing may be left.
 */
final class RealPlay implements AutoCloseable {
    /** Only guards against a hang; nothing takes so long. */
    private static final long PATIENCE_SECONDS = 300;

    static final int CALLS = 4;

    /** Where continuations run. */
    enum Pool {
        /** The pipeline's own. */
        OWN,
        /** A user's with one thread and room for one more task. */
        SMALL,
        /** A user's that refuses every third task. */
        REFUSES
    }

    private final String name;
    private final List<Level> levels;
    private final Pool pool;
    private final long seed;
    private final List<Policy> policies = new ArrayList<>();
    private final List<SpyPolicy> spies = new ArrayList<>();
    private final List<Pipeline> pipelines = new ArrayList<>();
    private final List<Operation<Object>> operations = new ArrayList<>();
    private final ThreadPoolExecutor small =
            new ThreadPoolExecutor(1, 1, 1, TimeUnit.SECONDS, new ArrayBlockingQueue<>(1), ThreadKind.current());
    private final ScheduledExecutorService work = Executors.newScheduledThreadPool(1, ThreadKind.PLATFORM);
    private final Executor workers =
            task -> ThreadKind.current().newThread(task).start();

    private final Queue<Object> given = new ConcurrentLinkedQueue<>();
    private final Queue<Object> discarded = new ConcurrentLinkedQueue<>();
    private final Queue<String> wrongs = new ConcurrentLinkedQueue<>();
    private final AtomicInteger running = new AtomicInteger();
    private final AtomicInteger tasks = new AtomicInteger();
    private volatile boolean closed;

    RealPlay(String name, List<Level> levels, Pool pool, long seed) {
        this.name = name;
        this.levels = levels;
        this.pool = pool;
        this.seed = seed;
        for (int level = 0; level < levels.size(); level++) {
            List<Policy> layers = new ArrayList<>();
            for (Layer layer : levels.get(level).layers()) {
                Policy policy = policy(layer);
                policies.add(policy);
                SpyPolicy spy = SpyPolicy.around(policy);
                spies.add(spy);
                layers.add(seed % 2 == 0 ? policy : spy);
            }
            pipelines.add(pipeline(level, layers));
            operations.add(pipelines.get(level).operation("op" + level, o -> o.discard(discarded::add)));
        }
    }

    private Policy policy(Layer layer) {
        return switch (layer) {
            case DEADLINE -> DeadlinePolicy.of(ofMillis(8));
            case FALLBACK -> FallbackPolicy.of(error -> give("fb"));
            case STAGE -> FallbackPolicy.ofAsync(error -> later("fs", 1));
            case CACHE -> StaleCachePolicy.ofDefaults();
            case RETRY -> RetryPolicy.of(r -> r.initialBackoff(ofMillis(1)).budgetEnabled(false));
            case HEDGE -> HedgePolicy.of(h -> h.delay(ofMillis(1)).budgetEnabled(false));
            case BREAKER -> CircuitBreakerPolicy.of(c -> c.waitDurationInOpenState(ofMillis(1)));
            case THROTTLE ->
                ThrottlePolicy.of(t -> t.limit(1_000).per(ofSeconds(1)).burst(5).maxWait(ofMillis(3)));
            case BULKHEAD ->
                BulkheadPolicy.of(
                        b -> b.maxConcurrentCalls(2).maxWaitingCalls(2).maxWait(ofMillis(3)));
            case ADAPTIVE ->
                BulkheadPolicy.of(
                        b -> b.maxConcurrentCalls(2).limit(LimitAlgorithm.AIMD).maxWait(ofMillis(3)));
            case DEDICATED ->
                BulkheadPolicy.of(
                        b -> b.maxConcurrentCalls(2).maxWait(ofMillis(3)).dedicatedThreads(true));
            case TIMEOUT -> TimeoutPolicy.of(ofMillis(3));
        };
    }

    private Pipeline pipeline(int level, List<Policy> layers) {
        Pipeline.Builder builder =
                Pipeline.builder(name + "-p" + level).policies(layers).classifier(Script.CLASSIFIER);
        if (level == 0 && pool != Pool.OWN) {
            builder.executor(this::execute).backgroundExecutor(this::execute);
        }
        return builder.build();
    }

    private void execute(Runnable task) {
        if (pool == Pool.REFUSES) {
            if (tasks.incrementAndGet() % 3 == 0) {
                throw new RejectedExecutionException("refused");
            }
            workers.execute(task);
        } else {
            small.execute(task);
        }
    }

    // ---- one call

    /** A call under way. What is said of its thread is guarded by the object. */
    private final class One {
        final int number;
        final CountDownLatch acts = new CountDownLatch(1);
        final CountDownLatch ended = new CountDownLatch(1);
        final AtomicInteger attempts = new AtomicInteger();
        private @Nullable Thread thread;
        private @Nullable CompletableFuture<Object> future;
        private boolean over;
        private boolean interrupted;
        private volatile boolean cancelled;

        One(int number) {
            this.number = number;
        }

        void start() {
            if (levels.get(0).way() == Way.ASYNC) {
                future = call(0).callAsync(attempt -> async(attempt, 0, this));
                var unused = future.whenComplete((value, error) -> end(value, error, false));
                return;
            }
            thread = ThreadKind.current().newThread(() -> {
                Object value = null;
                Throwable error = null;
                try {
                    value = call(0).call(attempt -> block(0, this));
                } catch (Throwable thrown) {
                    error = thrown;
                }
                synchronized (this) {
                    over = true;
                }
                end(value, error, Thread.interrupted());
            });
            thread.start();
        }

        synchronized void interrupt() {
            if (!over && thread != null) {
                interrupted = true;
                thread.interrupt();
            }
        }

        void cancel() {
            if (future != null) {
                cancelled = true;
                future.cancel(true);
            }
        }

        private void end(@Nullable Object value, @Nullable Throwable thrown, boolean flag) {
            if (value != null) {
                given.removeIf(one -> one == value);
            }
            Throwable error = thrown instanceof CompletionException ? thrown.getCause() : thrown;
            String problem = error == null ? null : illegal(error);
            if (problem != null) {
                wrongs.add("call " + number + " ended with " + problem);
            }
            if (flag && !interrupted) {
                wrongs.add("call " + number + ", which nobody interrupted, left its flag set after " + error);
            }
            ended.countDown();
        }

        /** What this end is, if nothing that was done to the call allows it. */
        private @Nullable String illegal(Throwable error) {
            if (error instanceof CallRejectedException rejected) {
                return legal(rejected.reason()) ? null : rejected.getMessage();
            }
            boolean legal = error instanceof IOException
                    || error instanceof CallTimeoutException
                    || error instanceof AssertionError
                    || (error instanceof InterruptedException && interrupted)
                    || (error instanceof CancellationException && cancelled);
            return legal ? null : error.toString();
        }

        private boolean legal(Reason reason) {
            return switch (reason) {
                case CIRCUIT_OPEN -> has(Layer.BREAKER);
                case BULKHEAD_FULL -> has(Layer.BULKHEAD) || has(Layer.ADAPTIVE) || has(Layer.DEDICATED);
                case FLIGHT_FULL -> has(Layer.CACHE);
                case THROTTLED -> has(Layer.THROTTLE);
                case DEADLINE_EXCEEDED -> true;
                case INTERRUPTED -> interrupted;
                case EXECUTOR_FULL -> pool != Pool.OWN;
                case CLOSED -> closed;
                default -> false;
            };
        }
    }

    private boolean has(Layer layer) {
        return levels.stream().anyMatch(level -> level.has(layer));
    }

    private dev.holdfast.Call<Object> call(int level) {
        var call = operations.get(level).key("k" + running.get() % 3);
        return level == 0 ? call.deadline(ofMillis(10)) : call;
    }

    private Object block(int level, One one) throws Exception {
        if (level == levels.size() - 1) {
            return act(one);
        }
        if (levels.get(level + 1).way() == Way.CALL) {
            return call(level + 1).call(inner -> block(level + 1, one));
        }
        CompletableFuture<Object> inner = call(level + 1).callAsync(further -> async(further, level + 1, one));
        try {
            return inner.get();
        } catch (InterruptedException e) {
            inner.cancel(true);
            // What it has come to in that moment is its user's, and not lost.
            var unused = inner.whenComplete((value, error) -> given.removeIf(mine -> mine == value));
            throw e;
        } catch (ExecutionException e) {
            throw Play.asItIs(e.getCause());
        }
    }

    private CompletionStage<Object> async(Attempt attempt, int level, One one) {
        if (level == levels.size() - 1) {
            return actAsync(one);
        }
        if (levels.get(level + 1).way() == Way.ASYNC) {
            return call(level + 1).callAsync(inner -> async(inner, level + 1, one));
        }
        return onWorker(attempt, level + 1, one);
    }

    private CompletionStage<Object> onWorker(Attempt attempt, int level, One one) {
        CompletableFuture<Object> result = new CompletableFuture<>();
        Thread[] worker = new Thread[1];
        attempt.onCancel(() -> {
            synchronized (worker) {
                if (worker[0] != null) {
                    worker[0].interrupt();
                }
            }
        });
        Deadline.propagating(workers).execute(() -> {
            synchronized (worker) {
                worker[0] = Thread.currentThread();
            }
            try {
                result.complete(call(level).call(inner -> block(level, one)));
            } catch (Throwable thrown) {
                result.completeExceptionally(thrown);
            } finally {
                synchronized (worker) {
                    worker[0] = null;
                }
            }
        });
        return result;
    }

    // ---- the action

    private int draw(One one, int bound) {
        return new SplittableRandom(seed * 31 + one.number * 1_009L + one.attempts.incrementAndGet()).nextInt(bound);
    }

    private Object give(String what) {
        Object value = new String(what.toCharArray());
        given.add(value);
        return value;
    }

    private Object act(One one) throws Exception {
        running.incrementAndGet();
        one.acts.countDown();
        try {
            switch (draw(one, 10)) {
                case 0 -> throw new IOException("ill");
                case 1 -> throw new AssertionError("broken");
                case 2, 3 -> new CountDownLatch(1).await();
                case 4 -> hangAndSetTheFlagAgain();
                case 5 -> workOn(3_000_000);
                case 6 -> workOn(200_000);
                default -> {}
            }
            return give("v");
        } finally {
            running.decrementAndGet();
        }
    }

    private static void hangAndSetTheFlagAgain() throws InterruptedException {
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw e;
        }
    }

    /** Heeds nothing; what it swallows it does not tell of. */
    private static void workOn(long nanos) {
        for (long start = System.nanoTime(); System.nanoTime() - start < nanos; ) {
            LockSupport.parkNanos(50_000);
            Thread.interrupted();
        }
    }

    private CompletionStage<Object> actAsync(One one) {
        one.acts.countDown();
        return switch (draw(one, 10)) {
            case 0 -> CompletableFuture.failedFuture(new IOException("ill"));
            case 1 -> throw new AssertionError("broken");
            case 2, 3, 4 -> new CompletableFuture<>();
            case 5 -> new Deaf(later("v", 3));
            case 6 -> later("v", 1);
            default -> CompletableFuture.completedFuture(give("v"));
        };
    }

    private CompletableFuture<Object> later(String what, long millis) {
        CompletableFuture<Object> result = new CompletableFuture<>();
        running.incrementAndGet();
        var unused = work.schedule(
                () -> {
                    Object value = give(what);
                    if (!result.complete(value)) {
                        // Cancelled: nobody has seen it.
                        given.removeIf(one -> one == value);
                    }
                    running.decrementAndGet();
                },
                millis,
                TimeUnit.MILLISECONDS);
        return result;
    }

    /** Cannot be cancelled. */
    private static final class Deaf extends CompletableFuture<Object> {
        Deaf(CompletableFuture<Object> source) {
            var unused = source.whenComplete((value, error) -> complete(value));
        }

        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            return false;
        }
    }

    // ---- rounds

    /** Some calls at once, each disturbed at some point or not at all; then all of them have ended. */
    void round(int round, boolean closes) throws InterruptedException {
        SplittableRandom random = new SplittableRandom(seed * 7 + round);
        List<One> calls = new ArrayList<>();
        for (int i = 0; i < CALLS; i++) {
            One one = new One(round * CALLS + i);
            calls.add(one);
            one.start();
        }
        for (One one : calls) {
            disturb(one, random);
        }
        if (closes) {
            closed = true;
            pipelines.forEach(Pipeline::close);
        }
        for (One one : calls) {
            if (!one.ended.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                wrongs.add("call " + one.number + " never ended"
                        + (one.thread == null ? "" : " at " + Arrays.toString(one.thread.getStackTrace())));
                return;
            }
        }
    }

    private static void disturb(One one, SplittableRandom random) throws InterruptedException {
        int what = random.nextInt(4);
        if (random.nextBoolean() && !one.acts.await(1, TimeUnit.MILLISECONDS)) {
            // It may never get as far; then it is disturbed where it is.
            Thread.onSpinWait();
        }
        for (int spins = random.nextInt(2_000); spins > 0; spins--) {
            Thread.onSpinWait();
        }
        if (what == 0) {
            one.interrupt();
        } else if (what == 1) {
            one.cancel();
        }
    }

    /** What must hold when all calls have ended and their work too. */
    List<String> leftBehind() {
        patiently(() -> running.get() == 0, "actions still run");
        for (Policy policy : policies) {
            if (policy instanceof BulkheadPolicy bulkhead) {
                patiently(() -> bulkhead.inFlight() == 0 && bulkhead.waiting() == 0, "permits are out, or calls wait");
            }
        }
        for (SpyPolicy spy : spies) {
            patiently(() -> spy.open() == 0, "entries of " + spy.name() + " are not over");
            try {
                spy.assertSound();
            } catch (AssertionError e) {
                wrongs.add(String.valueOf(e.getMessage()).replaceAll("\\s+", " "));
            }
        }
        boolean toUser = levels.size() > 1
                && levels.get(0).way() == Way.ASYNC
                && levels.get(1).way() == Way.CALL;
        if (!has(Layer.CACHE) && !toUser) {
            patiently(() -> given.size() == discarded.size(), "values are lost, or discarded twice");
        }
        pipelines.forEach(Pipeline::close);
        patiently(() -> ownThreads() == 0, "threads of a closed pipeline live");
        return List.copyOf(wrongs);
    }

    private long ownThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("holdfast-" + name + "-p"))
                .count();
    }

    private void patiently(BooleanSupplier condition, String otherwise) {
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - start > TimeUnit.SECONDS.toNanos(wrongs.isEmpty() ? PATIENCE_SECONDS : 1)) {
                wrongs.add(otherwise + " (" + given.size() + " values given, " + discarded.size() + " discarded)");
                return;
            }
            LockSupport.parkNanos(200_000);
        }
    }

    @Override
    public String toString() {
        return levels + " executor " + pool + " seed " + seed;
    }

    @Override
    public void close() {
        pipelines.forEach(Pipeline::close);
        small.shutdownNow();
        work.shutdownNow();
    }
}
