/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.bulkhead.BulkheadSettings.LimitAlgorithm;
import dev.holdfast.testcalls.Dependency;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.bulkhead.BulkheadFullException;
import io.github.resilience4j.bulkhead.BulkheadRegistry;
import io.github.resilience4j.bulkhead.internal.SemaphoreBulkhead;
import io.github.resilience4j.core.exception.AcquirePermissionCancelledException;
import io.github.resilience4j.core.registry.InMemoryRegistryStore;
import io.github.resilience4j.micrometer.tagged.TaggedBulkheadMetrics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A bulkhead of ours where resilience4j's own classes expect one of theirs. */
@Logs({"a consumer of events of bulkhead '.*' threw; told once", "lets any number of calls wait"})
class Resilience4jBulkheadTest {
    private final VirtualTime time = new VirtualTime();
    private final BulkheadPolicy policy =
            BulkheadPolicy.of(b -> b.maxConcurrentCalls(2).maxWait(Duration.ZERO));
    private final Bulkhead view = policy.asResilience4j();

    @AfterEach
    void close() {
        time.close();
    }

    private static List<String> eventsOf(Bulkhead bulkhead) {
        List<String> events = new ArrayList<>();
        bulkhead.getEventPublisher().onEvent(event -> events.add(event.getEventType() + " " + event.getBulkheadName()));
        return events;
    }

    @Test
    @SuppressWarnings("NullAway") // as a program would that is not checked for nulls
    void needsANameAndTags() {
        assertThatThrownBy(() -> policy.asResilience4j(null, Map.of())).hasMessage("name");
        assertThatThrownBy(() -> policy.asResilience4j("good", null)).hasMessage("tags");
        assertThat(policy.asResilience4j("good", Map.of()).getName()).isEqualTo("good");
    }

    @Test
    void isCalledLikeTheFirstPipelineOfItsPolicy() {
        assertThat(view.getName()).isEqualTo("bulkhead");
        try (Pipeline first = Pipeline.of("inventory", policy);
                Pipeline second = Pipeline.of("prices", policy)) {
            assertThat(List.of(first, second)).doesNotHaveDuplicates();
            assertThat(policy.asResilience4j().getName()).isEqualTo("inventory");
        }
    }

    @Test
    void isFoundInARegistryThatWasFilledBefore() {
        InMemoryRegistryStore<Bulkhead> store = new InMemoryRegistryStore<>();
        store.putIfAbsent("bulkhead", view);
        BulkheadRegistry registry =
                BulkheadRegistry.custom().withRegistryStore(store).build();

        assertThat(registry.bulkhead("bulkhead")).isSameAs(view);
        assertThat(registry.getAllBulkheads()).containsExactly(view);
        assertThat(registry.replace("absent", view)).isEmpty();
        assertThat(registry.find("absent")).isEmpty();
    }

    @Test
    void feedsTheMicrometerBinder() {
        Bulkhead tagged = policy.asResilience4j("inventory", Map.of("zone", "b"));
        InMemoryRegistryStore<Bulkhead> store = new InMemoryRegistryStore<>();
        store.putIfAbsent("inventory", tagged);
        SimpleMeterRegistry meters = new SimpleMeterRegistry();
        TaggedBulkheadMetrics.ofBulkheadRegistry(
                        BulkheadRegistry.custom().withRegistryStore(store).build())
                .bindTo(meters);
        tagged.acquirePermission();

        assertThat(meters.get("resilience4j.bulkhead.available.concurrent.calls")
                        .tags("name", "inventory", "zone", "b")
                        .gauge()
                        .value())
                .isEqualTo(1);
        policy.resize(7);
        assertThat(meters.get("resilience4j.bulkhead.max.allowed.concurrent.calls")
                        .tags("name", "inventory")
                        .gauge()
                        .value())
                .isEqualTo(7);
    }

