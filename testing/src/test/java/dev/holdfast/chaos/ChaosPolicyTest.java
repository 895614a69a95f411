/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.chaos;

import static dev.holdfast.testing.HoldfastAssertions.assertThat;
import static dev.holdfast.testing.HoldfastAssertions.assertThatCall;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.Verdict;
import dev.holdfast.chaos.ChaosPolicy.ChaosException;
import dev.holdfast.chaos.internal.ChaosPolicyFactory;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.InvalidSettingsException;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testing.RecordingObserver;
import dev.holdfast.testing.ScriptedAction;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

@Logs({"chaos-enabled", "chaos-outside-retry", "chaos is on", "chaos is off"})
class ChaosPolicyTest {
    private static final int CALLS = 2_000;

    private final VirtualTime time = new VirtualTime();
    private final RecordingObserver told = new RecordingObserver();
    private final ScriptedAction<String> action =
            ScriptedAction.<String>on(time).returns("well");

    @AfterEach
    void close() {
        time.close();
    }

    private static ChaosPolicy chaos(Consumer<ChaosSettings.Builder> settings) {
        return ChaosPolicy.of(c -> settings.accept(c.enabled(true).seed(20_261_125)));
    }

    private Pipeline pipeline(Policy... policies) {
        return Pipeline.builder("ill")
                .policies(policies)
                .time(time)
                .observer(told)
                .classifier((value, error) -> error != null || "odd".equals(value) ? Verdict.FAILURE : Verdict.SUCCESS)
                .build();
    }

    /** Every second call blocks, the others are asynchronous. */
    private List<String> calls(Pipeline pipeline, int calls) {
        List<String> ends = new ArrayList<>();
        for (int i = 0; i < calls; i++) {
            long start = time.nanos();
            CompletableFuture<String> call =
                    i % 2 == 0 ? time.spawn(() -> pipeline.call(action::call)) : pipeline.callAsync(action::callAsync);
            time.run();
            long millis = Duration.ofNanos(time.nanos() - start).toMillis();
            ends.add(call.handle((value, error) -> error == null ? value : "error")
                            .join()
                    + (millis > 0 ? " late" : ""));
        }
        return ends;
    }

    @Test
    void faultsComeAboutAsOftenAsAskedAndAreCountedByKind() {
        ChaosPolicy chaos = chaos(c -> c.latencyRate(0.2)
                .maxLatency(Duration.ofMillis(200))
                .errorRate(0.1)
                .resultRate(0.05)
                .result(() -> "odd")
                .hangRate(0.02));
        Pipeline pipeline = pipeline(TimeoutPolicy.of(Duration.ofSeconds(1)), chaos);
        List<String> ends = calls(pipeline, CALLS);
        assertThat(ends).filteredOn("well late"::equals).hasSizeBetween(350, 450);
        assertThat(ends).filteredOn("error"::equals).hasSizeBetween(150, 250);
        assertThat(ends).filteredOn("odd"::equals).hasSizeBetween(70, 130);
        assertThat(ends).filteredOn("error late"::equals).hasSizeBetween(25, 60);
        assertThat(chaos.injected())
                .isEqualTo(ends.stream().filter(end -> !end.equals("well")).count());
        assertThat(pipeline.snapshot().numbers().get("chaos.injected{kind=error}"))
                .isEqualTo(ends.stream().filter("error"::equals).count());
        assertThat(pipeline.snapshot().numbers().get("chaos.injected{kind=hang}"))
                .isEqualTo(ends.stream().filter("error late"::equals).count());
        assertThat(action.started()).as("attempts that reached the action").isEqualTo((int)
                ends.stream().filter(end -> end.startsWith("well")).count());
    }

    @Test
    void sameSeedInjectsTheSameFaults() {
        Consumer<ChaosSettings.Builder> some =
                c -> c.latencyRate(0.3).errorRate(0.2).seed(1);
        List<String> ends = calls(pipeline(chaos(some)), 200);
        assertThat(calls(pipeline(chaos(some)), 200)).isEqualTo(ends);
        assertThat(calls(pipeline(chaos(c -> c.latencyRate(0.3).errorRate(0.2).seed(2))), 200))
                .isNotEqualTo(ends);
    }

