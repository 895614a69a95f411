/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.micrometer;

import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.Source;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Refusal;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Shows what happens in pipelines as Micrometer meters, all below {@code holdfast.}; {@code docs/metrics.md} lists them.
 *
 * <pre>{@code
 * Pipeline inventory = Pipeline.builder("inventory").standard().observer(new MicrometerObserver(registry)).build();
 * }</pre>
 *
 * <p>One observer may serve any number of pipelines and threads. Counting allocates nothing and takes no lock; the registry
 * polls the sums. A meter appears when it first counts, and goes when the pipeline is closed. Tags are bounded: after the
 * first 100 operations of a pipeline, further ones are counted as {@code other}.
 *
 * <p>Pipelines of one name are counted together; the gauges are those of the one that was opened last.
 */
public final class MicrometerObserver implements CallObserver {
    private final MeterRegistry registry;
    private final Map<String, PipelineMeters> pipelines = new ConcurrentHashMap<>();

    /** Registers meters there. The registry stays the caller's own. */
    public MicrometerObserver(MeterRegistry registry) {
        this.registry = Objects.requireNonNull(registry, "registry");
    }

    @Override
    public synchronized void opened(Pipeline pipeline) {
        pipelines
                .computeIfAbsent(pipeline.name(), name -> new PipelineMeters(registry, name))
                .opened(pipeline);
    }

    @Override
    public synchronized void closed(Pipeline pipeline) {
        PipelineMeters meters = pipelines.get(pipeline.name());
        if (meters != null && meters.closed(pipeline)) {
            pipelines.remove(pipeline.name());
        }
    }

    // A call may end after its pipeline was closed; then there is nothing to count it in.

    @Override
    public void callSettled(
            String pipeline, @Nullable String operation, Outcome outcome, Source source, int attempts, long nanos) {
        PipelineMeters meters = pipelines.get(pipeline);
        if (meters != null) {
            meters.operation(operation).calls.of(outcome).of(source).add(nanos);
        }
    }

    @Override
    public void backgroundSettled(String pipeline, @Nullable String operation, Outcome outcome, long nanos) {
        PipelineMeters meters = pipelines.get(pipeline);
        if (meters != null) {
            meters.operation(operation).backgroundCalls.of(outcome).add(nanos);
        }
    }

    @Override
    public void attemptSettled(String pipeline, @Nullable String operation, int attempt, Outcome outcome, long nanos) {
        PipelineMeters meters = pipelines.get(pipeline);
        if (meters != null) {
            meters.operation(operation).attempts.of(outcome).add(nanos);
        }
    }

    @Override
    public void rejected(String pipeline, @Nullable String operation, String policy, Reason reason) {
        PipelineMeters meters = pipelines.get(pipeline);
        if (meters != null) {
            meters.rejections(policy, reason).increment();
        }
    }

    @Override
    public void retryScheduled(String pipeline, @Nullable String operation, int attempts, long waitNanos) {
        PipelineMeters meters = pipelines.get(pipeline);
        if (meters != null) {
            meters.scheduledRetries.get().increment();
        }
    }

    @Override
    public void retryRefused(String pipeline, @Nullable String operation, int attempts, Refusal why) {
        PipelineMeters meters = pipelines.get(pipeline);
        if (meters != null) {
            meters.refusedRetries.of(why).increment();
        }
    }

    @Override
    public void hedged(String pipeline, @Nullable String operation, int attempt) {
        PipelineMeters meters = pipelines.get(pipeline);
        if (meters != null) {
            meters.operation(operation).hedges.get().increment();
        }
    }

    @Override
    public void stateChanged(String pipeline, String policy, String from, String to) {
        PipelineMeters meters = pipelines.get(pipeline);
        if (meters != null) {
            meters.stateChanges(policy, from, to).increment();
        }
    }

    @Override
    public void overrun(String pipeline, @Nullable String operation, long nanos) {
        PipelineMeters meters = pipelines.get(pipeline);
        if (meters != null) {
            meters.operation(operation).overruns.get().add(nanos);
        }
    }

    @Override
    public void writtenOff(String pipeline, @Nullable String operation, String policy) {
        PipelineMeters meters = pipelines.get(pipeline);
        if (meters != null) {
            meters.writtenOff(policy).increment();
        }
    }
}
