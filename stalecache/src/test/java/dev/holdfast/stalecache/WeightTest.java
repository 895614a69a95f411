/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Reply;
import dev.holdfast.spi.CallKey;
import dev.holdfast.spi.Perishable.Freshness;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testcalls.Work;
import java.time.Duration;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Bounds of the weight of all values, and of one. */
class WeightTest {
    private static final int PUTS = 2_000;

    private static CallKey key(int given) {
        return new CallKey("stock", null, given);
    }

    private static Store store(Consumer<StaleCacheSettings.Builder> options) {
        return new Store(StaleCacheSettings.of(options));
    }

    private static void put(Store store, int key, long weight) {
        store.put(key(key), key, Freshness.usual().weight(weight), 0, store.epoch(key(key)));
    }

    /** The weights of the values that are kept, of those that were put. */
    private static LongStream kept(Store store, long[] weights) {
        return LongStream.range(0, weights.length)
                .filter(key -> store.find(key((int) key), 0) != null)
                .map(key -> weights[(int) key]);
    }

    @ParameterizedTest
    @CsvSource({"100, 10000", "1000, 7", "1000000, 300", "3, 2", "1000000000000, 10", "15000, 10000"})
    void neitherWeightNorNumberIsEverAboveItsBound(long maxWeight, int maxEntries) {
        Random random = new Random(maxWeight + maxEntries);
        Store store = store(c -> c.maxWeight(maxWeight).maxEntries(maxEntries));
        long[] weights = random.longs(PUTS, 0, Math.max(2, maxWeight / 20)).toArray();
        for (int key = 0; key < PUTS; key++) {
            put(store, key, weights[key]);
        }
        assertThat(kept(store, weights).sum()).isLessThanOrEqualTo(maxWeight + maxWeight / 200);
        assertThat(kept(store, weights).count()).isBetween(1L, (long) maxEntries);
    }

    @Test
    void boundsAreUsedInFull() {
        Store light = store(c -> c.maxWeight(1_000_000).maxEntries(50));
        Store heavy = store(c -> c.maxWeight(100).maxEntries(10_000));
        for (int key = 0; key < 50; key++) {
            put(light, key, 0);
            put(heavy, key, 2);
        }
        assertThat(light.size(0)).isEqualTo(50);
        assertThat(heavy.size(0)).isEqualTo(50);
        put(light, 50, 0);
        put(heavy, 50, 2);
        assertThat(light.size(0)).isEqualTo(50);
        assertThat(heavy.size(0)).isEqualTo(50);
    }

    @Test
    void weightDoesNotMatterWithoutABound() {
        Store store = store(c -> c.maxEntries(10));
        for (int key = 0; key < 10; key++) {
            put(store, key, Long.MAX_VALUE);
        }
        assertThat(store.size(0)).isEqualTo(10);
    }

    @ParameterizedTest
    @EnumSource
    void valueThatIsTooHeavyIsDeliveredToAllAndNotKept(Way way) {
        StaleCachePolicy policy = StaleCachePolicy.of(c -> c.maxValueWeight(9)
                .staleIfSlow(Duration.ZERO)
                .weigher(value -> value.toString().length()));
        try (Rig rig = new Rig(way, policy)) {
            rig.load("a", Work.value("123456789"));
            assertThat(policy.size()).isOne();
            Work heavy = Work.value("1234567890").taking(Duration.ofSeconds(1));
            Running<Reply<Object>> leader = rig.start("a", heavy);
            Running<Reply<Object>> follower = rig.start("a", heavy);
            rig.time.run();
            assertThat(leader.result().join().value()).isEqualTo("1234567890");
            assertThat(follower.result().join().value()).isEqualTo("1234567890");
            assertThat(heavy.asked()).isOne();
            assertThat(policy.size()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource
    void valueThatIsHeavierThanAllMayBeIsNotKept(Way way) {
        StaleCachePolicy policy = StaleCachePolicy.of(c -> c.maxWeight(100));
        try (Rig rig = new Rig(way, policy)) {
            rig.load("a", Work.value(Page.of("a", f -> f.weight(100))));
            rig.load("b", Work.value(Page.of("b", f -> f.weight(101))));
            assertThat(policy.size()).isOne();
            assertThat(rig.run("a", Work.error(new IllegalStateException()))
                            .join()
                            .value())
                    .hasToString("a");
        }
    }

    @ParameterizedTest
    @EnumSource
    void weigherIsAskedForValuesThatDoNotSayIt(Way way) {
        StaleCachePolicy policy = StaleCachePolicy.of(c -> c.maxValueWeight(10).weigher(value -> 11));
        try (Rig rig = new Rig(way, policy)) {
            rig.load("a", Work.value(Page.of("a", f -> f.weight(10))));
            rig.load("b", Work.value("b"));
            assertThat(policy.size()).isOne();
        }
    }

    @ParameterizedTest
    @EnumSource
    void newSettingsBoundTheValuesThatAreThere(Way way) {
        StaleCachePolicy policy = StaleCachePolicy.of(c -> c.weigher(value -> 10));
        try (Rig rig = new Rig(way, policy)) {
            for (int i = 0; i < 20; i++) {
                rig.load("key " + i, Work.value(i));
            }
            rig.load("heavy", Work.value(Page.of("heavy", f -> f.weight(60))));
            StaleCachePolicy light = StaleCachePolicy.of(c -> c.maxValueWeight(50));
            rig.pipeline.replace(light);
            assertThat(light.size()).isEqualTo(20);
            StaleCachePolicy next = StaleCachePolicy.of(c -> c.maxWeight(50));
            rig.pipeline.replace(next);
            assertThat(next.size()).isEqualTo(5);
        }
    }
}