    @Test
    void latenciesFillTheirWholeRange() {
        Duration least = Duration.ofMillis(10);
        Duration most = Duration.ofMillis(12);
        Pipeline pipeline =
                pipeline(chaos(c -> c.latencyRate(1).minLatency(least).maxLatency(most)));
        List<Duration> latencies = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            long start = time.nanos();
            var unused = pipeline.callAsync(action::callAsync);
            time.run();
            latencies.add(Duration.ofNanos(time.nanos() - start));
        }
        assertThat(latencies)
                .allSatisfy(latency -> assertThat(latency).isBetween(least, most))
                .anySatisfy(latency -> assertThat(latency).isLessThan(least.plusNanos(200_000)))
                .anySatisfy(latency -> assertThat(latency).isGreaterThan(most.minusNanos(200_000)));
    }

    @Test
    void everyLayerFurtherOutHearsTheDependencysFault() {
        Pipeline pipeline = pipeline(
                RetryPolicy.of(r -> r.maxAttempts(2).jitter(Jitter.NONE)),
                chaos(c -> c.errorRate(1).error(() -> new IOException("reset"))));
        assertThatCall(() -> pipeline.call(action::call))
                .isInstanceOf(IOException.class)
                .hasMessage("reset");
        assertThat(told.lines()).filteredOn(line -> line.contains("attempt ")).hasSize(2);
        assertThat(told.text()).contains(Outcome.FAILURE.toString()).doesNotContain(Outcome.IGNORED.toString());
        assertThat(action.started()).isZero();
    }

    @Test
    void errorThatNobodyNamedSaysWhereItCameFrom() {
        Pipeline pipeline = pipeline(chaos(c -> c.errorRate(1)));
        assertThatCall(() -> pipeline.call(action::call))
                .isInstanceOf(ChaosException.class)
                .hasMessage("chaos of 'ill' injected an error")
                .hasNoCause();
    }

    @Test
    void hangsEndWithTheDeadline() {
        Pipeline pipeline = pipeline(DeadlinePolicy.of(Duration.ofMillis(40)), chaos(c -> c.hangRate(1)));
        CompletableFuture<String> blocking = time.spawn(() -> pipeline.call(action::call));
        CompletableFuture<String> async = pipeline.callAsync(action::callAsync);
        time.run();
        assertThatCall(blocking).hasTimedOutBy("deadline");
        assertThatCall(async).hasTimedOutBy("deadline");
    }

    @Test
    void rateThatIsChangedHoldsForTheNextAttempt() {
        ChaosPolicy chaos = chaos(c -> c.errorRate(1));
        Pipeline pipeline = pipeline(chaos);
        assertThat(calls(pipeline, 10)).containsOnly("error");
        chaos.change(c -> c.errorRate(0));
        assertThat(calls(pipeline, 10)).containsOnly("well");
        chaos.change(c -> c.resultRate(1).result(() -> "odd"));
        assertThat(calls(pipeline, 10)).containsOnly("odd");
        chaos.off();
        assertThat(chaos.isOn()).isFalse();
        assertThat(calls(pipeline, 10)).containsOnly("well");
        chaos.on();
        assertThat(calls(pipeline, 10)).containsOnly("odd");
        assertThat(chaos.injected()).isEqualTo(30);
    }

    @Test
    void changeThatCannotBeChangesNothing() {
        ChaosPolicy chaos = chaos(c -> c.errorRate(1));
        assertThatThrownBy(() -> chaos.change(c -> c.errorRate(2))).isInstanceOf(InvalidSettingsException.class);
        assertThat(chaos.settings().errorRate()).isEqualTo(1);
    }

    @Test
    void itSaysLoudlyThatItIsOn() {
        List<String> logged = new ArrayList<>();
        Handler handler = new Handler() {
            @Override
            public void publish(LogRecord record) {
                logged.add(record.getLevel() + " " + record.getMessage());
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        Logger logger = Logger.getLogger("dev.holdfast");
        logger.addHandler(handler);
        try {
            ChaosPolicy chaos = chaos(c -> c.errorRate(0.25));
            assertThat(pipeline(chaos).warnings())
                    .singleElement()
                    .asString()
                    .startsWith("chaos-enabled: ")
                    .contains("error 0.25");
            assertThat(logged).singleElement().asString().startsWith("WARNING");
            chaos.change(c -> c.errorRate(0.5));
            chaos.off();
            assertThat(logged)
                    .element(1)
                    .asString()
                    .startsWith("WARNING chaos is on: ")
                    .contains("error 0.5");
            assertThat(logged).element(2).isEqualTo("WARNING chaos is off");
        } finally {
            logger.removeHandler(handler);
        }
    }

    @Test
    void itStandsInnermost() {
        Policy retry = RetryPolicy.ofDefaults();
        ChaosPolicy chaos = chaos(c -> c.errorRate(1));
        assertThat(pipeline(retry, chaos)).hasOrder("retry", "chaos");
        assertThat(pipeline(retry, chaos).warnings()).hasSize(1);
        assertThat(pipeline(chaos, retry).warnings())
                .anySatisfy(warning -> assertThat(warning).startsWith("chaos-outside-retry: "));
        assertThat(new ChaosPolicyFactory().position()).isGreaterThan(800);
    }

    @Test
    void faultThatNoAttemptGetsIsNotCounted() {
        ChaosPolicy chaos = chaos(c -> c.errorRate(1));
        Pipeline rejecting = pipeline(chaos, new Policy("full", Policy.ENTER) {
            @Override
            public int enter(Passage passage) {
                return passage.reject(Reason.OTHER, -1, "full");
            }
        });
        assertThatCall(() -> rejecting.call(action::call)).isInstanceOf(CallRejectedException.class);
        assertThatCall(call(rejecting)).isInstanceOf(CallRejectedException.class);
        assertThat(chaos.injected()).isZero();
    }

    @Test
    void faultOfTheFirstOfTwoAttemptsIsCountedOnce() {
        ChaosPolicy chaos = chaos(c -> c.errorRate(1));
        Pipeline outside = pipeline(chaos, RetryPolicy.of(r -> r.maxAttempts(3)));
        assertThat(calls(outside, 2)).allSatisfy(end -> assertThat(end).startsWith("well"));
        assertThat(action.started()).isEqualTo(2);
        assertThat(chaos.injected()).isEqualTo(2);
    }

    @Test
    void faultsOfTwoChaosesAddUp() {
        Duration latency = Duration.ofMillis(20);
        Pipeline both = pipeline(
                chaos(c -> c.errorRate(1)),
                chaos(c -> c.latencyRate(1).minLatency(latency).maxLatency(latency)));
        assertThat(calls(both, 2)).containsOnly("error late");
        Pipeline hangs = pipeline(
                TimeoutPolicy.of(Duration.ofSeconds(1)),
                chaos(c -> c.hangRate(1)),
                chaos(c -> c.latencyRate(1).minLatency(latency).maxLatency(latency)));
        assertThatCall(call(hangs)).hasTimedOutBy("timeout");
        assertThat(action.started()).isZero();
    }

    private CompletableFuture<String> call(Pipeline pipeline) {
        CompletableFuture<String> call = pipeline.callAsync(action::callAsync);
        time.run();
        return call;
    }

    @Test
    void changeOfTheSeedStartsItsSequenceAgain() {
        ChaosPolicy chaos = chaos(c -> c.errorRate(0.5).seed(42));
        Pipeline pipeline = pipeline(chaos);
        List<String> first = calls(pipeline, 50);
        chaos.change(c -> c.seed(42));
        assertThat(calls(pipeline, 50)).isEqualTo(first);
        chaos.change(c -> c.latencyRate(0));
        assertThat(calls(pipeline, 50))
                .as("another change goes on in the sequence")
                .isNotEqualTo(first);
    }

    @Test
    void errorThatIsNullSaysWhoseItIs() {
        Pipeline pipeline = pipeline(chaos(c -> c.errorRate(1).error(() -> null)));
        assertThatCall(() -> pipeline.call(action::call)).hasMessage("the error of the chaos of 'ill' gave null");
    }

    private static Pipeline onSystemTime(ChaosPolicy chaos, Executor executor) {
        return Pipeline.builder("ill").policies(chaos).executor(executor).build();
    }

    private static CompletableFuture<Thread> whereItEnds(Pipeline pipeline) {
        CompletableFuture<String> call = pipeline.callAsync(() -> CompletableFuture.completedFuture("well"));
        return call.handle((value, error) -> Thread.currentThread());
    }

    @Test
    void attemptThatFindsNoThreadAfterItsDelayEndsOnThePipelinesOwn() {
        ChaosPolicy slow =
                chaos(c -> c.latencyRate(1).minLatency(Duration.ofMillis(1)).maxLatency(Duration.ofMillis(2)));
        // Not before somebody waits for the end.
        CompletableFuture<Void> awaited = new CompletableFuture<>();
        Executor full = task -> {
            awaited.join();
            throw new RejectedExecutionException("full");
        };
        try (Pipeline pipeline = onSystemTime(slow, full)) {
            CompletableFuture<Thread> where = whereItEnds(pipeline);
            awaited.complete(null);
            assertThat(where.join().getName()).doesNotContain("timer");
        }
    }

    @Test
    void hangThatThePipelinesEndEndsIsToldElsewhere() {
        Pipeline pipeline = onSystemTime(chaos(c -> c.hangRate(1)), Runnable::run);
        CompletableFuture<Thread> where = whereItEnds(pipeline);
        pipeline.close();
        assertThat(where.join()).isNotSameAs(Thread.currentThread());
    }

    @Test
    void interruptOfADelayIsARejection() {
        Pipeline pipeline = pipeline(chaos(c -> c.latencyRate(1)));
        AtomicReference<Thread> caller = new AtomicReference<>();
        CompletableFuture<Boolean> flag = time.spawn(() -> {
            caller.set(Thread.currentThread());
            assertThatThrownBy(() -> pipeline.call(action::call))
                    .isInstanceOfSatisfying(
                            CallRejectedException.class,
                            rejection -> assertThat(rejection.reason()).isEqualTo(Reason.INTERRUPTED));
            return Thread.interrupted();
        });
        time.schedule(Duration.ofMillis(1).toNanos(), () -> time.interrupt(caller.get()));
        time.run();
        assertThat(flag.join()).isTrue();
        assertThat(told.text()).contains("INTERRUPTED");
    }
}
