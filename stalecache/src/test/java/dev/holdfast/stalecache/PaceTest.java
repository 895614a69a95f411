/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class PaceTest {
    private static final long MILLI = TimeUnit.MILLISECONDS.toNanos(1);

    private final Pace pace = new Pace();
    private long now;

    private void loaded(int loads, long nanos) {
        for (int i = 0; i < loads; i++) {
            now += 7 * MILLI + 13;
            pace.loaded(nanos, now);
        }
    }

    @Test
    void aSecondIsSlowWhileLittleIsKnown() {
        loaded(7, 10 * MILLI);
        assertThat(pace.slowAfter()).isEqualTo(1_000 * MILLI);
    }

    @Test
    void twiceWhatIsUsualIsSlowAndAtLeastATenthOfASecond() {
        loaded(8, 10 * MILLI);
        assertThat(pace.slowAfter()).isEqualTo(100 * MILLI);
        loaded(500, 200 * MILLI);
        // A cell is a fifth of its time wide.
        assertThat(pace.slowAfter()).isBetween(400 * MILLI, 480 * MILLI);
    }

    @Test
    void someThatTookVeryLongDoNotMatter() {
        Random random = new Random(7);
        for (int i = 0; i < 2_000; i++) {
            loaded(1, random.nextInt(100) < 3 ? 10_000 * MILLI : 200 * MILLI);
        }
        assertThat(pace.slowAfter()).isBetween(400 * MILLI, 480 * MILLI);
    }

    @Test
    void whatWasLongAgoIsForgotten() {
        loaded(500, 2_000 * MILLI);
        loaded(40_000, 200 * MILLI);
        assertThat(pace.slowAfter()).isBetween(400 * MILLI, 480 * MILLI);
    }

    @Test
    void timesBeyondAllCellsAreTakenForTheLongest() {
        loaded(100, Long.MAX_VALUE);
        assertThat(pace.slowAfter()).isGreaterThan(TimeUnit.MINUTES.toNanos(10));
        loaded(100, -1);
        assertThat(pace.slowAfter()).isPositive();
    }
}
