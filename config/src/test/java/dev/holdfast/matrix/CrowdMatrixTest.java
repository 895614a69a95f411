/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.matrix;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testing.SpyPolicy;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.throttling.ThrottlePolicy;
import dev.holdfast.time.VirtualTime;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** A thousand asynchronous calls that wait at one place when something happens to all of them: none is left there. */
@ThreadKind.Each
class CrowdMatrixTest {
    private static final int CROWD = 1_000;

    /** What happens. */
    private enum Then {
        THEY_ARE_SERVED,
        THE_EXECUTOR_REFUSES,
        THE_EXECUTOR_REFUSES_NOW_AND_THEN,
        THE_PIPELINE_IS_CLOSED,
        ALL_ARE_CANCELLED,
        HALF_ARE_CANCELLED,
        THEIR_TIME_IS_OVER
    }

    private static Map<String, Supplier<Policy>> places() {
        Map<String, Supplier<Policy>> places = new LinkedHashMap<>();
        places.put("bulkhead", () -> bulkhead(false));
        places.put("dedicated threads", () -> bulkhead(true));
        places.put(
                "throttle",
                () -> ThrottlePolicy.of(
                        t -> t.limit(CROWD).per(ofSeconds(1)).burst(1).maxWait(ofSeconds(10))));
        places.put("flight", StaleCachePolicy::ofDefaults);
        places.put(
                "backoff",
                () -> RetryPolicy.of(r -> r.initialBackoff(ofMillis(100)).budgetEnabled(false)));
        return places;
    }

    private static Policy bulkhead(boolean dedicated) {
        return BulkheadPolicy.of(b -> b.maxConcurrentCalls(1)
                .maxWaitingCalls(CROWD)
                .maxWait(ofSeconds(10))
                .dedicatedThreads(dedicated));
    }

    @Test
    void nobodyIsLeftWaiting() {
        List<String> wrong = new ArrayList<>();
        int cells = 0;
        for (Map.Entry<String, Supplier<Policy>> place : places().entrySet()) {
            for (Then then : Then.values()) {
                cells++;
                List<String> problems = new ArrayList<>();
                try {
                    play(place.getValue().get(), then, problems);
                } catch (Throwable thrown) {
                    problems.add("threw " + thrown);
                }
                if (!problems.isEmpty()) {
                    wrong.add(place.getKey() + ", " + then + ": " + String.join("; ", problems));
                }
            }
        }
        System.out.printf("matrix, crowds, %s threads: %d cases%n", ThreadKind.current(), cells);
        assertThat(wrong).as("%d of %d cases are wrong", wrong.size(), cells).isEmpty();
    }

    private static void play(Policy policy, Then then, List<String> problems) {
        SpyPolicy spy = SpyPolicy.around(policy);
        boolean[] refusing = new boolean[1];
        int[] tasks = new int[1];
        try (VirtualTime time = ThreadKind.current().on(VirtualTime.seeded(1));
                Pipeline pipeline = Pipeline.builder("crowd")
                        .policies(spy)
                        .time(time)
                        .executor(task -> {
                            boolean now = then != Then.THE_EXECUTOR_REFUSES_NOW_AND_THEN || tasks[0]++ % 3 == 0;
                            if (refusing[0] && now) {
                                throw new RejectedExecutionException("full");
                            }
                            time.executor().execute(task);
                        })
                        .build()) {
            CompletableFuture<Object> first = new CompletableFuture<>();
            List<CompletableFuture<Object>> calls = calls(pipeline, policy, first, then);
            time.advance(ofMillis(1));
            happen(then, pipeline, calls, refusing);
            time.schedule(1_000_000, () -> first.complete("first"));
            time.run();
            refusing[0] = false;
            long hanging = calls.stream().filter(call -> !call.isDone()).count();
            if (hanging > 0) {
                problems.add(hanging + " of " + calls.size() + " never ended");
            }
            if (policy instanceof BulkheadPolicy bulkhead && bulkhead.inFlight() + bulkhead.waiting() > 0) {
                problems.add(bulkhead.inFlight() + " permits are out, " + bulkhead.waiting() + " wait");
            }
            spy.assertOver();
            if (then != Then.THE_PIPELINE_IS_CLOSED) {
                nextCallGetsThrough(pipeline, time, problems);
            }
        }
    }

    private static List<CompletableFuture<Object>> calls(
            Pipeline pipeline, Policy policy, CompletableFuture<Object> first, Then then) {
        Operation<Object> operation = pipeline.operation("op");
        boolean fails = policy instanceof RetryPolicy;
        List<CompletableFuture<Object>> calls = new ArrayList<>();
        var one = operation.key("k");
        calls.add(one.callAsync(attempt -> first));
        var other = then == Then.THEIR_TIME_IS_OVER ? one.deadline(ofMillis(50)) : one;
        for (int i = 0; i < CROWD; i++) {
            calls.add(other.callAsync(attempt -> fails && attempt.number() == 1
                    ? CompletableFuture.failedFuture(new IOException("ill"))
                    : CompletableFuture.completedFuture("well")));
        }
        return calls;
    }

    private static void happen(
            Then then, Pipeline pipeline, List<CompletableFuture<Object>> calls, boolean[] refusing) {
        switch (then) {
            case THE_EXECUTOR_REFUSES, THE_EXECUTOR_REFUSES_NOW_AND_THEN -> refusing[0] = true;
            case THE_PIPELINE_IS_CLOSED -> pipeline.close();
            case ALL_ARE_CANCELLED -> calls.forEach(call -> call.cancel(true));
            case HALF_ARE_CANCELLED -> {
                for (int i = 0; i < calls.size(); i += 2) {
                    calls.get(i).cancel(true);
                }
            }
            default -> {}
        }
    }

    private static void nextCallGetsThrough(Pipeline pipeline, VirtualTime time, List<String> problems) {
        time.advance(ofSeconds(20));
        CompletableFuture<String> next = pipeline.callAsync(() -> CompletableFuture.completedFuture("next"));
        time.run();
        if (!"next".equals(next.handle((value, error) -> value).getNow("nothing"))) {
            problems.add("the next call got " + next);
        }
    }
}
