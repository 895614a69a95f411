/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.context;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Deadline;
import dev.holdfast.Pipeline;
import dev.holdfast.internal.micrometer.DeadlineAccessor;
import dev.holdfast.micrometer.MicrometerContext;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import io.micrometer.context.ContextExecutorService;
import io.micrometer.context.ContextRegistry;
import io.micrometer.context.ContextSnapshot;
import io.micrometer.context.ContextSnapshotFactory;
import io.micrometer.context.integration.Slf4jThreadLocalAccessor;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.contextpropagation.ObservationThreadLocalAccessor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.slf4j.MDC;

class MicrometerContextTest {
    private static final ThreadLocal<String> TRACE = new ThreadLocal<>();

    private final VirtualTime time = new VirtualTime();
    private final ContextRegistry registry = new ContextRegistry();
    private final List<String> seen = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void close() {
        TRACE.remove();
        MDC.clear();
        ContextRegistry.getInstance().removeThreadLocalAccessor(Slf4jThreadLocalAccessor.KEY);
        time.close();
    }

    private Pipeline.Builder builder() {
        return Pipeline.builder("p")
                .policies(RetryPolicy.of(r -> r.maxAttempts(2)))
                .classifier((value, error) -> dev.holdfast.Verdict.FAILURE)
                .time(time);
    }

    private CompletableFuture<String> after(long millis) {
        CompletableFuture<String> stage = new CompletableFuture<>();
        time.schedule(Duration.ofMillis(millis).toNanos(), () -> stage.complete("v"));
        return stage;
    }

    private void callTwice(Pipeline p) {
        var unused = p.callAsync(() -> {
            seen.add(TRACE.get() + " " + MDC.get("user"));
            return after(5);
        });
    }

    @Test
    void whatIsRegisteredIsCarriedAndTakenAwayAgain() {
        registry.registerThreadLocalAccessor("trace", TRACE);
        registry.registerThreadLocalAccessor(new DeadlineAccessor());
        TRACE.set("t1");
        callTwice(builder().context(MicrometerContext.of(registry)).build());
        TRACE.set("t2");
        time.run();
        assertThat(seen).containsExactly("t1 null", "t1 null");
        assertThat(TRACE.get()).isEqualTo("t2");
        time.schedule(0, () -> seen.add("afterwards " + TRACE.get()));
        time.run();
        assertThat(seen).endsWith("afterwards null");
    }

    @Test
    void whatTheCallerDidNotHaveIsHiddenWhileTheCallGoesOn() {
        registry.registerThreadLocalAccessor("trace", TRACE);
        CompletableFuture<String> stage = new CompletableFuture<>();
        CompletableFuture<Void> end = Pipeline.builder("p")
                .context(MicrometerContext.of(registry))
                .build()
                .callAsync(() -> stage)
                .thenAccept(v -> seen.add("continuation " + TRACE.get()));
        TRACE.set("strangers");
        stage.complete("v");
        assertThat(end).isCompleted();
        assertThat(seen).containsExactly("continuation null");
        assertThat(TRACE.get()).isEqualTo("strangers");
    }

    @Test
    void mdcIsCarriedByEveryPipelineOnceItsAccessorIsRegistered() {
        ContextRegistry.getInstance().registerThreadLocalAccessor(new Slf4jThreadLocalAccessor());
        // Its threads are there before: the MDC of slf4j's own adapter is inherited by threads that are made later.
        time.schedule(0, () -> seen.add("before " + MDC.get("user")));
        time.run();
        MDC.put("user", "ann");
        callTwice(builder().build());
        MDC.clear();
        time.run();
        time.schedule(0, () -> seen.add("after " + MDC.get("user")));
        time.run();
        assertThat(seen).containsExactly("before null", "null ann", "null ann", "after null");
    }

