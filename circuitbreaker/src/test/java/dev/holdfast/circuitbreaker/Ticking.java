/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import dev.holdfast.spi.TimeSource;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;

/** A time that moves by hand; its nanoseconds are those of its wall clock, so that both see a second begin at once. */
class Ticking implements TimeSource {
    private final long startMillis;
    private long nanos;

    Ticking(long startMillis) {
        this.startMillis = startMillis;
    }

    void advance(long by) {
        nanos += by;
    }

    @Override
    public long nanos() {
        return startMillis * 1_000_000 + nanos;
    }

    @Override
    public long millis() {
        return nanos() / 1_000_000;
    }

    @Override
    public Timer schedule(long delayNanos, Runnable task) {
        throw new AssertionError("an engine sets no timer");
    }

    @Override
    public void park(Object blocker, long nanoseconds) {
        throw new AssertionError("an engine does not wait");
    }

    @Override
    public void unpark(Thread thread) {
        throw new AssertionError("nobody waits for an engine");
    }

    Clock clock() {
        return new Clock() {
            @Override
            public Instant instant() {
                return Instant.ofEpochSecond(0, nanos());
            }

            @Override
            public ZoneId getZone() {
                return ZoneOffset.UTC;
            }

            @Override
            public Clock withZone(ZoneId zone) {
                return this;
            }
        };
    }
}
