/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.holdfast.spi.InvalidSettingsException;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class BulkheadSettingsTest {

    @Test
    void defaultsAreWhatThePageSays() {
        assertThat(BulkheadSettings.builder().build())
                .hasToString("maxConcurrentCalls=25, maxWaitingCalls=100, maxWait=100ms, lease=1m");
    }

    @Test
    void everyOptionSurvivesToBuilder() {
        BulkheadSettings settings = BulkheadSettings.of(b -> b.maxConcurrentCalls(3)
                .maxWaitingCalls(4)
                .maxWait(Duration.ofSeconds(5))
                .lease(Duration.ofMinutes(6)));

        assertThat(settings.toBuilder().build()).usingRecursiveComparison().isEqualTo(settings);
        assertThat(settings.maxConcurrentCalls()).isEqualTo(3);
        assertThat(settings.maxWaitingCalls()).isEqualTo(4);
        assertThat(settings.maxWait()).isEqualTo(Duration.ofSeconds(5));
        assertThat(settings.lease()).isEqualTo(Duration.ofMinutes(6));
    }

    static Stream<Arguments> outOfRange() {
        return Stream.of(
                refused(b -> b.maxConcurrentCalls(0), "maxConcurrentCalls is 0 but must be 1 to 1,000,000"),
                refused(b -> b.maxConcurrentCalls(1_000_001), "maxConcurrentCalls is 1000001"),
                refused(b -> b.maxWaitingCalls(-1), "maxWaitingCalls is -1 but must be 0 to 1,000,000"),
                refused(b -> b.maxWaitingCalls(1_000_001), "maxWaitingCalls is 1000001"),
                refused(b -> b.maxWait(Duration.ofMillis(-1)), "maxWait is PT-0.001S but must be 0s to 1d"),
                refused(b -> b.maxWait(Duration.ofDays(2)), "maxWait is 2d"),
                refused(b -> b.lease(Duration.ZERO), "lease is 0s but must be 1ms to 1d"),
                refused(b -> b.lease(Duration.ofSeconds(Long.MAX_VALUE)), "lease is "));
    }

    private static Arguments refused(Consumer<BulkheadSettings.Builder> change, String message) {
        return Arguments.of(change, message);
    }

    @ParameterizedTest
    @MethodSource("outOfRange")
    void aValueOutOfRangeIsRefusedByName(Consumer<BulkheadSettings.Builder> change, String message) {
        assertThatExceptionOfType(InvalidSettingsException.class)
                .isThrownBy(() -> BulkheadSettings.of(change))
                .withMessageContaining("bulkhead: ")
                .withMessageContaining(message);
    }

    @Test
    void everyProblemIsToldAtOnce() {
        assertThatExceptionOfType(InvalidSettingsException.class)
                .isThrownBy(() -> BulkheadSettings.of(
                        b -> b.maxConcurrentCalls(0).maxWaitingCalls(-1).lease(Duration.ZERO)))
                .satisfies(thrown -> assertThat(thrown.problems()).hasSize(3));
    }

    @Test
    void theEndsOfTheRangesAreValid() {
        BulkheadSettings.of(b -> b.maxConcurrentCalls(1)
                .maxWaitingCalls(0)
                .maxWait(Duration.ZERO)
                .lease(Duration.ofMillis(1)));
        BulkheadSettings most = BulkheadSettings.of(b -> b.maxConcurrentCalls(1_000_000)
                .maxWaitingCalls(1_000_000)
                .maxWait(Duration.ofDays(1))
                .lease(Duration.ofDays(1)));

        assertThat(most.maxConcurrentCalls()).isEqualTo(1_000_000);
    }
}
