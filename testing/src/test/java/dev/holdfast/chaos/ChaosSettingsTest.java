/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.spi.InvalidSettingsException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ChaosSettingsTest {
    @AfterEach
    void forgetTheProperty() {
        System.clearProperty(ChaosSettings.PROPERTY);
    }

    @Test
    void chaosThatNobodyEnabledIsRefusedAndTheMessageSaysHow() {
        assertThatThrownBy(() -> ChaosPolicy.of(c -> c.errorRate(0.1)))
                .isInstanceOf(InvalidSettingsException.class)
                .hasMessage("chaos: enabled is false but must be true, said by you (or by"
                        + " -Dholdfast.chaos.enabled=true): it does harm");
    }

    @Test
    void systemPropertyEnablesWhatDoesNotSay() {
        System.setProperty(ChaosSettings.PROPERTY, "true");
        assertThat(ChaosPolicy.of(c -> c.errorRate(0.1)).isOn()).isTrue();
        assertThatThrownBy(() -> ChaosPolicy.of(c -> c.enabled(false))).isInstanceOf(InvalidSettingsException.class);
    }

    @Test
    void defaultsInjectNothing() {
        ChaosSettings defaults = ChaosSettings.of(c -> c.enabled(true));
        assertThat(defaults).hasToString("latency 0.0 (100ms to 1s), error 0.0, result 0.0, hang 0.0");
        assertThat(defaults.seed()).isZero();
    }

    @Test
    void settingsComeBackThroughTheirBuilder() {
        ChaosSettings some = ChaosSettings.of(c -> c.enabled(true)
                .seed(7)
                .latencyRate(0.1)
                .minLatency(Duration.ofMillis(1))
                .maxLatency(Duration.ofMillis(2))
                .errorRate(0.2)
                .error(IllegalStateException::new)
                .resultRate(0.3)
                .result(() -> "odd")
                .hangRate(0.4));
        assertThat(some.toBuilder().build())
                .hasToString("latency 0.1 (1ms to 2ms), error 0.2, result 0.3, hang 0.4")
                .extracting(ChaosSettings::seed, ChaosSettings::error, ChaosSettings::result)
                .containsExactly(7L, some.error(), some.result());
    }

    @Test
    void everythingThatIsWrongIsToldAtOnce() {
        assertThatThrownBy(() -> ChaosSettings.of(c -> c.latencyRate(-0.1)
                        .minLatency(Duration.ofSeconds(2))
                        .maxLatency(Duration.ofSeconds(1))
                        .errorRate(Double.NaN)
                        .resultRate(0.7)
                        .hangRate(1.5)))
                .isInstanceOf(InvalidSettingsException.class)
                .hasMessageContaining("enabled is false")
                .hasMessageContaining("latencyRate is -0.1 but must be 0 to 1")
                .hasMessageContaining("maxLatency is 1s but must be at least minLatency, which is 2s")
                .hasMessageContaining("errorRate is NaN but must be 0 to 1")
                .hasMessageContaining("hangRate is 1.5 but must be 0 to 1")
                .hasMessageContaining("result is missing but must be given for a resultRate above 0");
    }

    @Test
    void ratesTogetherAreAtMostOne() {
        assertThatThrownBy(() ->
                        ChaosSettings.of(c -> c.enabled(true).errorRate(0.6).hangRate(0.5)))
                .hasMessageContaining("latencyRate + errorRate + resultRate + hangRate is 1.1 but must be 0 to 1");
    }

    @Test
    void sharesThatAddUpToOneAreOneAlsoAsDoubles() {
        assertThat(0.33 + 0.56 + 0.11).isGreaterThan(1);
        assertThat(ChaosSettings.of(c -> c.enabled(true)
                                .latencyRate(0.33)
                                .errorRate(0.56)
                                .hangRate(0.11))
                        .hangRate())
                .isEqualTo(0.11);
    }
}
