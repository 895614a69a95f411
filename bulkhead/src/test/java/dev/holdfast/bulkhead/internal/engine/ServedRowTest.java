/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ServedRowTest {
    private final ServedRow row = new ServedRow();

    @Test
    void itLastsFromTheBeginningOfTheFirst() {
        assertThat(row.nanos(5)).isZero();
        row.add(10, false);
        row.add(20, false);
        assertThat(row.nanos(50)).isEqualTo(40);
    }

    @Test
    void aLossEndsIt() {
        row.add(10, false);
        row.end();
        assertThat(row.nanos(50)).isZero();
        row.add(60, false);
        assertThat(row.nanos(70)).isEqualTo(10);
    }

    @Test
    void aThirdOfThemMayBeLate() {
        row.add(10, false);
        row.add(20, false);
        row.add(30, true);
        assertThat(row.nanos(50)).isEqualTo(40);
        row.add(40, true);
        assertThat(row.nanos(50)).isZero();
    }

    @Test
    void aLateOneDoesNotBeginIt() {
        row.add(10, true);
        assertThat(row.nanos(50)).isZero();
    }
}
