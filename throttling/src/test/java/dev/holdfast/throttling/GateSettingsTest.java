/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.spi.InvalidSettingsException;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class GateSettingsTest {

    @Test
    void defaultsAreWhatThePageSays() {
        assertThat(GateSettings.builder().build()).hasToString("maxHold=10s, maxWait=0s, jitter=0.1, defaultHold=0s");
        assertThat(GatePolicy.ofDefaults().settings())
                .hasToString(GateSettings.builder().build().toString());
    }

    @Test
    void aCopyHasAllValues() {
        GateSettings settings = GateSettings.of(g -> g.maxHold(Duration.ofSeconds(4))
                .maxWait(Duration.ofSeconds(2))
                .jitter(1)
                .defaultHold(Duration.ofSeconds(3)));

        assertThat(settings.toBuilder().build()).hasToString("maxHold=4s, maxWait=2s, jitter=1.0, defaultHold=3s");
        assertThat(settings.maxHold()).isEqualTo(Duration.ofSeconds(4));
        assertThat(settings.maxWait()).isEqualTo(Duration.ofSeconds(2));
        assertThat(settings.jitter()).isEqualTo(1);
        assertThat(settings.defaultHold()).isEqualTo(Duration.ofSeconds(3));
    }

    static Stream<Arguments> whatIsOutOfRangeIsAnErrorByName() {
        return Stream.of(
                wrong(g -> g.maxHold(Duration.ofMillis(-1)), "maxHold is -1ms but must be 0s to 1d"),
                wrong(g -> g.maxHold(Duration.ofDays(2)), "maxHold is 2d but must be 0s to 1d"),
                wrong(g -> g.maxWait(Duration.ofHours(2)), "maxWait is 2h but must be 0s to 1h"),
                wrong(g -> g.jitter(-0.1), "jitter is -0.1 but must be 0 to 1"),
                wrong(g -> g.jitter(Double.NaN), "jitter is NaN but must be 0 to 1"),
                wrong(g -> g.defaultHold(Duration.ofSeconds(Long.MAX_VALUE)), "defaultHold is "),
                wrong(
                        g -> g.maxHold(Duration.ofSeconds(1)).defaultHold(Duration.ofSeconds(5)),
                        "maxHold is 1s but must be at least defaultHold, which is 5s"));
    }

    private static Arguments wrong(Consumer<GateSettings.Builder> change, String message) {
        return Arguments.of(change, message);
    }

    @ParameterizedTest
    @MethodSource
    void whatIsOutOfRangeIsAnErrorByName(Consumer<GateSettings.Builder> change, String message) {
        assertThatThrownBy(() -> GateSettings.of(change))
                .isInstanceOf(InvalidSettingsException.class)
                .hasMessageContaining(message);
    }
}
