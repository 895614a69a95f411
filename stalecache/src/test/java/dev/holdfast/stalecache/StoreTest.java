/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.spi.CallKey;
import dev.holdfast.spi.Perishable.Freshness;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class StoreTest {
    private static final long SECOND = 1_000_000_000;

    private static Store store(Consumer<StaleCacheSettings.Builder> options) {
        return new Store(StaleCacheSettings.of(options));
    }

    private static CallKey key(Object given) {
        return new CallKey("stock", null, given);
    }

    private static void put(Store store, Object given, @Nullable Object value, long now) {
        store.put(key(given), value, Freshness.usual(), now, store.epoch(key(given)));
    }

    private final Store store = store(b -> b.fresh(Duration.ofSeconds(1))
            .staleWhileRevalidate(Duration.ofSeconds(2))
            .staleIfError(Duration.ofSeconds(4)));

    private Entry stored() {
        put(store, "key", "value", 0);
        return Objects.requireNonNull(store.find(key("key"), 0));
    }

    @Test
    void windowsEndAtTheirLastNanosecond() {
        Entry entry = stored();
        assertThat(entry.isFresh(SECOND - 1)).isTrue();
        assertThat(entry.isFresh(SECOND)).isFalse();
        assertThat(entry.isWorthRevalidating(3 * SECOND - 1)).isTrue();
        assertThat(entry.isWorthRevalidating(3 * SECOND)).isFalse();
        assertThat(store.onError(key("key"), 5 * SECOND - 1)).isSameAs(entry);
        assertThat(store.onError(key("key"), 5 * SECOND)).isNull();
    }

    @Test
    void valueThatIsGoodForNothingAnyMoreIsForgotten() {
        stored();
        assertThat(store.find(key("key"), 5 * SECOND)).isNull();
        assertThat(store.size()).isZero();
    }

    @Test
    void nullTakesTheOldValueAway() {
        stored();
        put(store, "key", null, SECOND);
        assertThat(store.find(key("key"), SECOND)).isNull();
    }

    @Test
    void holdsNoMoreThanItsMost() {
        Store small = store(b -> b.maxEntries(10));
        for (int i = 0; i < 1_000; i++) {
            put(small, i, "value", 0);
        }
        assertThat(small.size()).isLessThanOrEqualTo(10);
    }

    @Test
    void withoutAnyWindowNothingIsKept() {
        Store none = store(b -> b.staleIfError(Duration.ZERO));
        put(none, "key", "value", 0);
        assertThat(none.find(key("key"), 0)).isNull();
        assertThat(none.size()).isZero();
    }

    @Test
    void failedRefreshOfWhatIsGoneIsNothing() {
        store.refreshFailed(key("gone"), 0, -1);
        assertThat(store.size()).isZero();
    }

    @Test
    void clearForgetsAll() {
        stored();
        store.clear();
        assertThat(store.find(key("key"), 0)).isNull();
    }

    // ---- what was read before it was forgotten

    private enum Forgetting {
        REMOVED {
            @Override
            void now(Store store) {
                store.remove(key("key"));
            }
        },
        REMOVED_AS_GIVEN {
            @Override
            void now(Store store) {
                store.removeGiven("key");
            }
        },
        NULL {
            @Override
            void now(Store store) {
                put(store, "key", null, 0);
            }
        },
        CLEARED {
            @Override
            void now(Store store) {
                store.clear();
            }
        };

        abstract void now(Store store);
    }

    @ParameterizedTest
    @EnumSource
    void valueThatWasReadBeforeIsNotStoredAndTakesNothingAway(Forgetting forgetting) {
        int before = store.epoch(key("key"));
        forgetting.now(store);
        store.put(key("key"), "old", Freshness.usual(), 0, before);
        assertThat(store.find(key("key"), 0)).isNull();
        put(store, "key", "new", 0);
        store.put(key("key"), "old", Freshness.usual(), 0, before);
        assertThat(Objects.requireNonNull(store.find(key("key"), 0)).value()).isEqualTo("new");
    }

    @Test
    void whatIsRemovedConcernsNoOtherKey() {
        int other = store.epoch(key("other"));
        int partition = store.epoch(new CallKey("stock", "tenant", "key"));
        store.remove(key("key"));
        assertThat(store.epoch(key("other"))).isEqualTo(other);
        assertThat(store.epoch(new CallKey("stock", "tenant", "key"))).isEqualTo(partition);
        store.removeGiven("key");
        assertThat(store.epoch(key("other"))).isEqualTo(other);
        assertThat(store.epoch(new CallKey("stock", "tenant", "key"))).isNotEqualTo(partition);
    }

    @Test
    void nothingThatWasReadBeforeIsFoundAfterItWasRemoved() throws Exception {
        AtomicInteger database = new AtomicInteger();
        AtomicBoolean over = new AtomicBoolean();
        ExecutorService loader = Executors.newSingleThreadExecutor();
        try {
            Future<?> loads = loader.submit(() -> {
                while (!over.get()) {
                    int epoch = store.epoch(key("key"));
                    int read = database.get();
                    store.put(key("key"), read, Freshness.usual(), 0, epoch);
                }
            });
            for (int i = 1; i <= 20_000; i++) {
                database.set(i);
                switch (i % 3) {
                    case 0 -> store.remove(key("key"));
                    case 1 -> store.removeGiven("key");
                    default -> store.clear();
                }
                Entry found = store.find(key("key"), 0);
                assertThat(found == null ? i : found.value()).isEqualTo(i);
            }
            over.set(true);
            loads.get(5, TimeUnit.MINUTES);
        } finally {
            over.set(true);
            loader.shutdown();
        }
    }

    @Test
    void valuesThatNoWindowAllowsGoWithoutBeingAskedFor() {
        for (int i = 0; i < 1_000; i++) {
            put(store, i, new byte[100], 0);
        }
        put(store, "later", "value", 4 * SECOND);
        assertThat(store.size(4 * SECOND)).isEqualTo(1_001);
        assertThat(store.size(7 * SECOND)).isOne();
    }

    /** The clock of a cache is the time that calls bring with them, and may be a little behind. */
    @Test
    void noValueGoesBeforeItsTime() {
        store.find(key("other"), 0);
        long stored = SECOND - 1;
        put(store, "key", "value", stored);
        for (long age = 0; age < 5 * SECOND; age += SECOND / 10) {
            assertThat(store.size(stored + age)).as("after %d ns", age).isOne();
            assertThat(store.onError(key("key"), stored + age))
                    .as("after %d ns", age)
                    .isNotNull();
        }
    }

    @Test
    void noValueGoesBeforeItsTimeAlthoughItsKeyHadOneBefore() {
        for (long again = 0; again < 3 * SECOND; again += SECOND / 10) {
            Store twice = store(b -> b.staleIfError(Duration.ofSeconds(5)));
            put(twice, "key", "value", 0);
            put(twice, "key", "value", again);
            assertThat(twice.size(again + 5 * SECOND - 1))
                    .as("stored again after %d ns", again)
                    .isOne();
        }
    }

    @Test
    void valueThatIsGoodForLongerThanOthersIsKeptForLonger() {
        put(store, "usual", "value", 0);
        CallKey longer = key("longer");
        Freshness hour = Freshness.usual().fresh(Duration.ofHours(1));
        store.put(longer, "value", hour, 0, store.epoch(longer));
        assertThat(store.find(key("usual"), 5 * SECOND)).isNull();
        assertThat(store.size(3_604 * SECOND - 1)).isOne();
        assertThat(store.find(longer, 3_604 * SECOND - 1)).isNotNull();
        assertThat(store.size(3_606 * SECOND)).isZero();
    }

    @Test
    void refreshThatFailedMakesNoValueLiveLonger() {
        stored();
        store.refreshFailed(key("key"), 2 * SECOND, -1);
        assertThat(store.size(7 * SECOND)).isZero();
    }
}
