/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.soak;

import dev.holdfast.Pipeline;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.chaos.ChaosPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy.State;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.throttling.ThrottlePolicy;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** One soak: warm-up, chaos, and the look at what is left. */
final class SoakRun {
    private static final int PERMITS = 16;
    /** How much of the run fills caches and pools, before what is there is compared with. */
    private static final int WARM_UP_PARTS = 10;
    /** Beyond the timeout, the lease and the longest hang, on any machine. */
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    private static final int MOST_COLLECTIONS = 10;
    private static final int MOST_BURSTS = 1_000;

    private final BulkheadPolicy bulkhead = BulkheadPolicy.of(b -> b.maxConcurrentCalls(PERMITS)
            .maxWaitingCalls(PERMITS)
            .maxWait(Duration.ofMillis(20))
            .lease(Duration.ofMillis(500)));
    private final CircuitBreakerPolicy breaker = CircuitBreakerPolicy.of(b ->
            b.waitDurationInOpenState(Duration.ofMillis(50)).maxWaitDurationInHalfOpenState(Duration.ofMillis(500)));
    private final ChaosPolicy chaos;
    private final Pipeline pipeline;

    private final long seed;
    private final PrintStream out;
    private final List<String> broken = new ArrayList<>();

    SoakRun(long seed, PrintStream out) {
        this.seed = seed;
        this.out = out;
        chaos = ChaosPolicy.of(c -> c.enabled(true)
                .seed(seed)
                .latencyRate(0.05)
                .minLatency(Duration.ofMillis(1))
                .maxLatency(Duration.ofMillis(100))
                .errorRate(0.05)
                .resultRate(0.02)
                .result(() -> "injected")
                .hangRate(0.01));
        pipeline = pipeline();
    }

    private Pipeline pipeline() {
        return Pipeline.of(
                "soak",
                DeadlinePolicy.of(Duration.ofMillis(400)),
                FallbackPolicy.of(error -> {
                    // Half of what fails is answered by the fallback; the other half fails in it.
                    if (error == null || System.identityHashCode(error) % 2 == 0) {
                        return "fallback";
                    }
                    throw new IllegalStateException("no fallback", error);
                }),
                StaleCachePolicy.of(c -> c.fresh(Duration.ofMillis(50))
                        .staleWhileRevalidate(Duration.ofMillis(500))
                        .staleIfError(Duration.ofSeconds(5))
                        .maxEntries(1_000)),
                RetryPolicy.of(r -> r.initialBackoff(Duration.ofMillis(5)).maxBackoff(Duration.ofMillis(50))),
                breaker,
                ThrottlePolicy.of(t -> t.limit(5_000).burst(200).maxWait(Duration.ofMillis(20))),
                bulkhead,
                TimeoutPolicy.of(Duration.ofMillis(60)),
                chaos);
    }

    /** True if all was whole at the end. */
    boolean run(Duration length) throws InterruptedException {
        Vitals before = Vitals.take();
        out.println(pipeline + "; seed " + seed);
        FaultyDependency dependency = new FaultyDependency(seed);
        Callers callers = new Callers(pipeline.operation("answer"), dependency);
        Vitals warm;
        try (pipeline;
                dependency) {
            callers.start(seed);
            TimeUnit.NANOSECONDS.sleep(length.toNanos() / WARM_UP_PARTS);
            warm = Vitals.take();
            out.println("warm: " + warm);
            TimeUnit.NANOSECONDS.sleep(length.toNanos() - length.toNanos() / WARM_UP_PARTS);
            // A slow machine may need longer than was asked for.
            expect(soon(this::everyFaultWasInjected), "every kind of fault is injected");
            expect(
                    soon(() -> callers.answered.sum() > 0 && callers.failed.sum() > 0),
                    "there are answers and failures");
            Vitals late = Vitals.take();
            out.println("late: " + late);
            // After a pause of the machine many threads have work at once; what leaks is there for good.
            expect(soon(() -> Vitals.take().areThreadsFlatSince(warm)), "threads are flat: " + warm + ", then " + late);
            expect(callers.stop(), "every call ends");
            dependency.heal();
            chaos.off();
            checkPermits();
            expect(heapIsFlatSince(warm), "heap is flat: " + warm + ", then " + late);
        }
        out.println(callers.answered + " answers, " + callers.failed + " failures, " + bulkhead.writtenOff()
                + " permits written off");
        out.println("injected faults: " + injected());
        expect(threadsAreBackTo(before), "threads end with the pipeline: " + before + " before");
        return broken.isEmpty();
    }

    private boolean everyFaultWasInjected() {
        return injected().values().stream().allMatch(faults -> faults.longValue() > 0);
    }

    /** Under load the heap holds what was made since the collection too; what leaks is there for good. */
    private static boolean heapIsFlatSince(Vitals warm) {
        for (int i = 0; i < MOST_COLLECTIONS; i++) {
            if (Vitals.take().isHeapFlatSince(warm)) {
                return true;
            }
        }
        return false;
    }

    private Map<String, Number> injected() {
        Map<String, Number> injected = new TreeMap<>(pipeline.snapshot().numbers());
        injected.keySet().removeIf(name -> !name.startsWith("chaos."));
        return injected;
    }

    private void checkPermits() throws InterruptedException {
        expect(soon(() -> bulkhead.inFlight() == 0 && bulkhead.waiting() == 0), "permits come back");
        int let = -1;
        for (int i = 0; i < MOST_BURSTS && let < PERMITS; i++) {
            expect(soon(this::answers), "a healthy dependency is called again");
            let = letInAtOnce();
        }
        expect(let == PERMITS, "there are " + PERMITS + " permits: " + let + " calls were let in at once");
    }

    /** How many of one call more than there are permits; negative if one ended, by its limit, before the last one came. */
    private int letInAtOnce() throws InterruptedException {
        List<CompletableFuture<String>> calls = new ArrayList<>();
        List<CompletableFuture<String>> attempts = Collections.synchronizedList(new ArrayList<>());
        for (int i = 0; i < PERMITS + 1; i++) {
            calls.add(pipeline.callAsync(() -> {
                CompletableFuture<String> attempt = new CompletableFuture<>();
                attempts.add(attempt);
                return attempt;
            }));
        }
        List<CompletableFuture<String>> let = List.copyOf(attempts);
        // Limits that struck meanwhile may have opened the breaker.
        boolean allAreThere = let.stream().noneMatch(CompletableFuture::isDone) && breaker.state() == State.CLOSED;
        calls.forEach(call -> call.cancel(false));
        expect(soon(() -> bulkhead.inFlight() == 0 && bulkhead.waiting() == 0), "permits of cancelled calls come back");
        return allAreThere ? let.size() : -1;
    }

    /** Whether the breaker has closed and a call goes through; until then the fallback fails for half of the refusals. */
    private boolean answers() {
        String answer = pipeline.callAsync(() -> CompletableFuture.completedFuture("well"))
                .exceptionally(refused -> "refused")
                .join();
        return answer.equals("well") && breaker.state() == State.CLOSED;
    }

    private static boolean threadsAreBackTo(Vitals before) throws InterruptedException {
        return soon(() -> Vitals.take().haveThreadsEndedSince(before));
    }

    private static boolean soon(BooleanSupplier condition) throws InterruptedException {
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - start > PATIENCE.toNanos()) {
                return false;
            }
            TimeUnit.MILLISECONDS.sleep(10);
        }
        return true;
    }

    private void expect(boolean kept, String what) {
        out.println((kept ? "  whole   " : "  BROKEN  ") + what);
        if (!kept) {
            broken.add(what);
        }
    }
}
