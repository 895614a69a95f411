/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A minute of more load than the dependency can do, from many processes that know nothing of each other. One queue, 160 calls a
 * second, and a timeout of half a second: what waits for longer than that is work for nobody.
 */
class LastingOverloadTest {
    private static final double CAPACITY = 160;
    private static final double WAY = 0.02;
    private static final int SEEDS = 3;
    private static final int FROM = 60;
    private static final int UNTIL = 120;

    /** No limit can answer more than 1 / load. Where each process has 25 fixed permits, nothing is answered. */
    @ParameterizedTest
    @CsvSource({"3, 1.1, 0.84", "10, 1.1, 0.8", "30, 1.1, 0.74", "30, 1.3, 0.56"})
    void mostOfWhatCanBeAnsweredIs(int processes, double load, double least) {
        double answered = 0;
        for (long seed = 1; seed <= SEEDS; seed++) {
            answered += answered(processes, load, seed) / SEEDS;
        }
        assertThat(answered).isGreaterThan(least);
    }

    private static double answered(int processes, double load, long seed) {
        try (World world = new World(seed, Variation.NONE.timeout(0.5))) {
            Fleet fleet = Fleet.standard(world, processes, Stream::of);
            int[] calls = new int[1];
            int[] answers = new int[1];
            double[] free = new double[1];
            world.poisson(UNTIL, now -> CAPACITY * load, () -> {
                boolean counts = world.now() > FROM;
                calls[0] += counts ? 1 : 0;
                var unused = fleet.call(null, until -> {
                            CompletableFuture<String> answer = new CompletableFuture<>();
                            free[0] = Math.max(free[0], world.now()) + 1 / CAPACITY;
                            world.in(free[0] - world.now() + WAY, () -> answer.complete("12"));
                            return answer;
                        })
                        .thenAccept(answer -> answers[0] += counts && answer == Answer.LIVE ? 1 : 0);
            });
            world.run();
            return (double) answers[0] / calls[0];
        }
    }
}
