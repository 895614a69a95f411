/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.micrometer;

import static java.time.Duration.ofMillis;
import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.Refusal;
import dev.holdfast.Reply.Source;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

@Logs("the registry refuses holdfast\\.(calls|odd\\.before) .*refused")
@Logs("the registry threw when .* was removed")
@Logs("make one meter of several, such as holdfast\\.bulkhead\\.in\\.flight .*a gauge shows the latest alone")
@Logs({"hedge-inside-bulkhead", "has been already registered .*holdfast"})
class MicrometerObserverTest {
    private static final String NAME = "inventory";

    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final MicrometerObserver observer = new MicrometerObserver(registry);
    private final VirtualTime time = new VirtualTime();

    @AfterEach
    void end() {
        time.close();
    }

    @Test
    void callsAndAttemptsAreTimedByHowTheyEnded() throws Exception {
        Pipeline pipeline = open();

        pipeline.call(() -> {
            time.sleep(ofMillis(30));
            return "good";
        });
        assertThatThrownBy(() -> pipeline.operation("stock").key("sku-1").call(attempt -> {
                    time.sleep(ofMillis(20));
                    throw new IOException("bad");
                }))
                .isInstanceOf(IOException.class);

        assertTimed(timer("calls", "operation", "none", "outcome", "success", "source", "live"), 1, 30);
        assertTimed(timer("calls", "operation", "stock", "outcome", "failure", "source", "live"), 1, 20);
        assertTimed(timer("attempts", "operation", "none", "outcome", "success"), 1, 30);
        assertTimed(timer("attempts", "operation", "stock", "outcome", "failure"), 1, 20);
    }

    @Test
    void retriesAndTheirEndAreCountedWithTheReason() {
        Pipeline pipeline = open(FallbackPolicy.value("instead"), RetryPolicy.of(r -> r.maxAttempts(3)));

        assertThat(pipeline.<String, RuntimeException>call(() -> {
                    throw new IllegalStateException("bad");
                }))
                .isEqualTo("instead");

        assertThat(counter("retries", "result", "scheduled", "reason", "none")).isEqualTo(2);
        assertThat(counter("retries", "result", "refused", "reason", "exhausted"))
                .isEqualTo(1);
        assertThat(timer("calls", "outcome", "success", "source", "fallback").count())
                .isEqualTo(1);
        assertThat(timer("attempts", "outcome", "failure").count()).isEqualTo(3);
    }

    @Test
    void everythingElseIsCountedToo() {
        open();

        observer.rejected(NAME, null, "bulkhead", Reason.BULKHEAD_FULL);
        observer.rejected(NAME, "stock", "bulkhead", Reason.BULKHEAD_FULL);
        observer.retryRefused(NAME, null, 1, Refusal.NOT_IDEMPOTENT);
        observer.stateChanged(NAME, "circuit-breaker", "closed", "open", "6 of 10 calls failed");
        observer.overrun(NAME, "stock", 5_000_000);
        observer.writtenOff(NAME, "stock", "bulkhead");
        observer.hedged(NAME, "stock", 2);
        observer.backgroundSettled(NAME, "stock", Outcome.TIMEOUT, 7_000_000);

        assertThat(counter("rejections", "policy", "bulkhead", "reason", "bulkhead_full"))
                .isEqualTo(2);
        assertThat(counter("retries", "result", "refused", "reason", "not_idempotent"))
                .isEqualTo(1);
        assertThat(counter("state.changes", "policy", "circuit-breaker", "from", "closed", "to", "open"))
                .isEqualTo(1);
        assertTimed(timer("overruns", "operation", "stock"), 1, 5);
        assertThat(counter("written.off", "policy", "bulkhead")).isEqualTo(1);
        assertThat(counter("hedges", "operation", "stock")).isEqualTo(1);
        assertTimed(timer("background.calls", "operation", "stock", "outcome", "timeout"), 1, 7);
    }

