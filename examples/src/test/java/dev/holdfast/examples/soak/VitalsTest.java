/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.soak;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class VitalsTest {
    private static final int MB = 1 << 20;
    private static final Vitals WARM = new Vitals(20 * MB, 40);

    @Test
    void aHeapThatGrowsByMoreThanSlackIsNotFlat() {
        assertThat(new Vitals(37 * MB, 40).isHeapFlatSince(WARM)).isTrue();
        assertThat(new Vitals(39 * MB, 40).isHeapFlatSince(WARM)).isFalse();
    }

    @Test
    void moreThreadsThanAPoolCanHaveAreNotFlat() {
        int pool = Math.max(16, 4 * Runtime.getRuntime().availableProcessors());
        assertThat(new Vitals(0, 40 + pool + 2).areThreadsFlatSince(WARM)).isTrue();
        assertThat(new Vitals(0, 40 + pool + 3).areThreadsFlatSince(WARM)).isFalse();
    }

    @Test
    void threadsOfAPoolThatGoOnAfterTheEndAreTold() {
        assertThat(new Vitals(0, 42).haveThreadsEndedSince(WARM)).isTrue();
        assertThat(new Vitals(0, 43).haveThreadsEndedSince(WARM)).isFalse();
    }
}
