/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.micrometer;

import static java.time.Duration.ofMillis;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.HistogramOptions;
import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.Refusal;
import dev.holdfast.Reply.Source;
import dev.holdfast.spi.CallObserver.CallTrace;
import dev.holdfast.spi.CallObserver.Histograms;
import dev.holdfast.spi.CallObserver.Observed;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.HeldMonitors;
import dev.holdfast.testlogs.Logs;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.ObservationRegistry;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A registry has filters, listeners and locks of others: what is held while it works must not pin a virtual thread. */
@Logs("the registry refuses holdfast\\.calls")
class NoMonitorTest {
    private static final String NAME = "inventory";

    private final Set<String> held = new TreeSet<>();
    private final Set<String> seen = new TreeSet<>();
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final MicrometerObserver observer = new MicrometerObserver(registry);

    NoMonitorTest() {
        registry.config().meterFilter(new MeterFilter() {
            @Override
            public Meter.Id map(Meter.Id id) {
                look("add " + id.getName());
                if (Objects.equals(id.getTag("operation"), "refused")) {
                    throw new IllegalArgumentException("refused");
                }
                return id;
            }
        });
        registry.config().onMeterRemoved(meter -> look("remove " + meter.getId().getName()));
    }

    private void look(String doing) {
        seen.add(doing);
        HeldMonitors.now().forEach(monitor -> held.add(doing + ": " + monitor));
    }

    /** What is open, without a pipeline that has locks of its own. */
    private static final class Opened implements Observed {
        private Optional<Histograms> histograms = Optional.empty();
        private final Policy policy = new Policy("bulkhead", 0) {
            @Override
            public void meters(Meters meters) {
                meters.gauge("bulkhead.in.flight", "Permits that are out", () -> 1);
                meters.counter("bulkhead.granted", "Permits in all", () -> 1);
            }
        };

        @Override
        public String name() {
            return NAME;
        }

        @Override
        public List<Policy> policies() {
            return List.of(policy);
        }

        @Override
        public void meters(Meters meters) {
            policy.meters(meters);
        }

        @Override
        public Optional<Histograms> histograms() {
            return histograms;
        }
    }

    @Test
    void theRegistryWorksUnderNoMonitor() {
        Opened pipeline = new Opened();
        observer.opened(pipeline);
        observer.rejected(NAME, null, "bulkhead", Reason.BULKHEAD_FULL);
        observer.retryScheduled(NAME, null, 1, 1);
        observer.retryRefused(NAME, null, 1, Refusal.BUDGET);
        observer.stateChanged(NAME, "circuit-breaker", "closed", "open", "6 of 10 calls failed");
        observer.overrun(NAME, null, 1);
        observer.writtenOff(NAME, null, "bulkhead");
        observer.callSettled(NAME, "stock", Outcome.SUCCESS, Source.LIVE, 1, 1);
        observer.callSettled(NAME, "refused", Outcome.SUCCESS, Source.LIVE, 1, 1);
        observer.configurationRead("file", true, "read");
        pipeline.histograms =
                Optional.of(new HistogramOptions().slo(ofMillis(100)).build());
        observer.replaced(pipeline);
        observer.callSettled(NAME, "price", Outcome.SUCCESS, Source.LIVE, 1, 1);
        observer.closed(pipeline);

        assertThat(seen)
                .contains(
                        "add holdfast.bulkhead.in.flight",
                        "add holdfast.calls",
                        "add holdfast.calls.latency",
                        "add holdfast.reloads",
                        "add holdfast.state.changes",
                        "add holdfast.written.off",
                        "remove holdfast.bulkhead.granted",
                        "remove holdfast.calls.latency",
                        "remove holdfast.reloads",
                        "remove holdfast.written.off");
        assertThat(held).isEmpty();
    }

    @Test
    void handlersOfObservationsRunUnderNoMonitor() {
        ObservationRegistry observations = ObservationRegistry.create();
        observations.observationConfig().observationHandler(new ObservationHandler<Observation.Context>() {
            @Override
            public void onStart(Observation.Context context) {
                look("start " + context.getName());
            }

            @Override
            public void onEvent(Observation.Event event, Observation.Context context) {
                look("event " + event.getName());
            }

            @Override
            public void onStop(Observation.Context context) {
                look("stop " + context.getName());
            }

            @Override
            public boolean supportsContext(Observation.Context context) {
                return true;
            }
        });
        @Nullable CallTrace call = new PipelineTracer(observations, NAME).begins("stock");
        Objects.requireNonNull(call);
        Objects.requireNonNull(call.attempt(1, false)).ended(Outcome.SUCCESS, false, null);
        call.rejected("bulkhead", Reason.BULKHEAD_FULL);
        call.ended(Outcome.SUCCESS, Source.LIVE, 0, 1, null);

        assertThat(seen).hasSize(5);
        assertThat(held).isEmpty();
    }
}