    @Test
    void metersOfOneNameHaveTheSameTags() {
        open();
        for (Outcome outcome : Outcome.values()) {
            observer.callSettled(NAME, null, outcome, Source.LIVE, 1, 1);
            observer.callSettled(NAME, "stock", outcome, Source.FRESH, 1, 1);
        }
        observer.retryScheduled(NAME, null, 1, 1);
        observer.retryRefused(NAME, null, 1, Refusal.BUDGET);

        for (Meter meter : registry.getMeters()) {
            assertThat(meter.getId().getTags())
                    .extracting("key")
                    .isEqualTo(
                            meter.getId().getName().equals("holdfast.calls")
                                    ? List.of("operation", "outcome", "pipeline", "source")
                                    : List.of("pipeline", "reason", "result"));
        }
    }

    @Test
    void policiesShowTheirGaugesAndTotals() {
        open(new Metered("bulkhead", 7));

        assertThat(gauge("bulkhead.in.flight", "policy", "bulkhead")).isEqualTo(7);
        assertThat(gauge("bulkhead.state", "policy", "bulkhead", "state", "open"))
                .isEqualTo(8);
        assertThat(counter("bulkhead.granted", "policy", "bulkhead")).isEqualTo(9);
        assertThat(counter("bulkhead.turned", "policy", "bulkhead", "why", "full"))
                .isEqualTo(10);
    }

    @Test
    void theSecondPolicyOfAKindHasMetersOfItsOwn() {
        open(new Metered("bulkhead", 7), new Metered("bulkhead", 20));

        assertThat(gauge("bulkhead.in.flight", "policy", "bulkhead")).isEqualTo(7);
        assertThat(gauge("bulkhead.in.flight", "policy", "bulkhead-2")).isEqualTo(20);
    }

    @Test
    void whatIsPolledOutlivesAGarbageCollection() {
        open(new Metered("bulkhead", 7));
        observer.rejected(NAME, null, "bulkhead", Reason.BULKHEAD_FULL);

        System.gc();

        assertThat(gauge("bulkhead.in.flight")).isEqualTo(7);
        assertThat(counter("bulkhead.granted")).isEqualTo(9);
        assertThat(counter("rejections")).isEqualTo(1);
    }

    @Test
    void aClosedPipelineLeavesNoMeter() throws Exception {
        registry.counter("of.somebody.else");
        Pipeline pipeline = open(new Metered("bulkhead", 7));
        Pipeline neighbour =
                Pipeline.builder("payments").time(time).observer(observer).build();
        pipeline.call(() -> "good");
        neighbour.call(() -> "good");
        everythingElseIsCounted();

        pipeline.close();

        assertThat(registry.getMeters())
                .extracting(
                        meter -> meter.getId().getName() + " " + meter.getId().getTag("pipeline"))
                .containsExactlyInAnyOrder(
                        "of.somebody.else null", "holdfast.calls payments", "holdfast.attempts payments");
    }

    @Test
    void whatEndsAfterTheCloseMakesNoMeter() {
        open().close();

        everythingElseIsCounted();
        observer.callSettled(NAME, "stock", Outcome.SUCCESS, Source.LIVE, 1, 1);
        observer.attemptSettled(NAME, "stock", 1, Outcome.SUCCESS, 1);

        assertThat(registry.getMeters()).isEmpty();
    }

    @Test
    void aNameThatIsOpenedAgainCountsFromZero() throws Exception {
        Pipeline first = open();
        first.call(() -> "good");
        first.close();

        open().call(() -> "good");

        assertThat(timer("calls").count()).isEqualTo(1);
    }

    @Test
    void pipelinesOfOneNameAreCountedTogetherUntilTheLastIsClosed() throws Exception {
        Pipeline older = open(new Metered("bulkhead", 7));
        Pipeline younger = open(new Metered("bulkhead", 20));
        older.call(() -> "good");
        younger.call(() -> "good");

        assertThat(timer("calls").count()).isEqualTo(2);
        assertThat(gauge("bulkhead.in.flight")).isEqualTo(20);

        younger.close();
        assertThat(timer("calls").count()).isEqualTo(2);
        assertThat(gauge("bulkhead.in.flight")).isEqualTo(7);

        older.close();
        assertThat(registry.getMeters()).isEmpty();
    }

