/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.matrix.Cell.Level;
import dev.holdfast.matrix.Cell.Way;
import dev.holdfast.testing.ThreadKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The part of the matrix that virtual time cannot play: pools, executors that are full, interrupts at any moment. */
@ThreadKind.Each
class RealThreadsMatrixTest {
    private static final int ROUNDS = 3;
    /** Most of a play is waiting. */
    private static final int PLAYS_AT_ONCE = 4;

    /** Held, since a logger that nobody holds forgets its level. */
    private static final Logger WARNINGS = Logger.getLogger("dev.holdfast");

    private final List<Callable<Optional<String>>> plays = new ArrayList<>();

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

    private void play(Level... levels) {
        RealPlay.Pool[] pools = RealPlay.Pool.values();
        RealPlay.Pool pool = pools[plays.size() % pools.length];
        long seed = 42L + plays.size();
        plays.add(() -> wrongIn(List.of(levels), pool, seed));
    }

    private static Optional<String> wrongIn(List<Level> levels, RealPlay.Pool pool, long seed)
            throws InterruptedException {
        try (RealPlay play = new RealPlay("real" + seed, levels, pool, seed)) {
            for (int round = 0; round < ROUNDS; round++) {
                play.round(round, round == ROUNDS - 1 && seed % 5 == 0);
            }
            List<String> problems = play.leftBehind();
            return problems.isEmpty() ? Optional.empty() : Optional.of(play + ": " + String.join("; ", problems));
        }
    }

    private void verify(String part) throws Exception {
        List<String> wrong = new ArrayList<>();
        ExecutorService players = Executors.newFixedThreadPool(PLAYS_AT_ONCE);
        try {
            for (Future<Optional<String>> play : players.invokeAll(plays)) {
                play.get().ifPresent(wrong::add);
            }
        } finally {
            players.shutdownNow();
        }
        System.out.printf(
                "matrix, real threads, %s, %s threads: %,d calls%n",
                part, ThreadKind.current(), plays.size() * ROUNDS * RealPlay.CALLS);
        assertThat(wrong)
                .as("%d of %d plays are wrong", wrong.size(), plays.size())
                .isEmpty();
    }
}