    @Test
    void isDrivenByTheDecorators() {
        List<String> events = eventsOf(view);
        CompletableFuture<String> later = new CompletableFuture<>();
        CompletableFuture<String> decorated = Bulkhead.<String>decorateCompletionStage(view, () -> later)
                .get()
                .toCompletableFuture();
        Supplier<String> supplier = Bulkhead.decorateSupplier(view, () -> "inside " + policy.inFlight());

        assertThat(supplier.get()).isEqualTo("inside 2");
        view.acquirePermission();
        assertThatThrownBy(supplier::get)
                .isInstanceOf(BulkheadFullException.class)
                .hasMessage("Bulkhead 'bulkhead' is full and does not permit further calls");
        later.complete("done");

        assertThat(decorated).isCompletedWithValue("done");
        assertThat(policy.inFlight()).isEqualTo(1);
        assertThat(events)
                .containsExactly(
                        "CALL_PERMITTED bulkhead",
                        "CALL_PERMITTED bulkhead",
                        "CALL_FINISHED bulkhead",
                        "CALL_PERMITTED bulkhead",
                        "CALL_REJECTED bulkhead",
                        "CALL_FINISHED bulkhead");
    }

    @Test
    void eventsAndMetricsTellOfThePipelinesCallsToo() {
        List<String> events = eventsOf(view);
        Pipeline pipeline =
                Pipeline.builder("inventory").policies(policy).time(time).build();
        Dependency dependency = new Dependency(time, Way.CALL_ASYNC);

        dependency.call(pipeline, Duration.ofMillis(5));
        dependency.call(pipeline, Duration.ofMillis(5));
        dependency.call(pipeline, Duration.ofMillis(5));
        assertThat(view.getMetrics().getAvailableConcurrentCalls()).isZero();
        assertThat(view.tryAcquirePermission()).isFalse();
        time.run();

        assertThat(view.getMetrics().getAvailableConcurrentCalls()).isEqualTo(2);
        assertThat(events)
                .containsExactly(
                        "CALL_PERMITTED bulkhead",
                        "CALL_PERMITTED bulkhead",
                        "CALL_REJECTED bulkhead",
                        "CALL_REJECTED bulkhead",
                        "CALL_FINISHED bulkhead",
                        "CALL_FINISHED bulkhead");
    }

    @Test
    void aCallThatWaitedIsPermittedOnce() {
        BulkheadPolicy queued = BulkheadPolicy.of(b -> b.maxConcurrentCalls(1).maxWait(Duration.ofSeconds(1)));
        List<String> events = eventsOf(queued.asResilience4j());
        Pipeline pipeline =
                Pipeline.builder("inventory").policies(queued).time(time).build();
        Dependency dependency = new Dependency(time, Way.CALL_ASYNC);
        dependency.call(pipeline, Duration.ofMillis(5));
        dependency.call(pipeline, Duration.ofMillis(5));

        time.run();

        assertThat(events)
                .containsExactly(
                        "CALL_PERMITTED bulkhead",
                        "CALL_FINISHED bulkhead",
                        "CALL_PERMITTED bulkhead",
                        "CALL_FINISHED bulkhead");
    }

    @Test
    void aCallThatWaitedInVainIsRejectedOnce() {
        BulkheadPolicy queued = BulkheadPolicy.of(b -> b.maxConcurrentCalls(1).maxWait(Duration.ofMillis(5)));
        List<String> events = eventsOf(queued.asResilience4j());
        Pipeline pipeline =
                Pipeline.builder("inventory").policies(queued).time(time).build();
        Dependency dependency = new Dependency(time, Way.CALL_ASYNC);
        dependency.call(pipeline, Duration.ofMillis(50));
        dependency.call(pipeline, Duration.ZERO);

        time.run();

        assertThat(events)
                .containsExactly("CALL_PERMITTED bulkhead", "CALL_REJECTED bulkhead", "CALL_FINISHED bulkhead");
    }

