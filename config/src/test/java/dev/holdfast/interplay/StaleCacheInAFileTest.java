/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.interplay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Operation;
import dev.holdfast.config.Holdfast;
import dev.holdfast.spi.Perishable.Freshness;
import dev.holdfast.stalecache.StaleCachePolicy;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import org.junit.jupiter.api.Test;

/** A file names the functions that say how long a value is good, and how much it weighs. */
class StaleCacheInAFileTest {
    private static final String FILE = "pipelines: { inventory: { stale-cache: { stale-if-error: 0s,"
            + " freshness: an-hour, weigher: letters, max-weight: 1000, max-value-weight: 3 } } }";

    @Test
    void functionsThatCodeBindsSpeakForTheValues() throws Exception {
        Function<Object, Freshness> anHour = value -> Freshness.usual().fresh(Duration.ofHours(1));
        ToLongFunction<Object> letters = value -> value.toString().length();
        try (Holdfast holdfast = Holdfast.builder()
                .bind("an-hour", Function.class, anHour)
                .bind("letters", ToLongFunction.class, letters)
                .load("holdfast.yaml", new ByteArrayInputStream(FILE.getBytes(StandardCharsets.UTF_8)))) {
            Operation<String> stock = holdfast.pipeline("inventory").operation("stock");
            assertThat(stock.key("a").call(attempt -> "123")).isEqualTo("123");
            assertThat(stock.key("a").call(attempt -> "456")).isEqualTo("123");
            assertThat(stock.key("b").call(attempt -> "1234")).isEqualTo("1234");
            StaleCachePolicy cache = holdfast.pipeline("inventory").policy(StaleCachePolicy.class);
            assertThat(cache.size()).isOne();
        }
    }
}
