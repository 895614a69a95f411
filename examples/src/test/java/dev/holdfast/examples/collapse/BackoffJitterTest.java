/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.examples.collapse.BackoffJitter.Point;
import dev.holdfast.examples.collapse.BackoffJitter.Wait;
import java.util.List;
import org.junit.jupiter.api.Test;

class BackoffJitterTest {
    private static final int RUNS = 30;
    private static final List<Integer> CLIENTS = List.of(20, 50);
    private static final List<Long> SEEDS = List.of(1L, 2L, 3L);

    @Test
    void fullJitterDoesTheLeastWorkAndNoJitterTheMostAndTheLongest() {
        for (long seed : SEEDS) {
            for (int clients : CLIENTS) {
                Point full = BackoffJitter.run(Wait.FULL, clients, RUNS, seed);
                Point equal = BackoffJitter.run(Wait.EQUAL, clients, RUNS, seed);
                Point decorrelated = BackoffJitter.run(Wait.DECORRELATED, clients, RUNS, seed);
                Point without = BackoffJitter.run(Wait.NO_JITTER, clients, RUNS, seed);
                String told = "seed %d: full %s, equal %s, decorrelated %s, none %s"
                        .formatted(seed, full, equal, decorrelated, without);
                assertThat(full.writes()).as(told).isLessThan(equal.writes());
                // The two are near to each other, and nearest where there are few clients.
                assertThat(full.writes()).as(told).isLessThan(1.05 * decorrelated.writes());
                assertThat(without.writes())
                        .as(told)
                        .isGreaterThan(1.3 * equal.writes())
                        .isGreaterThan(1.3 * decorrelated.writes());
                assertThat(without.millis()).as(told).isGreaterThan(5 * full.millis());
            }
        }
    }

    /** Backoff without jitter moves the collision to a later time; all meet again. */
    @Test
    void backoffAloneSavesNextToNothing() {
        Point nothing = BackoffJitter.run(Wait.NO_BACKOFF, 50, RUNS, 1);
        Point without = BackoffJitter.run(Wait.NO_JITTER, 50, RUNS, 1);
        assertThat(without.writes()).isGreaterThan(0.85 * nothing.writes());
    }
}
