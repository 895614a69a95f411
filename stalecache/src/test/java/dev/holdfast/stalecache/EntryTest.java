/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Outcome;
import dev.holdfast.spi.Perishable.Freshness;
import org.junit.jupiter.api.Test;

class EntryTest {
    private static Entry entry(long now) {
        Windows none = new Windows(0, 0, 0, 0, 0);
        return Entry.of("x", Outcome.SUCCESS, Freshness.usual(), none, now);
    }

    @Test
    void ageIsNeverNegativeAndGoesByDifferenceOnly() {
        Entry entry = entry(Long.MAX_VALUE);
        assertThat(entry.age(Long.MIN_VALUE + 4)).isEqualTo(5);
        assertThat(entry.age(Long.MAX_VALUE - 3)).isZero();
    }

    @Test
    void backoffDoublesUpToItsMost() {
        Entry entry = entry(0);
        long[] expected = {10, 20, 40, 60, 60};
        for (long backoff : expected) {
            entry.refreshFailed(1_000, 10, 60, -1);
            assertThat(entry.mayBeRefreshed(1_000 + backoff - 1)).isFalse();
            assertThat(entry.mayBeRefreshed(1_000 + backoff)).isTrue();
        }
    }

    @Test
    void backoffNeverOverflows() {
        Entry entry = entry(0);
        for (int i = 0; i < 200; i++) {
            entry.refreshFailed(0, 3_600_000_000_000L, 3_600_000_000_000L, -1);
            assertThat(entry.mayBeRefreshed(3_600_000_000_000L - 1)).isFalse();
            assertThat(entry.mayBeRefreshed(3_600_000_000_000L)).isTrue();
        }
    }

    @Test
    void longerWishOfTheDependencyWins() {
        Entry entry = entry(0);
        entry.refreshFailed(0, 10, 60, 500);
        assertThat(entry.mayBeRefreshed(499)).isFalse();
        assertThat(entry.mayBeRefreshed(500)).isTrue();
    }

    @Test
    void failedRefreshChangesNeitherValueNorAge() {
        Entry entry = entry(7);
        entry.refreshFailed(1_000, 10, 60, -1);
        assertThat(entry.value()).isEqualTo("x");
        assertThat(entry.age(1_007)).isEqualTo(1_000);
    }

    @Test
    void aRejectedRefreshWaitsForTheFirstBackoffOrAsLongAsItWasTold() {
        Entry entry = entry(0);
        entry.refreshFailed(0, 10, 60, -1);
        entry.refreshRejected(100, 10, -1);
        assertThat(entry.mayBeRefreshed(109)).isFalse();
        assertThat(entry.mayBeRefreshed(110)).isTrue();

        entry.refreshRejected(200, 10, 500);
        assertThat(entry.mayBeRefreshed(699)).isFalse();
        assertThat(entry.mayBeRefreshed(700)).isTrue();

        entry.refreshFailed(800, 10, 60, -1);
        assertThat(entry.mayBeRefreshed(819)).as("the second failure").isFalse();
        assertThat(entry.mayBeRefreshed(820)).isTrue();
    }
}
