/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.engine;

import dev.holdfast.spi.TimeSource;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The time of the breaker: the pipeline's, or the system's before there is a pipeline. Uses the nanoseconds of the source,
 * so a wall clock that is set does not change it. Safe for any number of threads.
 *
 * <p>If the time was read before there was a pipeline, it continues from there. Example: a breaker that was opened manually
 * stays open for as long as was said.
 */
public final class PipelineClock extends Clock {

    /** A source of time and its values at one instant. {@code shift} turns its nanoseconds into those of the breaker. */
    private record Origin(TimeSource time, long nanos, Instant instant, long shift, boolean bound) {
        static Origin of(TimeSource time, long shift, boolean bound) {
            return new Origin(time, time.nanos(), Instant.ofEpochMilli(time.millis()), shift, bound);
        }

        long breakerNanos() {
            return time.nanos() + shift;
        }

        Instant now() {
            return instant.plusNanos(time.nanos() - nanos);
        }
    }

    private final AtomicReference<Origin> origin = new AtomicReference<>(Origin.of(TimeSource.system(), 0, false));

    /** Whether anything may depend on the system's time. Volatile: any thread may read the time before there is a pipeline. */
    private volatile boolean used;

    /**
     * Uses this source from now on.
     *
     * @return the number to add to the source's nanoseconds
     * @throws IllegalStateException if the clock uses another source already
     */
    public long bind(TimeSource time) {
        Origin before = origin.get();
        if (!before.bound()) {
            long shift = used ? before.breakerNanos() - time.nanos() : 0;
            if (origin.compareAndSet(before, Origin.of(time, shift, true))) {
                return shift;
            }
        }
        Origin bound = origin.get();
        if (bound.time() != time) {
            throw new IllegalStateException("this circuit breaker is part of a pipeline with another TimeSource;"
                    + " make a policy for each source of time, or give both pipelines the same one");
        }
        return bound.shift();
    }

    /** The nanoseconds of the breaker. */
    public long nanos() {
        Origin at = origin.get();
        if (!at.bound()) {
            used = true;
        }
        return at.breakerNanos();
    }

    /** The same, without keeping the system's time: for what {@linkplain #isUnread begins anew} with the pipeline's. */
    public long peek() {
        return origin.get().breakerNanos();
    }

    /** Whether nothing depends on the system's time, and no source was given. */
    public boolean isUnread() {
        return !used && !origin.get().bound();
    }

    @Override
    public Instant instant() {
        return origin.get().now();
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