    @Test
    void twoObserversOfOneRegistryAreAsOne() {
        Pipeline older = open(new Metered("bulkhead", 7));
        Pipeline younger = openWith(new MicrometerObserver(registry), NAME, new Metered("bulkhead", 20));
        older.call(() -> "good");
        younger.call(() -> "good");
        younger.call(() -> "good");
        assertThat(timer("calls").count()).isEqualTo(3);
        assertThat(gauge("bulkhead.in.flight")).isEqualTo(20);

        older.close();
        younger.call(() -> "good");
        assertThat(timer("calls").count()).isEqualTo(4);
        assertThat(gauge("bulkhead.in.flight")).isEqualTo(20);

        younger.close();
        assertThat(registry.getMeters()).isEmpty();
    }

    @Test
    void aPipelineWithTwoObserversOfOneRegistryIsCountedOnce() {
        Pipeline pipeline = Pipeline.builder(NAME)
                .time(time)
                .observer(observer)
                .observer(new MicrometerObserver(registry))
                .build();
        pipeline.call(() -> "good");
        assertThat(timer("calls").count()).isEqualTo(1);

        pipeline.replace(new Metered("bulkhead", 7));
        assertThat(gauge("bulkhead.in.flight")).isEqualTo(7);

        pipeline.close();
        assertThat(registry.getMeters()).isEmpty();
    }

    @Test
    void oneOfTwoConfigurationsIsRefused() {
        MicrometerObserver second = new MicrometerObserver(registry);
        Pipeline first = open();
        Pipeline other = openWith(second, "payments");

        second.configurationRead("bad.yaml", false, "bad");
        observer.configurationRead("good.yaml", true, "good");

        assertThat(registry.get("holdfast.configuration.refused").gauge().value())
                .isEqualTo(1);
        assertThat(registry.get("holdfast.reloads")
                        .tag("result", "refused")
                        .counter()
                        .count())
                .isEqualTo(1);
        other.close();
        second.configurationClosed("bad.yaml");
        assertThat(registry.get("holdfast.configuration.refused").gauge().value())
                .isZero();
        first.close();
        assertThat(registry.getMeters()).isEmpty();
    }

    @Test
    void oneOfTwoConfigurationsWithTheSameObserverIsRefused() {
        Pipeline first = open();
        Pipeline other = open();

        observer.configurationRead("bad.yaml", false, "bad");
        observer.configurationRead("good.yaml", true, "good");
        assertThat(registry.get("holdfast.configuration.refused").gauge().value())
                .isEqualTo(1);

        other.close();
        observer.configurationClosed("bad.yaml");
        assertThat(registry.get("holdfast.configuration.refused").gauge().value())
                .isZero();
        first.close();
        assertThat(registry.getMeters()).isEmpty();
    }

    @Test
    void ifAFilterDropsATagTotalsAreAddedAndAGaugeShowsTheLatest() {
        registry.config().meterFilter(MeterFilter.ignoreTags("pipeline", "policy", "operation"));
        Pipeline first = open(new Metered("bulkhead", 7));
        Pipeline second = openWith(
                new MicrometerObserver(registry), "payments", new Metered("bulkhead", 20), new Metered("throttle", 30));
        first.call(() -> "good");
        second.call(() -> "good");
        second.operation("stock").unkeyed().call(attempt -> "good");

        assertThat(registry.get("holdfast.calls").functionTimer().count()).isEqualTo(3);
        assertThat(registry.get("holdfast.bulkhead.granted").functionCounter().count())
                .isEqualTo(7 + 2 + 20 + 2 + 30 + 2);
        assertThat(registry.get("holdfast.bulkhead.in.flight").gauge().value()).isEqualTo(30);

        second.close();
        // A total that went down would look like a restart.
        assertThat(registry.get("holdfast.calls").functionTimer().count()).isEqualTo(3);
        assertThat(registry.get("holdfast.bulkhead.granted").functionCounter().count())
                .isEqualTo(7 + 2 + 20 + 2 + 30 + 2);
        assertThat(registry.get("holdfast.bulkhead.in.flight").gauge().value()).isEqualTo(7);

        first.close();
        assertThat(registry.getMeters()).isEmpty();
    }

