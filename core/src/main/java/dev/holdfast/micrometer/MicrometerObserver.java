/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.micrometer;

import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.Refusal;
import dev.holdfast.Reply.Source;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.CallObserver.Observed;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Shows what happens in pipelines as Micrometer meters, all below {@code holdfast.}; {@code docs/metrics.md} lists them.
 *
 * <pre>{@code
 * Pipeline inventory = Pipeline.builder("inventory").standard().observer(new MicrometerObserver(registry)).build();
 * }</pre>
 *
 * <p>One observer may serve any number of pipelines and threads. Counting allocates nothing and takes no lock; the registry
 * polls the sums. A meter appears when it first counts, and is removed when the pipeline is closed. Tags are bounded: after
 * the first 100 operations of a pipeline, further ones are counted as {@code other}.
 *
 * <p>A pipeline with {@linkplain Pipeline.Builder#histograms histograms} has real {@link io.micrometer.core.instrument.Timer}s
 * beside its sums, with their own names: {@code holdfast.calls.latency} has buckets, {@code holdfast.calls.percentiles} has
 * percentiles, and both exist for {@code holdfast.attempts}, too. So a name is always of one type, and pipelines with and without
 * histograms may share a registry: Prometheus could not show a summary and a histogram of one name.
 *
 * <p>Pipelines of one name are counted together. The gauges show the one that was opened last.
 */
public final class MicrometerObserver implements CallObserver {
    private static final CallObserver NOTHING = new CallObserver() {};

    private final MeterRegistry registry;
    private final Map<String, PipelineMeters> pipelines = new ConcurrentHashMap<>();
    private final Shared shared = new Shared();
    /** Removed with the last pipeline. */
    private final Set<Meter> reloads = new HashSet<>();

    private final AtomicInteger refused = new AtomicInteger();

    /** Registers meters in this registry, and does not close it. */
    public MicrometerObserver(MeterRegistry registry) {
        this.registry = Objects.requireNonNull(registry, "registry");
    }

    @Override
    public synchronized void opened(Observed pipeline) {
        pipelines
                .computeIfAbsent(pipeline.name(), name -> new PipelineMeters(registry, shared, name))
                .open(pipeline);
    }

    @Override
    public synchronized void replaced(Observed pipeline) {
        PipelineMeters meters = pipelines.get(pipeline.name());
        if (meters != null) {
            meters.replace(pipeline);
        }
    }

    @Override
    public synchronized void configurationRead(boolean applied, String message) {
        Counter counter = Counter.builder("holdfast.reloads")
                .description("Times that the configuration was read again")
                .tag("result", applied ? "applied" : "refused")
                .register(registry);
        counter.increment();
        reloads.add(counter);
        refused.set(applied ? 0 : 1);
        if (registry.find("holdfast.configuration.refused").gauge() == null) {
            reloads.add(Gauge.builder("holdfast.configuration.refused", refused, AtomicInteger::get)
                    .description("1 while the last change of the configuration is refused")
                    .register(registry));
        }
    }

    @Override
    public synchronized void closed(Observed pipeline) {
        PipelineMeters meters = pipelines.get(pipeline.name());
        if (meters != null && meters.close(pipeline)) {
            pipelines.remove(pipeline.name());
        }
        if (pipelines.isEmpty()) {
            reloads.forEach(registry::remove);
            reloads.clear();
        }
    }

    @Override
    public CallObserver forPipeline(Observed pipeline) {
        return meters(pipeline.name());
    }

    private CallObserver meters(String pipeline) {
        PipelineMeters meters = pipelines.get(pipeline);
        // A call may end after its pipeline was closed. Then no meter is left.
        return meters != null ? meters : NOTHING;
    }

    @Override
    public void callSettled(
            String pipeline, @Nullable String operation, Outcome outcome, Source source, int attempts, long nanos) {
        meters(pipeline).callSettled(pipeline, operation, outcome, source, attempts, nanos);
    }

    @Override
    public void backgroundSettled(String pipeline, @Nullable String operation, Outcome outcome, long nanos) {
        meters(pipeline).backgroundSettled(pipeline, operation, outcome, nanos);
    }

    @Override
    public void attemptSettled(String pipeline, @Nullable String operation, int attempt, Outcome outcome, long nanos) {
        meters(pipeline).attemptSettled(pipeline, operation, attempt, outcome, nanos);
    }

    @Override
    public void rejected(String pipeline, @Nullable String operation, String policy, Reason reason) {
        meters(pipeline).rejected(pipeline, operation, policy, reason);
    }

    @Override
    public void retryScheduled(String pipeline, @Nullable String operation, int attempts, long waitNanos) {
        meters(pipeline).retryScheduled(pipeline, operation, attempts, waitNanos);
    }

    @Override
    public void retryRefused(String pipeline, @Nullable String operation, int attempts, Refusal why) {
        meters(pipeline).retryRefused(pipeline, operation, attempts, why);
    }

    @Override
    public void hedged(String pipeline, @Nullable String operation, int attempt) {
        meters(pipeline).hedged(pipeline, operation, attempt);
    }

    @Override
    public void stateChanged(String pipeline, String policy, String from, String to, String cause) {
        meters(pipeline).stateChanged(pipeline, policy, from, to, cause);
    }

    @Override
    public void overrun(String pipeline, @Nullable String operation, long nanos) {
        meters(pipeline).overrun(pipeline, operation, nanos);
    }

    @Override
    public void writtenOff(String pipeline, @Nullable String operation, String policy) {
        meters(pipeline).writtenOff(pipeline, operation, policy);
    }
}
