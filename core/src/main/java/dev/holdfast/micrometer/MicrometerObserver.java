/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.micrometer;

import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.Refusal;
import dev.holdfast.Reply.Source;
import dev.holdfast.internal.Metered;
import dev.holdfast.internal.OwnObserver;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.CallObserver.Keys;
import dev.holdfast.spi.CallObserver.Observed;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Shows what happens in pipelines as Micrometer meters, all below {@code holdfast.}; {@code docs/metrics.md} lists them.
 *
 * <pre>{@code
 * Pipeline inventory = Pipeline.builder("inventory").standard().observer(new MicrometerObserver(registry)).build();
 * }</pre>
 *
 * <p>One observer may serve any number of pipelines and threads, and two observers of one registry are as one. Counting allocates
 * nothing and takes no lock; the registry polls the sums. A meter appears when it first counts, and is removed when the pipeline is
 * closed. Tags are bounded: after the first 100 operations of a pipeline, further ones are counted as {@code other}.
 *
 * <p>A pipeline with {@linkplain Pipeline.Builder#histograms histograms} has real {@link io.micrometer.core.instrument.Timer}s
 * beside its sums, with their own names: {@code holdfast.calls.latency} has buckets, {@code holdfast.calls.percentiles} has
 * percentiles, and both exist for {@code holdfast.attempts}, too. So a name is always of one type, and pipelines with and without
 * histograms may share a registry: Prometheus could not show a summary and a histogram of one name.
 *
 * <p>Pipelines of one name are counted together. The gauges show the one that was opened last. If a filter of the registry drops
 * a tag, so that several meters become one, then counts and times are added, and a gauge shows the latest, which is logged.
 */
public final class MicrometerObserver implements CallObserver, OwnObserver {
    private final RegistryMeters meters;

    /** Registers meters in this registry, and does not close it. */
    public MicrometerObserver(MeterRegistry registry) {
        meters = RegistryMeters.of(Objects.requireNonNull(registry, "registry"));
    }

    @Override
    public void opened(Observed pipeline) {
        meters.open(pipeline, this);
        Metered.add(pipeline);
    }

    @Override
    public void replaced(Observed pipeline) {
        meters.replace(pipeline, this);
    }

    @Override
    public void configurationRead(Object configuration, boolean applied, String message) {
        meters.configurationRead(configuration, applied, this);
    }

    @Override
    public void configurationClosed(Object configuration) {
        meters.configurationClosed(configuration);
    }

    @Override
    public void closed(Observed pipeline) {
        meters.close(pipeline, this);
    }

    @Override
    public void keysClosed(Keys keys) {
        meters.close(keys);
    }

    @Override
    public CallObserver forPipeline(Observed pipeline) {
        return meters.of(pipeline, this);
    }

    @Override
    public void callSettled(
            String pipeline, @Nullable String operation, Outcome outcome, Source source, int attempts, long nanos) {
        meters.named(pipeline).callSettled(pipeline, operation, outcome, source, attempts, nanos);
    }

    @Override
    public void backgroundSettled(String pipeline, @Nullable String operation, Outcome outcome, long nanos) {
        meters.named(pipeline).backgroundSettled(pipeline, operation, outcome, nanos);
    }

    @Override
    public void attemptSettled(String pipeline, @Nullable String operation, int attempt, Outcome outcome, long nanos) {
        meters.named(pipeline).attemptSettled(pipeline, operation, attempt, outcome, nanos);
    }

    @Override
    public void rejected(String pipeline, @Nullable String operation, String policy, Reason reason) {
        meters.named(pipeline).rejected(pipeline, operation, policy, reason);
    }

    @Override
    public void retryScheduled(String pipeline, @Nullable String operation, int attempts, long waitNanos) {
        meters.named(pipeline).retryScheduled(pipeline, operation, attempts, waitNanos);
    }

    @Override
    public void retryRefused(String pipeline, @Nullable String operation, int attempts, Refusal why) {
        meters.named(pipeline).retryRefused(pipeline, operation, attempts, why);
    }

    @Override
    public void hedged(String pipeline, @Nullable String operation, int attempt) {
        meters.named(pipeline).hedged(pipeline, operation, attempt);
    }

    @Override
    public void stateChanged(String pipeline, String policy, String from, String to, String cause) {
        meters.named(pipeline).stateChanged(pipeline, policy, from, to, cause);
    }

    @Override
    public void overrun(String pipeline, @Nullable String operation, long nanos) {
        meters.named(pipeline).overrun(pipeline, operation, nanos);
    }

    @Override
    public void writtenOff(String pipeline, @Nullable String operation, String policy) {
        meters.named(pipeline).writtenOff(pipeline, operation, policy);
    }
}