    @Test
    void whatIsInBothNeverLeavesTheRegistryWhenPoliciesAreReplaced() {
        Metered kept = new Metered("bulkhead", 7);
        Pipeline pipeline = open(new Metered("retry", 1), kept, new Metered("throttle", 2));
        List<String> events = new ArrayList<>();
        registry.config()
                .onMeterRemoved(meter -> events.add("removed " + meter.getId().getTag("policy")));
        registry.config()
                .onMeterAdded(meter -> events.add("added " + meter.getId().getTag("policy")));

        pipeline.replace(new Metered("retry", 10), kept, new Metered("hedge", 3));

        // Four meters each. Nothing of retry and bulkhead: the one's meters show the new policy, the other's the same.
        assertThat(events)
                .startsWith("added hedge", "added hedge", "added hedge", "added hedge")
                .endsWith("removed throttle", "removed throttle", "removed throttle", "removed throttle")
                .hasSize(8);
        assertThat(gauge("bulkhead.in.flight", "policy", "retry")).isEqualTo(10);
        assertThat(gauge("bulkhead.in.flight", "policy", "bulkhead")).isEqualTo(7);
        assertThat(counter("bulkhead.granted", "policy", "retry")).isEqualTo(12);
        assertThat(counter("bulkhead.granted", "policy", "bulkhead")).isEqualTo(9);
    }

    @Test
    void aPolicyThatMovesUpTakesItsNewNameWithoutAGap() {
        Metered first = new Metered("bulkhead", 7);
        Metered second = new Metered("bulkhead", 20);
        Pipeline pipeline = open(first, second);
        List<String> removed = new ArrayList<>();
        registry.config().onMeterRemoved(meter -> removed.add(meter.getId().getTag("policy")));

        pipeline.replace(second);

        assertThat(gauge("bulkhead.in.flight", "policy", "bulkhead")).isEqualTo(20);
        assertThat(removed).containsOnly("bulkhead-2").hasSize(4);
        pipeline.close();
        assertThat(registry.getMeters()).isEmpty();
    }

    @Test
    void anOlderPipelineOfTheNameMayBeClosedFirst() {
        Pipeline older = open(new Metered("bulkhead", 7));
        open(new Metered("bulkhead", 20));

        older.close();

        assertThat(gauge("bulkhead.in.flight")).isEqualTo(20);
    }

    @Test
    void theHundredAndFirstOperationIsCountedAsOther() {
        open();
        for (int i = 0; i < 150; i++) {
            observer.callSettled(NAME, "operation " + i, Outcome.SUCCESS, Source.LIVE, 1, 1);
        }
        observer.callSettled(NAME, "operation 99", Outcome.SUCCESS, Source.LIVE, 1, 1);

        assertThat(registry.getMeters()).hasSize(101);
        assertThat(timer("calls", "operation", "operation 99").count()).isEqualTo(2);
        assertThat(timer("calls", "operation", "other").count()).isEqualTo(50);
    }

    @Test
    void anOperationNamedLikeAStandInSharesItsMeter() {
        open();
        observer.callSettled(NAME, null, Outcome.SUCCESS, Source.LIVE, 1, 1);
        observer.callSettled(NAME, "none", Outcome.SUCCESS, Source.LIVE, 1, 1);

        assertThat(timer("calls", "operation", "none").count()).isEqualTo(2);
    }

