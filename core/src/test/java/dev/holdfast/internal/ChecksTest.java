/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChecksTest {
    @ParameterizedTest
    @CsvSource({
        "PT0S, 0s",
        "PT0.25S, 250ms",
        "PT1.5S, 1500ms",
        "PT5S, 5s",
        "PT2M, 2m",
        "PT36H, 36h",
        "P366D, 366d",
        "PT0.00001S, 10us",
        "PT0.000000001S, 1ns",
        "PT-1S, -1s",
        "PT-0.001S, -1ms",
        "PT-0.00001S, -10us",
        "PT1.000001S, PT1.000001S"
    })
    void timesAreWrittenAsPeopleDo(Duration time, String text) {
        assertThat(Checks.text(time)).isEqualTo(text);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0 ms",
        "1, 1 ms",
        "358000001, 359 ms",
        "1000000000, 1.0 s",
        "4123000000, 4.2 s",
        "719999000000, 720.0 s",
        "9223372036854775807, 9223372036.9 s"
    })
    void measuredTimesAreRoundedUp(long nanos, String text) {
        assertThat(Checks.time(nanos)).isEqualTo(text);
    }

    @Test
    void timesThatNobodyWritesAreWrittenAllTheSame() {
        assertThat(Checks.text(Duration.ofSeconds(Long.MIN_VALUE))).startsWith("PT-");
        assertThat(Checks.text(Duration.ofSeconds(Long.MAX_VALUE, 1_000_000))).startsWith("PT");
    }
}