    @Test
    void observationOnWhichTracersHangTheirSpansIsCurrentInEveryAttempt() {
        ObservationRegistry observations = ObservationRegistry.create();
        observations.observationConfig().observationHandler(context -> true);
        registry.registerThreadLocalAccessor(new ObservationThreadLocalAccessor(observations));
        Pipeline p = builder().context(MicrometerContext.of(registry)).build();
        Observation request = Observation.start("request", observations);
        List<Observation> current = Collections.synchronizedList(new ArrayList<>());
        request.scoped(() -> {
            var unused = p.callAsync(() -> {
                current.add(observations.getCurrentObservation());
                return after(5);
            });
        });
        time.run();
        assertThat(current).containsExactly(request, request);
        time.schedule(0, () -> seen.add("afterwards " + observations.getCurrentObservation()));
        time.run();
        assertThat(seen).containsExactly("afterwards null");
        assertThat(observations.getCurrentObservation()).isNull();
    }

    @Test
    void whereNothingIsRegisteredThereIsNothingToCarry() {
        assertThat(MicrometerContext.of(registry).capture()).isNull();
        registry.registerThreadLocalAccessor(new DeadlineAccessor());
        assertThat(MicrometerContext.of(registry).capture()).isNull();
        registry.registerThreadLocalAccessor("trace", TRACE);
        assertThat(MicrometerContext.of(registry).capture()).isNotNull();
    }

    // ---- the deadline

    private final Pipeline inner = Pipeline.builder("inner")
            .time(time)
            .policies(new Policy("seeing", Policy.ENTER) {
                @Override
                public int enter(Passage passage) {
                    seen.add((passage.remaining() == Long.MAX_VALUE
                                    ? "no limit"
                                    : passage.remaining() / 1_000_000 + " ms")
                            + " in " + passage.outerAttempt());
                    return PROCEED;
                }
            })
            .build();

    private String callInner() {
        return inner.call(() -> "v");
    }

    @Test
    void anyExecutorThatIsWrappedCarriesTheDeadline() throws Exception {
        ExecutorService pool = Executors.newSingleThreadExecutor();
        try {
            ExecutorService wrapped = ContextExecutorService.wrap(
                    pool, ContextSnapshotFactory.builder().build());
            Pipeline outer = Pipeline.builder("outer")
                    .policies(TimeoutPolicy.of(Duration.ofMillis(50)))
                    .time(time)
                    .build();
            String answer = Deadline.within(
                    time,
                    Duration.ofMillis(80),
                    () -> wrapped.submit(this::callInner).get());
            assertThat(answer).isEqualTo("v");
            outer.call(() -> wrapped.submit(this::callInner).get());
            wrapped.submit(this::callInner).get();
            pool.submit(this::callInner).get();
            assertThat(seen).containsExactly("80 ms in 0", "50 ms in 1", "no limit in 0", "no limit in 0");
        } finally {
            pool.shutdownNow();
        }
    }

    @Test
    void scopeInsideACallLeavesNoneOfItsLimitsOnTheThread() throws Exception {
        Pipeline outer = Pipeline.builder("outer")
                .policies(TimeoutPolicy.of(Duration.ofMillis(50)))
                .time(time)
                .build();
        ContextSnapshot empty =
                ContextSnapshotFactory.builder().clearMissing(true).build().captureAll();
        ContextSnapshot eighty = Deadline.within(
                time,
                Duration.ofMillis(80),
                () -> ContextSnapshotFactory.builder().build().captureAll());
        outer.call(() -> {
            try (ContextSnapshot.Scope scope = eighty.setThreadLocals();
                    ContextSnapshot.Scope innermost = empty.setThreadLocals()) {
                assertThat(scope).isNotSameAs(innermost);
            }
            return callInner();
        });
        callInner();
        Deadline.within(time, Duration.ofMillis(30), () -> {
            try (ContextSnapshot.Scope scope = eighty.setThreadLocals()) {
                assertThat(scope).isNotNull();
                callInner();
            }
            return callInner();
        });
        assertThat(Deadline.remaining()).isEmpty();
        assertThat(seen).containsExactly("50 ms in 1", "no limit in 0", "80 ms in 0", "30 ms in 0");
    }
}
