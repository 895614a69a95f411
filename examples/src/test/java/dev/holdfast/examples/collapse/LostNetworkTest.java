/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LostNetworkTest {
    private static final int SEEDS = 5;

    @Test
    void theNaiveClientStaysDownAtTwiceTheLoad() {
        for (long seed = 1; seed <= SEEDS; seed++) {
            Trial naive = staysDown(LostNetwork::naive, seed);
            int end = LostNetwork.EPISODE.end();
            assertThat(naive.ledger().attempts(end - 20, end) / 20.0)
                    .as("seed %d: attempts a second in the end", seed)
                    .isBetween(530.0, 600.0);
        }
    }

    /** More than 20 retries a second are too many: a fifth of 280 calls is 56. */
    @Test
    void aBudgetThatIsFundedByCallsStaysDownToo() {
        for (long seed = 1; seed <= SEEDS; seed++) {
            staysDown(LostNetwork::requestFunded, seed);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 10, 30})
    void theStandardPipelineComesBack(int processes) {
        for (long seed = 1; seed <= SEEDS; seed++) {
            Trial holdfast = LostNetwork.run(world -> Fleet.standard(world, processes), seed);
            Recovered.check("seed " + seed + ", " + processes + " processes", holdfast);
        }
    }

    private static Trial staysDown(Function<World, Client> client, long seed) {
        Trial trial = LostNetwork.run(client, seed);
        assertThat(trial.before()).as("seed %d: %s", seed, trial).isGreaterThan(0.99);
        assertThat(trial.after()).as("seed %d: %s", seed, trial).isLessThan(0.01);
        return trial;
    }
}
