/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import dev.holdfast.spi.TimeSource;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The time of the pipeline, as resilience4j's engine wants it. Goes by the source's nanoseconds, so that a wall clock that
 * is set does not move it; stands still until it is bound. Safe for any number of threads.
 */
final class PipelineClock extends Clock {

    private record Origin(TimeSource time, long nanos, Instant instant) {}

    private final AtomicReference<@Nullable Origin> origin = new AtomicReference<>();

    /**
     * Goes by this source from now on.
     *
     * @throws IllegalStateException if it goes by another one already
     */
    void bind(TimeSource time) {
        Origin first = new Origin(time, time.nanos(), Instant.ofEpochMilli(time.millis()));
        if (origin.compareAndSet(null, first)) {
            return;
        }
        Origin bound = origin.get();
        if (bound == null || bound.time() != time) {
            throw new IllegalStateException("this circuit breaker is part of a pipeline with another TimeSource;"
                    + " make a policy for each source of time, or give both pipelines the same one");
        }
    }

    /** The nanoseconds of the source; 0 before there is one. */
    long nanos() {
        Origin bound = origin.get();
        return bound == null ? 0 : bound.time().nanos();
    }

    @Override
    public Instant instant() {
        Origin bound = origin.get();
        return bound == null
                ? Instant.EPOCH
                : bound.instant().plusNanos(bound.time().nanos() - bound.nanos());
    }

    @Override
    public ZoneId getZone() {
        return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
        return this;
    }
}
