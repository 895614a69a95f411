/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.spi.Perishable.Freshness;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class PerishableTest {
    private static final Duration YEAR = Duration.ofDays(365);
    private static final Duration ENDLESS = Duration.ofSeconds(Long.MAX_VALUE);

    private final Freshness usual = Freshness.usual();

    @Test
    void usualSaysNothing() {
        assertThat(usual).isEqualTo(new Freshness(null, null, null, Duration.ZERO, -1, true, true, true));
    }

    @Test
    void timesAreMovedToTheirBounds() {
        Freshness most = usual.fresh(ENDLESS)
                .staleWhileRevalidate(ENDLESS)
                .staleIfError(ENDLESS)
                .age(ENDLESS);
        assertThat(most).isEqualTo(new Freshness(YEAR, YEAR, YEAR, YEAR, -1, true, true, true));
        Duration negative = ENDLESS.negated();
        Freshness least = usual.fresh(negative)
                .staleWhileRevalidate(negative)
                .staleIfError(negative)
                .age(negative);
        Duration none = Duration.ZERO;
        assertThat(least).isEqualTo(new Freshness(none, none, none, none, -1, true, true, true));
    }

    @Test
    void weightIsNotNegativeOnceItIsSaid() {
        assertThat(usual.weight(-5).weight()).isZero();
        assertThat(usual.weight(7).weight()).isEqualTo(7);
    }

    @Test
    void whatIsForOneCallIsNotKeptForOthers() {
        assertThat(usual.notKept().shared()).isTrue();
        assertThat(usual.notKept().kept()).isFalse();
        assertThat(usual.notShared().kept()).isFalse();
        assertThat(new Freshness(null, null, null, Duration.ZERO, 0, true, false, true).kept())
                .isFalse();
        assertThat(new Freshness(null, null, null, Duration.ZERO, 0, true, true, false).shared())
                .isFalse();
        assertThat(usual.ofAnother().kept()).isFalse();
    }

    @Test
    void eachSayingLeavesTheOthers() {
        Freshness all = usual.notShared()
                .weight(4)
                .age(Duration.ofSeconds(3))
                .staleIfError(Duration.ofSeconds(2))
                .staleWhileRevalidate(Duration.ofSeconds(1))
                .fresh(Duration.ofSeconds(5));
        assertThat(all)
                .isEqualTo(new Freshness(
                        Duration.ofSeconds(5),
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(2),
                        Duration.ofSeconds(3),
                        4,
                        false,
                        false,
                        true));
    }
}
