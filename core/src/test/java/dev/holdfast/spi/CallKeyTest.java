/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spi;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class CallKeyTest {
    private static final int KEYS = 10_000;

    private long looks;

    /** All have the hash code of all others. */
    private final class Colliding implements Comparable<Colliding> {
        private final int number;

        Colliding(int number) {
            this.number = number;
        }

        @Override
        public boolean equals(@Nullable Object other) {
            looks++;
            return other instanceof Colliding that && number == that.number;
        }

        @Override
        public int hashCode() {
            return 42;
        }

        @Override
        public int compareTo(Colliding other) {
            looks++;
            return Integer.compare(number, other.number);
        }
    }

    private record Point(int x, int y) {}

    private static CallKey key(Object key) {
        return new CallKey("stock", null, key);
    }

    @Test
    void isEqualInAllItsParts() {
        CallKey one = new CallKey("stock", "tenant", "a");
        assertThat(one)
                .isEqualTo(new CallKey("stock", "tenant", "a"))
                .hasSameHashCodeAs(new CallKey("stock", "tenant", "a"));
        assertThat(one)
                .isNotEqualTo(new CallKey("price", "tenant", "a"))
                .isNotEqualTo(new CallKey("stock", "other", "a"))
                .isNotEqualTo(new CallKey("stock", null, "a"))
                .isNotEqualTo(new CallKey("stock", "tenant", "b"));
        assertThat(one).hasToString("stock[tenant](a)");
        assertThat(key("a")).hasToString("stock(a)");
    }

    /** Else a thousand strings that somebody chose would make each call look at all of them. */
    @Test
    void tableStaysFastWhereAllHashCodesAreTheSame() {
        Map<Object, Integer> table = new HashMap<>();
        for (int i = 0; i < KEYS; i++) {
            table.put(key(new Colliding(i)), i);
        }
        looks = 0;
        for (int i = 0; i < KEYS; i++) {
            assertThat(table.get(key(new Colliding(i)))).isEqualTo(i);
        }
        assertThat(looks / KEYS).isLessThan(100);
    }

    @Test
    void partitionsOfOneHashCodeAreOrderedToo() {
        Map<Object, Integer> table = new HashMap<>();
        for (int i = 0; i < KEYS; i++) {
            table.put(new CallKey("stock", new Colliding(i), "a"), i);
        }
        looks = 0;
        assertThat(table.get(new CallKey("stock", new Colliding(KEYS - 1), "a")))
                .isEqualTo(KEYS - 1);
        assertThat(looks).isLessThan(100);
    }

    @Test
    void keysWithoutAnOrderAreFoundAllTheSame() {
        Map<Object, Object> table = new HashMap<>();
        List<Object> keys = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            keys.add(new Point(i, -31 * i));
            keys.add(i);
            keys.add("key " + i);
        }
        keys.add(new Broken());
        keys.add(new Broken());
        for (Object key : keys) {
            table.put(new CallKey(new OneHash("a"), null, key), key);
            table.put(new CallKey(new OneHash("b"), null, key), "other");
        }
        for (Object key : keys) {
            assertThat(Objects.requireNonNull(table.get(new CallKey(new OneHash("a"), null, key))))
                    .isSameAs(key);
        }
    }

    /** As two operations of one name and two types are. */
    private record OneHash(String name) {
        @Override
        public int hashCode() {
            return 1;
        }
    }

    /** Says that it has an order, and has none. */
    private static final class Broken implements Comparable<Broken> {
        @Override
        public int hashCode() {
            return 7;
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return this == other;
        }

        @Override
        public int compareTo(Broken other) {
            throw new UnsupportedOperationException();
        }
    }
}