    @Test
    void eachKindOfEventHasConsumersOfItsOwn() {
        List<String> events = new ArrayList<>();
        view.getEventPublisher()
                .onCallPermitted(event -> events.add("permitted"))
                .onCallRejected(event -> events.add("rejected"))
                .onCallFinished(event -> events.add("finished"));
        view.acquirePermission();
        view.acquirePermission();

        assertThat(view.tryAcquirePermission()).isFalse();
        view.onComplete();

        assertThat(events).containsExactly("permitted", "permitted", "rejected", "finished");
    }

    @Test
    void itsConfigTellsTheLimitThatIsInForce() {
        assertThat(view.getBulkheadConfig().getMaxConcurrentCalls()).isEqualTo(2);
        BulkheadConfig given = BulkheadConfig.custom()
                .maxConcurrentCalls(3)
                .writableStackTraceEnabled(false)
                .build();

        view.changeConfig(given);
        assertThat(view.getBulkheadConfig()).isSameAs(given);
        policy.resize(7);

        assertThat(view.getBulkheadConfig().getMaxConcurrentCalls()).isEqualTo(7);
        assertThat(view.getBulkheadConfig().isWritableStackTraceEnabled()).isFalse();
    }

    /** Meant: resilience4j's semaphore grows beyond its limit. */
    @Test
    void whatWasNeverGivenOutIsNotTakenBack() {
        Bulkhead theirs = new SemaphoreBulkhead(
                "b", BulkheadConfig.custom().maxConcurrentCalls(2).build());
        List<String> events = eventsOf(view);

        for (Bulkhead bulkhead : List.of(theirs, view)) {
            bulkhead.releasePermission();
            bulkhead.onComplete();
        }

        assertThat(theirs.getMetrics().getAvailableConcurrentCalls()).isEqualTo(4);
        assertThat(view.getMetrics().getAvailableConcurrentCalls()).isEqualTo(2);
        assertThat(events).isEmpty();
        assertThat(view.tryAcquirePermission()).isTrue();
        assertThat(view.tryAcquirePermission()).isTrue();
        assertThat(view.tryAcquirePermission()).isFalse();
    }

    @Test
    void whatIsGivenBackTwiceNeverTakesThePermitOfAPipelinesCall() {
        Pipeline pipeline =
                Pipeline.builder("inventory").policies(policy).time(time).build();
        new Dependency(time, Way.CALL_ASYNC).call(pipeline, Duration.ofMillis(5));
        view.acquirePermission();

        view.onComplete();
        view.onComplete();
        view.releasePermission();

        assertThat(policy.inFlight()).isEqualTo(1);
        time.run();
        assertThat(policy.inFlight()).isZero();
    }

    /** Meant: resilience4j blocks the thread that shrinks a saturated bulkhead until calls have come back. */
    @Test
    void shrinkingASaturatedBulkheadDoesNotBlock() {
        view.acquirePermission();
        view.acquirePermission();

        view.changeConfig(BulkheadConfig.custom().maxConcurrentCalls(1).build());

        assertThat(view.getBulkheadConfig().getMaxConcurrentCalls()).isEqualTo(1);
        assertThat(view.getMetrics().getMaxAllowedConcurrentCalls()).isEqualTo(1);
        assertThat(view.getMetrics().getAvailableConcurrentCalls()).isZero();
        view.onComplete();
        assertThat(view.tryAcquirePermission()).isFalse();
        view.onComplete();
        assertThat(view.tryAcquirePermission()).isTrue();
    }

