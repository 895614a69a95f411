/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.spi.CallKey;
import dev.holdfast.spi.Perishable.Freshness;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** Values are put while another thread is about to drop some, and is just not on a processor. */
class WriteBurstTest {
    private static final int PUTS = 200;

    private static CallKey key(int given) {
        return new CallKey("stock", null, given);
    }

    private static void put(Store store, int key, long weight) {
        store.put(key(key), key, Freshness.usual().weight(weight), 0, store.epoch(key(key)));
    }

    /** Runs this as if a thread that drops values were just not on a processor. */
    private static <T> T whileNoneIsDropped(Store store, Supplier<T> meanwhile) {
        return store.entries.policy().eviction().orElseThrow().coldest(any -> meanwhile.get());
    }

    /** How many values one thread adds until it waits for the thread that drops them, or has added all. */
    private static int addedMeanwhile(Consumer<StaleCacheSettings.Builder> options, long weight) throws Exception {
        Store store = new Store(StaleCacheSettings.of(options));
        for (int key = 0; key < PUTS; key++) {
            put(store, key, weight);
        }
        long before = store.size(0);
        AtomicInteger added = new AtomicInteger();
        Thread adds = new Thread(() -> {
            for (int key = 0; key < PUTS; key++) {
                put(store, PUTS + key, weight);
                added.incrementAndGet();
            }
        });
        long most = whileNoneIsDropped(store, () -> {
            adds.start();
            while (adds.getState() != Thread.State.WAITING && adds.isAlive()) {
                Thread.onSpinWait();
            }
            return store.size();
        });
        adds.join();
        assertThat(added).hasValue(PUTS);
        assertThat(store.size(0)).isEqualTo(before);
        return (int) (most - before);
    }

    @Test
    void numberIsExceededByNoMoreThanASixteenthAndTheValueThatIsPut() throws Exception {
        assertThat(addedMeanwhile(c -> c.maxEntries(1), 0)).isOne();
        assertThat(addedMeanwhile(c -> c.maxEntries(160), 0)).isBetween(1, 11);
    }

    @Test
    void weightIsExceededByNoMoreThanASixteenthAndTheValueThatIsPut() throws Exception {
        assertThat(addedMeanwhile(c -> c.maxWeight(100), 50)).isOne();
        assertThat(addedMeanwhile(c -> c.maxWeight(1_600), 10)).isBetween(1, 11);
        assertThat(addedMeanwhile(c -> c.maxWeight(1_600).maxEntries(16), 10)).isBetween(1, 2);
    }
}
