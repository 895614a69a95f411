/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.spi.Policy;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LostCacheTest {
    private static final int SEEDS = 3;

    @Test
    void theNaiveClientStaysDownAtTenTimesTheLoad() {
        for (long seed = 1; seed <= SEEDS; seed++) {
            Trial naive = LostCache.run(LostCache::naive, seed);
            int end = LostCache.EPISODE.end();
            assertThat(naive.ledger().goodput(5, 15))
                    .as("seed %d: %s", seed, naive)
                    .isGreaterThan(0.99);
            assertThat(naive.after()).as("seed %d: %s", seed, naive).isLessThan(0.05);
            assertThat(naive.ledger().attempts(end - 20, end) / 20.0)
                    .as("seed %d: queries a second in the end", seed)
                    .isGreaterThan(9 * Database.PER_SECOND);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 10})
    void theStandardPipelineComesBack(int processes) {
        for (long seed = 1; seed <= SEEDS; seed++) {
            Trial holdfast = LostCache.run(world -> Fleet.standard(world, processes), seed);
            Recovered.check("seed " + seed + ", " + processes + " processes", holdfast);
        }
    }

    /** Each has few permits, and alone makes nothing better by having fewer. */
    @Test
    void thirtyProcessesComeBackWithAShortTimeout() {
        for (long seed = 1; seed <= SEEDS; seed++) {
            Trial holdfast = LostCache.run(world -> Fleet.standard(world, 30), seed, Variation.NONE.timeout(0.5));
            Recovered.check("seed " + seed, holdfast);
        }
    }

    /** What counts is how much all of them have underway. */
    @Test
    void aHundredProcessesComeBackWithTwoPermitsEach() {
        for (long seed = 1; seed <= SEEDS; seed++) {
            Trial holdfast = LostCache.run(world -> Fleet.standard(world, 100, LostCacheTest::withTwoPermits), seed);
            Recovered.check("seed " + seed, holdfast);
        }
    }

    private static Stream<Policy> withTwoPermits(Policy policy) {
        return Stream.of(policy instanceof BulkheadPolicy ? BulkheadPolicy.of(b -> b.maxConcurrentCalls(2)) : policy);
    }

    /** The refill takes ten seconds; until then there is the last good value of many keys. */
    @Test
    void callsThatFailAreAnsweredWithTheLastGoodValueWhereThereIsOne() {
        Ledger ledger = LostCache.run(world -> Fleet.standard(world, 1), 1).ledger();
        int lost = LostCache.EPISODE.trigger();
        double answered =
                (double) (ledger.live(lost, lost + 5) + ledger.stale(lost, lost + 5)) / ledger.calls(lost, lost + 5);
        assertThat(ledger.goodput(lost, lost + 5)).isLessThan(0.8);
        assertThat(answered).isGreaterThan(0.9);
    }
}
