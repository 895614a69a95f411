/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.matrix.Cell.Level;
import dev.holdfast.matrix.Cell.Way;
import dev.holdfast.testing.ThreadKind;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The part of the matrix that virtual time cannot play: pools, executors that are full, interrupts at any moment. */
@ThreadKind.Each
class RealThreadsMatrixTest {
    private static final int ROUNDS = 3;

    /** Held, since a logger that nobody holds forgets its level. */
    private static final Logger WARNINGS = Logger.getLogger("dev.holdfast");

    private final List<String> wrong = new ArrayList<>();
    private int plays;

    @BeforeAll
    static void quiet() {
        WARNINGS.setLevel(java.util.logging.Level.OFF);
    }

    @AfterAll
    static void loud() {
        WARNINGS.setLevel(null);
    }

    @Test
    void aloneAndInPairs() throws Exception {
        for (Way way : Way.values()) {
            for (Layer outer : Layer.values()) {
                play(new Level(way, List.of(outer)));
                for (Layer inner : List.of(Layer.RETRY, Layer.BULKHEAD, Layer.DEDICATED, Layer.TIMEOUT)) {
                    if (outer != inner) {
                        play(new Level(way, List.of(outer, inner)));
                    }
                }
            }
            play(new Level(way, Layer.STANDARD));
        }
        verify("alone and in pairs");
    }

    @Test
    void oneInsideTheOther() throws Exception {
        List<Layer> some = List.of(Layer.TIMEOUT, Layer.RETRY, Layer.HEDGE, Layer.BULKHEAD, Layer.DEDICATED);
        for (Layer outer : some) {
            for (Layer inner : some) {
                for (Way outerWay : Way.values()) {
                    for (Way innerWay : Way.values()) {
                        play(new Level(outerWay, List.of(outer)), new Level(innerWay, List.of(inner)));
                    }
                }
            }
        }
        verify("one inside the other");
    }

    private void play(Level... levels) throws InterruptedException {
        RealPlay.Pool[] pools = RealPlay.Pool.values();
        long seed = 42L + plays;
        RealPlay.Pool pool = pools[plays++ % pools.length];
        try (RealPlay play = new RealPlay("real" + seed, List.of(levels), pool, seed)) {
            for (int round = 0; round < ROUNDS; round++) {
                play.round(round, round == ROUNDS - 1 && seed % 5 == 0);
            }
            List<String> problems = play.leftBehind();
            if (!problems.isEmpty()) {
                wrong.add(play + ": " + String.join("; ", problems));
            }
        }
    }

    private void verify(String part) {
        System.out.printf(
                "matrix, real threads, %s, %s threads: %,d calls%n",
                part, ThreadKind.current(), plays * ROUNDS * RealPlay.CALLS);
        assertThat(wrong).as("%d of %d plays are wrong", wrong.size(), plays).isEmpty();
    }
}
