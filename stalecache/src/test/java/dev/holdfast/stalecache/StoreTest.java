/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Objects;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class StoreTest {
    private static final long SECOND = 1_000_000_000;

    private static Store store(Consumer<StaleCacheSettings.Builder> options) {
        return new Store(StaleCacheSettings.of(options));
    }

    private final Store store = store(b -> b.fresh(Duration.ofSeconds(1))
            .staleWhileRevalidate(Duration.ofSeconds(2))
            .staleIfError(Duration.ofSeconds(4)));

    private Entry stored() {
        store.put("key", "value", 0);
        return Objects.requireNonNull(store.find("key", 0));
    }

    @Test
    void windowsEndAtTheirLastNanosecond() {
        Entry entry = stored();
        assertThat(store.isFresh(entry, SECOND - 1)).isTrue();
        assertThat(store.isFresh(entry, SECOND)).isFalse();
        assertThat(store.isWorthRevalidating(entry, 3 * SECOND - 1)).isTrue();
        assertThat(store.isWorthRevalidating(entry, 3 * SECOND)).isFalse();
        assertThat(store.onError("key", 5 * SECOND - 1)).isSameAs(entry);
        assertThat(store.onError("key", 5 * SECOND)).isNull();
    }

    @Test
    void valueThatIsGoodForNothingAnyMoreIsForgotten() {
        stored();
        assertThat(store.find("key", 5 * SECOND)).isNull();
        assertThat(store.size()).isZero();
    }

    @Test
    void nullTakesTheOldValueAway() {
        stored();
        assertThat(store.put("key", null, SECOND)).isFalse();
        assertThat(store.find("key", SECOND)).isNull();
    }

    @Test
    void holdsNoMoreThanItsMost() {
        Store small = store(b -> b.maxEntries(10));
        for (int i = 0; i < 1_000; i++) {
            small.put(i, "value", 0);
        }
        assertThat(small.size()).isLessThanOrEqualTo(10);
    }

    @Test
    void withoutAnyWindowNothingIsKept() {
        Store none = store(b -> b.staleIfError(Duration.ZERO));
        none.put("key", "value", 0);
        assertThat(none.find("key", 0)).isNull();
        assertThat(none.size()).isZero();
    }

    @Test
    void failedRefreshOfWhatIsGoneIsNothing() {
        store.refreshFailed("gone", 0, -1);
        assertThat(store.size()).isZero();
    }

    @Test
    void clearForgetsAll() {
        stored();
        store.clear();
        assertThat(store.find("key", 0)).isNull();
    }
}
