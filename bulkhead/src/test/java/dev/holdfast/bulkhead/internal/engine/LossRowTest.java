/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class LossRowTest {
    private static final long MILLI = 1_000_000;

    private final LossRow row = new LossRow();
    private long answerNanos = 10 * MILLI;
    private int rare = 1;

    private boolean lost(long atMillis, long millis) {
        return row.add(atMillis * MILLI, millis * MILLI, 1, Ending.LOST, answerNanos, rare);
    }

    private boolean failed(long atMillis, long millis) {
        return row.add(atMillis * MILLI, millis * MILLI, 1, Ending.FAILED, answerNanos, rare);
    }

    @Test
    void twoLossesAreEnoughAfterATenthOfASecond() {
        assertThat(lost(0, 1)).isFalse();
        assertThat(lost(99, 1)).isFalse();
        assertThat(lost(100, 1)).isTrue();
    }

    @Test
    void oneLossIsNot() {
        assertThat(failed(0, 1)).isFalse();
        assertThat(lost(1000, 1)).isFalse();
    }

    @Test
    void whereManyAreLostAsARuleAShortRowIsChance() {
        rare = 8;
        for (long at = 0; at < 420; at += 60) {
            assertThat(lost(at, 200)).isFalse();
        }
        assertThat(lost(420, 200)).as("the eighth").isTrue();
    }

    @Test
    void ofFewCallsItIsRareIfItLastsAsLongAsSoManyOneAfterAnother() {
        rare = 8;
        assertThat(lost(0, 200)).isFalse();
        assertThat(lost(1_599, 200)).isFalse();
        assertThat(lost(1_600, 200)).isTrue();
    }

    @Test
    void theRowLastsAsLongAsTheLongestOfIt() {
        assertThat(lost(0, 300)).isFalse();
        assertThat(lost(200, 1)).isFalse();
        assertThat(lost(300, 1)).isTrue();
    }

    @Test
    void theRowLastsAsLongAsAnAnswerTakes() {
        answerNanos = 400 * MILLI;
        assertThat(lost(0, 1)).isFalse();
        assertThat(lost(399, 1)).isFalse();
        assertThat(lost(400, 1)).isTrue();
    }

    @Test
    void failuresAreFewerThanLosses() {
        assertThat(lost(0, 1)).isFalse();
        assertThat(failed(100, 1)).isFalse();
        assertThat(failed(200, 1)).isFalse();
        assertThat(lost(300, 1)).isFalse();
        assertThat(lost(400, 1)).isTrue();
    }

    @Test
    void twentyFailuresAreEnough() {
        for (int i = 0; i < 19; i++) {
            assertThat(failed(10L * i, 1)).isFalse();
        }
        assertThat(failed(190, 1)).isTrue();
    }

    private boolean refused(long atMillis) {
        return row.add(atMillis * MILLI, MILLI, 1, Ending.REFUSED, answerNanos, rare);
    }

    @Test
    void twentyRefusalsAreEnoughAfterASecond() {
        for (int i = 0; i < 99; i++) {
            assertThat(refused(10L * i)).isFalse();
        }
        assertThat(refused(1000)).isTrue();
    }

    @Test
    void oneRefusalIsEnoughForTheRowToLastASecond() {
        assertThat(lost(0, 1)).isFalse();
        assertThat(refused(100)).isFalse();
        assertThat(lost(999, 1)).isFalse();
        assertThat(lost(1000, 1)).isTrue();
        row.end();
        assertThat(lost(2000, 1)).isFalse();
        assertThat(lost(2100, 1)).isTrue();
    }

    @Test
    void anAnswerEndsTheRowWithItsLongest() {
        assertThat(lost(0, 500)).isFalse();
        row.end();
        assertThat(lost(1000, 1)).isFalse();
        assertThat(lost(1100, 1)).isTrue();
    }

    @Test
    void thoseThatOthersHaveNotCountedCountToo() {
        assertThat(lost(0, 1)).isFalse();
        row.end();
        assertThat(row.add(0, MILLI, 2, Ending.LOST, answerNanos, rare)).isFalse();
        assertThat(failed(100, 1)).isTrue();
    }
}