    /** Meant: resilience4j turns an interrupted thread away even if a permit is free. */
    @Test
    void anInterruptedThreadThatNeedNotWaitIsServed() {
        Bulkhead theirs = new SemaphoreBulkhead("b");
        Thread.currentThread().interrupt();
        try {
            assertThat(theirs.tryAcquirePermission()).isFalse();
            assertThat(view.tryAcquirePermission()).isTrue();
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    /** Meant: in resilience4j it breaks the call, and the permit is lost. */
    @Test
    void aConsumerThatThrowsBreaksNoCallAndLosesNoPermit() {
        Bulkhead theirs = new SemaphoreBulkhead(
                "b", BulkheadConfig.custom().maxConcurrentCalls(2).build());
        for (Bulkhead bulkhead : List.of(theirs, view)) {
            bulkhead.getEventPublisher().onCallPermitted(event -> {
                throw new IllegalStateException("consumer");
            });
        }

        assertThatThrownBy(() -> theirs.executeSupplier(() -> "done")).hasMessage("consumer");
        assertThat(theirs.getMetrics().getAvailableConcurrentCalls()).isEqualTo(1);
        assertThat(view.<String>executeSupplier(() -> "done")).isEqualTo("done");
        assertThat(view.getMetrics().getAvailableConcurrentCalls()).isEqualTo(2);
    }

    @Test
    void thatAConsumerThrowsIsLoggedOnce() {
        List<String> logged = new ArrayList<>();
        Handler handler = new Handler() {
            @Override
            public void publish(LogRecord record) {
                logged.add(record.getLevel() + " " + record.getMessage() + ": "
                        + record.getThrown().getMessage());
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        view.getEventPublisher().onEvent(event -> {
            throw new IllegalStateException(event.getEventType().name());
        });
        Logger logger = Logger.getLogger("dev.holdfast.bulkhead");
        logger.addHandler(handler);
        try {
            view.acquirePermission();
            view.onComplete();
        } finally {
            logger.removeHandler(handler);
        }

        assertThat(logged)
                .containsExactly(
                        "WARNING a consumer of events of bulkhead 'bulkhead' threw; told once: CALL_PERMITTED");
    }

    @Test
    void aConsumerThatThrowsAnErrorBreaksNoCallOfAPipeline() {
        view.getEventPublisher().onEvent(event -> {
            throw new AssertionError(event.getEventType());
        });
        Pipeline pipeline =
                Pipeline.builder("inventory").policies(policy).time(time).build();
        Running<String> call = new Dependency(time, Way.CALL_ASYNC).call(pipeline, Duration.ofMillis(5));

        time.run();

        assertThat(call.result()).isCompletedWithValue("done");
        assertThat(policy.inFlight()).isZero();
    }

    @Test
    void aCallerThatComesLateWaitsForTheTargetOfTheBulkheadThatHasTakenOver() {
        BulkheadPolicy before = heedingTheTarget(Duration.ofMillis(5));
        BulkheadPolicy after = heedingTheTarget(Duration.ofMillis(100));
        Pipeline pipeline =
                Pipeline.builder("inventory").policies(before).time(time).build();
        Bulkhead old = before.asResilience4j();
        old.changeConfig(waiting(Duration.ofSeconds(1)));
        pipeline.replace(after);
        Dependency dependency = new Dependency(time, Way.CALL_ASYNC);
        dependency.call(pipeline, Duration.ofMillis(500));
        dependency.call(pipeline, Duration.ZERO);
        time.advance(Duration.ofMillis(50));
        CompletableFuture<Boolean> late = time.spawn(old::tryAcquirePermission);
        time.advance(Duration.ofMillis(99));
        assertThat(late).isNotDone();
        time.advance(Duration.ofMillis(1));
        assertThat(late).isCompletedWithValue(false);
        time.run();
    }

    private static BulkheadPolicy heedingTheTarget(Duration target) {
        return BulkheadPolicy.of(b -> b.maxConcurrentCalls(1)
                .maxWait(Duration.ofSeconds(1))
                .queueOrder(BulkheadSettings.QueueOrder.CODEL)
                .codelInterval(Duration.ofMillis(50))
                .codelTarget(target));
    }

    private static Bulkhead viewOf(BulkheadConfig config) {
        return BulkheadPolicy.of(BulkheadSettings.from(config)).asResilience4j("inventory", Map.of());
    }

    private static BulkheadConfig waiting(Duration wait) {
        return BulkheadConfig.custom()
                .maxConcurrentCalls(1)
                .maxWaitDuration(wait)
                .build();
    }

    @Test
    void whatAConfigSaysIsWhatItsViewTells() {
        BulkheadConfig given = BulkheadConfig.custom()
                .maxConcurrentCalls(3)
                .maxWaitDuration(Duration.ofMillis(40))
                .fairCallHandlingStrategyEnabled(false)
                .writableStackTraceEnabled(false)
                .build();

        assertThat(viewOf(given).getBulkheadConfig()).hasToString(given.toString());
        assertThat(view.getBulkheadConfig().getMaxWaitDuration())
                .as("a policy's own wait is for pipelines")
                .isZero();
    }

    @Test
    void aRejectionHasAStackTraceIfTheConfigSaysSo() {
        for (boolean traces : new boolean[] {true, false}) {
            Bulkhead full = viewOf(BulkheadConfig.custom()
                    .maxConcurrentCalls(1)
                    .writableStackTraceEnabled(traces)
                    .build());
            full.acquirePermission();

            assertThatThrownBy(full::acquirePermission)
                    .isInstanceOf(BulkheadFullException.class)
                    .hasMessage("Bulkhead 'inventory' is full and does not permit further calls")
                    .satisfies(thrown ->
                            assertThat(thrown.getStackTrace().length > 0).isEqualTo(traces));
        }
    }

    /** A view on the time of a pipeline, whose caller waits in it. */
    private record Waiting(VirtualTime time, BulkheadPolicy policy, Bulkhead view, List<String> events) {
        static Waiting on(VirtualTime time, BulkheadConfig config) {
            BulkheadPolicy policy = BulkheadPolicy.of(BulkheadSettings.from(config));
            Pipeline.builder("inventory").policies(policy).time(time).build();
            Bulkhead view = policy.asResilience4j();
            return new Waiting(time, policy, view, eventsOf(view));
        }
    }

    @Test
    void aCallerOfTheViewWaitsForAsLongAsTheConfigSays() {
        Waiting waiting = Waiting.on(time, waiting(Duration.ofMillis(40)));
        waiting.view.acquirePermission();
        long start = time.nanos();
        List<Long> ends = new ArrayList<>();
        CompletableFuture<Boolean> caller = time.spawn(() -> {
            boolean permitted = waiting.view.tryAcquirePermission();
            ends.add(time.nanos() - start);
            return permitted;
        });

        time.run();

        assertThat(caller).isCompletedWithValue(false);
        assertThat(ends).containsExactly(Duration.ofMillis(40).toNanos());
        assertThat(waiting.policy.waiting()).isZero();
        assertThat(waiting.policy.inFlight()).isOne();
        assertThat(waiting.events).containsExactly("CALL_PERMITTED inventory", "CALL_REJECTED inventory");
    }

    @Test
    void aCallerOfTheViewThatWaitsGetsThePermitThatComesBack() {
        Waiting waiting = Waiting.on(time, waiting(Duration.ofMillis(40)));
        waiting.view.acquirePermission();
        time.schedule(Duration.ofMillis(10).toNanos(), waiting.view::onComplete);
        long start = time.nanos();
        List<Long> ends = new ArrayList<>();
        CompletableFuture<Boolean> caller = time.spawn(() -> {
            waiting.view.acquirePermission();
            ends.add(time.nanos() - start);
            waiting.view.onComplete();
            return true;
        });

        time.run();

        assertThat(caller).isCompletedWithValue(true);
        assertThat(ends).containsExactly(Duration.ofMillis(10).toNanos());
        assertThat(waiting.policy.inFlight()).isZero();
    }

    @Test
    void aCallerOfTheViewThatIsInterruptedWhileItWaitsKeepsItsFlagAndLosesNoPermit() {
        Waiting waiting = Waiting.on(time, waiting(Duration.ofMillis(40)));
        waiting.view.acquirePermission();
        List<Thread> caller = new ArrayList<>();
        CompletableFuture<Boolean> flag = time.spawn(() -> {
            caller.add(Thread.currentThread());
            assertThatThrownBy(waiting.view::acquirePermission).isInstanceOf(AcquirePermissionCancelledException.class);
            return time.isInterrupted(Thread.currentThread());
        });
        time.schedule(Duration.ofMillis(10).toNanos(), () -> time.interrupt(caller.get(0)));

        time.run();

        assertThat(flag).isCompletedWithValue(true);
        assertThat(waiting.policy.waiting()).isZero();
        waiting.view.onComplete();
        assertThat(waiting.policy.inFlight()).isZero();
    }

    /** On real threads: each of many callers waits its turn. */
    @Test
    void callersOfTheViewTakeTurns() throws Exception {
        Bulkhead one = viewOf(waiting(Duration.ofDays(1)));
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        List<Thread> callers = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            Thread caller = new Thread(() -> {
                for (int call = 0; call < 200; call++) {
                    one.executeRunnable(() -> {
                        most.accumulateAndGet(inside.incrementAndGet(), Math::max);
                        inside.decrementAndGet();
                    });
                }
            });
            caller.start();
            callers.add(caller);
        }
        for (Thread caller : callers) {
            caller.join();
        }

        assertThat(most).hasValue(1);
        assertThat(one.getMetrics().getAvailableConcurrentCalls()).isOne();
    }

    @Test
    void whatCannotBeKeptIsRefusedByNameAndNothingIsChanged() {
        Bulkhead none = BulkheadPolicy.of(b -> b.maxConcurrentCalls(2).maxWaitingCalls(0))
                .asResilience4j("inventory", Map.of());
        Bulkhead adaptive = BulkheadPolicy.of(b -> b.limit(LimitAlgorithm.VEGAS).maxConcurrentCalls(30))
                .asResilience4j("inventory", Map.of());

        assertRefused(
                none,
                b -> b.maxWaitDuration(Duration.ofMillis(5)),
                "maxWaitDuration of bulkhead 'inventory' is PT0.005S, expected zero, since its policy lets none wait"
                        + " (maxWaitingCalls is 0)");
        assertRefused(
                none,
                b -> b.maxConcurrentCalls(0),
                "maxConcurrentCalls of bulkhead 'inventory' is 0, expected 1 to 1,000,000");
        assertRefused(
                view,
                b -> b.maxWaitDuration(Duration.ofDays(2)),
                "maxWaitDuration of bulkhead 'bulkhead' is PT48H, expected one day at most");
        assertRefused(
                adaptive,
                b -> b.maxConcurrentCalls(7),
                "maxConcurrentCalls of bulkhead 'inventory' is 7, expected no change, since its limit adapts by VEGAS");
    }

    private static void assertRefused(Bulkhead bulkhead, Consumer<BulkheadConfig.Builder> change, String message) {
        String before = bulkhead.getBulkheadConfig().toString();
        BulkheadConfig.Builder config = BulkheadConfig.from(bulkhead.getBulkheadConfig());
        change.accept(config);

        assertThatThrownBy(() -> bulkhead.changeConfig(config.build()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message);
        assertThat(bulkhead.getBulkheadConfig()).hasToString(before);
    }

    @Test
    void oneNameIsOneView() {
        assertThat(policy.asResilience4j()).isSameAs(view);
        assertThat(policy.asResilience4j("other", Map.of())).isNotSameAs(view).hasToString("Bulkhead 'other'");
        assertThatThrownBy(() -> policy.asResilience4j("other", Map.of("k", "v")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("view 'other' has the tags {} and not {k=v}");
        assertThat(view.getTags()).isEmpty();
    }
}