    @Test
    @Logs("the meters of odd in 'inventory' are not complete: it threw")
    void aPolicyThatThrowsCostsItsOwnMetersAlone() throws Exception {
        boolean[] throwing = new boolean[1];
        Policy odd = new Policy("odd", 0) {
            @Override
            public void meters(Meters meters) {
                meters.gauge("odd.before", "declared before it throws", () -> 1);
                if (throwing[0]) {
                    throw new IllegalStateException("not now");
                }
                meters.gauge("odd.after", "declared after", () -> 2);
            }
        };
        Policy after = new Policy("after", 0) {
            @Override
            public void meters(Meters meters) {
                meters.gauge("after", "of a policy that stands after it", () -> 3);
            }
        };
        Pipeline pipeline = open(odd, after);

        throwing[0] = true;
        pipeline.replace(odd, after, RetryPolicy.ofDefaults());

        assertThat(gauge("odd.before")).isEqualTo(1);
        assertThat(registry.find("holdfast.odd.after").gauge()).isNull();
        assertThat(gauge("after")).isEqualTo(3);
    }

    @Test
    void aRegistryThatRefusesBreaksNoCall() throws Exception {
        registry.config().meterFilter(new MeterFilter() {
            @Override
            public Meter.Id map(Meter.Id id) {
                if (id.getName().startsWith("holdfast.calls")) {
                    throw new IllegalArgumentException("refused");
                }
                return id;
            }
        });

        assertThat(open().<String, RuntimeException>call(() -> "good")).isEqualTo("good");

        assertThat(timer("attempts").count()).isEqualTo(1);
    }

    /** Refuses these meters while the switch is on. */
    private void refuse(String prefix, AtomicBoolean on, Throwable why) {
        registry.config().meterFilter(new MeterFilter() {
            @Override
            public Meter.Id map(Meter.Id id) {
                return on.get() && id.getName().startsWith(prefix)
                        ? MicrometerObserverTest.<Meter.Id, RuntimeException>sneaky(why)
                        : id;
            }
        });
    }

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private static <R, X extends Throwable> R sneaky(Throwable thrown) throws X {
        throw (X) thrown;
    }

    @Test
    void aMeterThatTheRegistryRefusedIsThereAfterTheNextReload() {
        AtomicBoolean on = new AtomicBoolean(true);
        refuse("holdfast.calls", on, new IOException("refused"));
        Pipeline pipeline = open();
        for (int i = 0; i < 3; i++) {
            assertThat(pipeline.<String, RuntimeException>call(() -> "good")).isEqualTo("good");
        }
        on.set(false);
        pipeline.replace(RetryPolicy.ofDefaults());

        // With what was counted meanwhile.
        assertThat(timer("calls").count()).isEqualTo(3);
    }

    @Test
    void oneMeterOfAPolicyThatTheRegistryRefusesCostsNoOtherOne() {
        refuse("holdfast.odd.before", new AtomicBoolean(true), new NoClassDefFoundError("refused"));
        Policy odd = new Policy("odd", 0) {
            @Override
            public void meters(Meters meters) {
                meters.gauge("odd.before", "refused", () -> 1);
                meters.gauge("odd.after", "not refused", () -> 2);
            }
        };
        open(odd);

        assertThat(gauge("odd.after")).isEqualTo(2);
    }

    @Test
    void aListenerThatThrowsWhenAMeterGoesKeepsNoOther() {
        AtomicBoolean thrown = new AtomicBoolean();
        registry.config().onMeterRemoved(meter -> {
            if (thrown.compareAndSet(false, true)) {
                throw new IllegalStateException("listener");
            }
        });
        Pipeline pipeline = open(RetryPolicy.ofDefaults());
        assertThat(pipeline.<String, RuntimeException>call(() -> "good")).isEqualTo("good");
        pipeline.close();

        assertThat(thrown).isTrue();
        assertThat(registry.getMeters()).isEmpty();
    }

    @Test
    void aMeterThatTheRegistryKeepsGoesOnWithTheNextPipeline() {
        AtomicBoolean keeps = new AtomicBoolean(true);
        SimpleMeterRegistry stubborn = new SimpleMeterRegistry() {
            @Override
            public @Nullable Meter remove(Meter meter) {
                if (keeps.get()) {
                    throw new IllegalStateException("kept");
                }
                return super.remove(meter);
            }
        };
        MicrometerObserver shown = new MicrometerObserver(stubborn);
        for (int i = 1; i < 3; i++) {
            Pipeline pipeline = openWith(shown, NAME);
            assertThat(pipeline.<String, RuntimeException>call(() -> "good")).isEqualTo("good");
            assertThat(stubborn.get("holdfast.calls").functionTimer().count()).isEqualTo(i);
            keeps.set(i == 1);
            pipeline.close();
        }
        assertThat(stubborn.getMeters()).isEmpty();
    }

