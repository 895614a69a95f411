/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.spi.InvalidSettingsException;
import dev.holdfast.valkey.SharedThrottleSettings.WhenStoreIsAway;
import java.time.Duration;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class SharedThrottleSettingsTest {

    private static SharedThrottleSettings settings(Consumer<SharedThrottleSettings.Builder> changed) {
        return SharedThrottleSettings.of(s -> {
            s.key("inventory").replicas(2);
            changed.accept(s);
        });
    }

    private static void assertRefused(Consumer<SharedThrottleSettings.Builder> changed, String message) {
        assertThatThrownBy(() -> settings(changed))
                .isInstanceOf(InvalidSettingsException.class)
                .hasMessage("shared throttle: " + message);
    }

    @Test
    void theDefaultsAreThoseOfThePage() {
        assertThat(settings(s -> {}))
                .hasToString("key=inventory, limit=50, per=1s, burst=5, replicas=2, batch=1, maxWait=50ms,"
                        + " storeTimeout=250ms, whenStoreIsAway=LOCAL_SHARE");
    }

    @Test
    void aBatchIsFiftyMillisecondsOfTheShareOfAProcess() {
        assertThat(settings(s -> s.limit(200)).batch()).isEqualTo(5);
        assertThat(settings(s -> s.limit(200).replicas(100)).batch()).isEqualTo(1);
        assertThat(settings(s -> s.limit(1_000_000).replicas(1)).batch()).isEqualTo(50_000);
        assertThat(settings(s -> s.limit(1_000_000_000).replicas(1)).batch()).isEqualTo(50_000_000);
        assertThat(settings(s -> s.limit(10_000).burst(10).replicas(1)).batch()).isEqualTo(10);
        assertThat(settings(s -> s.limit(10).per(Duration.ofDays(1))).batch()).isEqualTo(1);
    }

    @Test
    void keyAndReplicasMustBeGiven() {
        assertThatThrownBy(() -> SharedThrottleSettings.of(s -> {}))
                .isInstanceOf(InvalidSettingsException.class)
                .hasMessage("shared throttle: key is not given but must be 1 to 200 characters");
        assertRefused(s -> s.key(" "), "key is ' ' but must be 1 to 200 characters");
        assertThat(settings(s -> s.key("k".repeat(200))).key()).hasSize(200);
        assertRefused(s -> s.key("k".repeat(201)), "key is '" + "k".repeat(201) + "' but must be 1 to 200 characters");
    }

    @Test
    void eachOptionIsCheckedAndNamedWithItsRange() {
        assertRefused(s -> s.limit(0).burst(1), "limit is 0 but must be 1 to 1,000,000,000");
        assertRefused(s -> s.per(Duration.ZERO), "per is 0s but must be 1ms to 1d");
        assertRefused(s -> s.burst(51), "burst is 51 but must be at most limit, which is 50");
        assertRefused(s -> s.replicas(0), "replicas is 0 but must be 1 to 10,000");
        assertRefused(s -> s.batch(6), "batch is 6 but must be at most burst, which is 5");
        assertRefused(s -> s.batch(0), "batch is 0 but must be 1 to 1,000,000,000");
        assertRefused(s -> s.maxWait(Duration.ofHours(2)), "maxWait is 2h but must be 0s to 1h");
        assertRefused(s -> s.storeTimeout(Duration.ZERO), "storeTimeout is 0s but must be 1ms to 10s");
        assertRefused(
                s -> s.per(Duration.ofSeconds(Long.MAX_VALUE)), "per is " + Long.MAX_VALUE + "s but must be 1ms to 1d");
    }

    @Test
    void aBuilderMadeOfSettingsHasThemAll() {
        SharedThrottleSettings all = settings(s -> s.limit(300)
                .per(Duration.ofMinutes(1))
                .burst(30)
                .replicas(7)
                .batch(3)
                .maxWait(Duration.ofSeconds(1))
                .storeTimeout(Duration.ofMillis(7))
                .whenStoreIsAway(WhenStoreIsAway.CLOSED));

        assertThat(all.toBuilder().build()).hasToString(all.toString());
        assertThat(settings(s -> s.limit(200)).toBuilder().limit(400).build().batch())
                .isEqualTo(10);
    }

    @Test
    void theMapHasWhatWarningsOfNumbersLookAt() {
        assertThat(settings(s -> s.limit(200)).asMap())
                .containsEntry("key", "inventory")
                .containsEntry("limit", 200)
                .containsEntry("per", Duration.ofSeconds(1))
                .containsEntry("burst", 20)
                .containsEntry("batch", 5)
                .containsEntry("max-wait", Duration.ofMillis(50))
                .containsEntry("when-store-is-away", "local-share");
    }
}
