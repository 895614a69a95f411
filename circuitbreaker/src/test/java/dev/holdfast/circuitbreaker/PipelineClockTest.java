/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;

class PipelineClockTest {
    private final PipelineClock clock = new PipelineClock();

    @Test
    void standsStillUntilItIsBound() {
        assertThat(clock.instant()).isEqualTo(Instant.EPOCH);
        assertThat(clock.nanos()).isZero();
    }

    @Test
    void goesByTheNanosecondsOfItsSourceFromItsWallClockOn() {
        try (VirtualTime time = new VirtualTime()) {
            Instant start = Instant.ofEpochMilli(time.millis());
            clock.bind(time);
            clock.bind(time);
            time.advance(Duration.ofNanos(1_500_000_001));
            assertThat(clock.instant()).isEqualTo(start.plusNanos(1_500_000_001));
            assertThat(clock.nanos()).isEqualTo(time.nanos());
        }
    }

    @Test
    void secondSourceOfTimeIsRefused() {
        try (VirtualTime one = new VirtualTime();
                VirtualTime other = new VirtualTime()) {
            clock.bind(one);
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
