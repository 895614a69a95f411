/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.spi.TimeSource;
import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;

class PipelineClockTest {
    private final PipelineClock clock = new PipelineClock();

    @Test
    void goesByTheSystemsTimeUntilItIsBound() {
        long before = TimeSource.system().nanos();
        long here = clock.nanos();
        assertThat(here - before).isBetween(0L, TimeSource.system().nanos() - before);
        assertThat(Duration.between(clock.instant(), Instant.now()).abs()).isLessThan(Duration.ofMinutes(10));
    }

    @Test
    void goesOnFromTheSystemsTimeIfThatWasLookedAt() {
        try (VirtualTime time = new VirtualTime()) {
            long before = clock.nanos();
            long shift = clock.bind(time);
            long after = clock.nanos();
            assertThat(shift).isNotZero().isEqualTo(clock.bind(time));
            assertThat(after).isEqualTo(time.nanos() + shift);
            assertThat(after - before).isNotNegative();
            time.advance(Duration.ofNanos(77));
            assertThat(clock.nanos() - after).isEqualTo(77);
        }
    }

    @Test
    void goesByTheNanosecondsOfItsSourceFromItsWallClockOn() {
        try (VirtualTime time = new VirtualTime()) {
            Instant start = Instant.ofEpochMilli(time.millis());
            assertThat(clock.bind(time)).isZero();
            assertThat(clock.bind(time)).isZero();
            time.advance(Duration.ofNanos(1_500_000_001));
            assertThat(clock.instant()).isEqualTo(start.plusNanos(1_500_000_001));
            assertThat(clock.nanos()).isEqualTo(time.nanos());
        }
    }

    @Test
    void secondSourceOfTimeIsRefused() {
        try (VirtualTime one = new VirtualTime();
                VirtualTime other = new VirtualTime()) {
            assertThat(clock.bind(one)).isZero();
            assertThatThrownBy(() -> clock.bind(other))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("another TimeSource");
        }
    }

    @Test
    void isInUtcWhateverZoneIsAskedFor() {
        assertThat(clock.withZone(ZoneOffset.MAX)).isSameAs(clock);
        assertThat(clock.getZone()).isEqualTo(ZoneOffset.UTC);
    }
}
