/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.spi.Policy;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HangTest {
    private static final int SEEDS = 5;
    private static final Variation SHORT = Variation.NONE.timeout(0.5);

    @Test
    void theNaiveClientStaysDown() {
        for (long seed = 1; seed <= SEEDS; seed++) {
            Trial naive = Hang.run(Hang::naive, seed);
            assertThat(naive.before()).as("seed %d: %s", seed, naive).isGreaterThan(0.99);
            assertThat(naive.after()).as("seed %d: %s", seed, naive).isLessThan(0.01);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 10, 30, 100})
    void theStandardPipelineComesBack(int processes) {
        for (long seed = 1; seed <= SEEDS; seed++) {
            Trial holdfast = Hang.run(world -> Fleet.standard(world, processes), seed);
            Recovered.check("seed " + seed + ", " + processes + " processes", holdfast);
        }
    }

    /** What a call during the hang has begun occupies a worker after it: a fixed limit does not stop making such calls. */
    @Test
    void withALimitThatHeedsLossesThereAreMoreAnswersRightAfterIt() {
        double losses = rightAfter(Stream::of);
        double fixed = rightAfter(policy -> Stream.of(
                policy instanceof BulkheadPolicy ? BulkheadPolicy.of(b -> b.maxConcurrentCalls(25)) : policy));

        assertThat(losses).isGreaterThan(1.5 * fixed);
    }

    /** The goodput of the first four seconds after the hang, of one process. */
    private static double rightAfter(Function<Policy, Stream<Policy>> change) {
        double sum = 0;
        for (long seed = 1; seed <= SEEDS; seed++) {
            int relief = Hang.EPISODE.relief();
            sum += Hang.run(world -> Fleet.standard(world, 1, change), seed, SHORT)
                    .ledger()
                    .goodput(relief, relief + 4);
        }
        return sum / SEEDS;
    }
}
