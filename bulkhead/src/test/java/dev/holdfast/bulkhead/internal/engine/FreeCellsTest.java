/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class FreeCellsTest {
    private final FreeCells cells = new FreeCells(2);

    @Test
    void closedCellsTakeAndGiveNothing() {
        assertThat(cells.put(0)).isFalse();
        assertThat(cells.take(0)).isFalse();
        assertThat(cells.takeAny()).isFalse();
        assertThat(cells.sum()).isZero();
        assertThat(cells.close()).isZero();
    }

    @Test
    void anOpenCellGivesWhatWasPutIntoIt() {
        cells.open();

        assertThat(cells.put(1)).isTrue();
        assertThat(cells.sum()).isEqualTo(1);
        assertThat(cells.take(0)).isFalse();
        assertThat(cells.take(1)).isTrue();
        assertThat(cells.take(1)).isFalse();
        assertThat(cells.put(3)).as("the stripes come round").isTrue();
        assertThat(cells.takeAny()).isTrue();
        assertThat(cells.takeAny()).isFalse();
    }

    @Test
    void closingTellsWhatWasInAllOfThem() {
        cells.open();
        cells.put(0);
        cells.put(1);
        cells.put(1);

        assertThat(cells.close()).isEqualTo(3);
        assertThat(cells.sum()).isZero();
        cells.open();
        assertThat(cells.takeAny()).isFalse();
    }
}