    @Test
    void changesOfStateWithEndlessWordsAreOther() {
        open();
        for (int i = 0; i < 1_000; i++) {
            observer.stateChanged(NAME, "own", "state " + i, "state " + (i + 1), "again");
        }

        assertThat(registry.find("holdfast.state.changes").meters()).hasSize(101);
        assertThat(counter("state.changes", "policy", "other", "from", "other", "to", "other"))
                .isEqualTo(900);
    }

    @Test
    void countingAllocatesNothing() {
        open();
        int calls = 20_000;
        // Once warm: the JVM allocates on the calling thread too, whenever it finds the time to compile. The
        // measurement itself takes less than a byte a call.
        assertThat(LongStream.generate(() -> allocatedBy(calls)).skip(1).limit(50))
                .anyMatch(bytes -> bytes < calls);
    }

    private long allocatedBy(int calls) {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        count(calls);
        return threads.getCurrentThreadAllocatedBytes() - before;
    }

    private void count(int calls) {
        for (int i = 0; i < calls; i++) {
            observer.attemptSettled(NAME, "stock", 1, Outcome.FAILURE, 1_000);
            observer.retryScheduled(NAME, "stock", 1, 1_000);
            observer.rejected(NAME, "stock", "bulkhead", Reason.BULKHEAD_FULL);
            observer.callSettled(NAME, "stock", Outcome.REJECTED, Source.LIVE, 1, 1_000);
        }
    }

    private void everythingElseIsCounted() {
        observer.rejected(NAME, null, "bulkhead", Reason.BULKHEAD_FULL);
        observer.retryScheduled(NAME, null, 1, 1);
        observer.retryRefused(NAME, null, 1, Refusal.BUDGET);
        observer.stateChanged(NAME, "circuit-breaker", "closed", "open", "6 of 10 calls failed");
        observer.overrun(NAME, null, 1);
        observer.writtenOff(NAME, null, "bulkhead");
        observer.backgroundSettled(NAME, null, Outcome.SUCCESS, 1);
    }

    private Pipeline open(Policy... policies) {
        return openWith(observer, NAME, policies);
    }

    private Pipeline openWith(MicrometerObserver observer, String name, Policy... policies) {
        return Pipeline.builder(name)
                .policies(policies)
                .time(time)
                .observer(observer)
                .build();
    }

    private FunctionTimer timer(String name, String... tags) {
        return registry.get("holdfast." + name).tag("pipeline", NAME).tags(tags).functionTimer();
    }

    private double counter(String name, String... tags) {
        return registry.get("holdfast." + name)
                .tag("pipeline", NAME)
                .tags(tags)
                .functionCounter()
                .count();
    }

    private double gauge(String name, String... tags) {
        return registry.get("holdfast." + name)
                .tag("pipeline", NAME)
                .tags(tags)
                .gauge()
                .value();
    }

    private static void assertTimed(FunctionTimer timer, int count, int millis) {
        assertThat(timer.count()).isEqualTo(count);
        assertThat(timer.totalTime(MILLISECONDS)).isEqualTo(millis);
    }

    /** Shows four values that are made up from one. */
    private static final class Metered extends Policy {
        private final int value;

        Metered(String name, int value) {
            super(name, 0);
            this.value = value;
        }

        @Override
        public void meters(Meters meters) {
            meters.gauge("bulkhead.in.flight", "Permits that are out", () -> value);
            meters.gauge("bulkhead.state", "A state", "state", "open", () -> value + 1);
            meters.counter("bulkhead.granted", "Permits in all", () -> value + 2L);
            meters.counter("bulkhead.turned", "Calls turned away", "why", "full", () -> value + 3L);
        }
    }
}
