/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.spi.CallContext;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A load on a thread of the cache's own asks for the user of the call, or for nobody. */
class PartitionOnAnotherThreadTest {
    private static final ThreadLocal<String> USER = ThreadLocal.withInitial(() -> "nobody");

    private final VirtualTime time = new VirtualTime();
    private final AtomicInteger loads = new AtomicInteger();
    private final StaleCachePolicy cache =
            StaleCachePolicy.of(c -> c.fresh(Duration.ofSeconds(5)).staleWhileRevalidate(Duration.ofSeconds(30)));

    @AfterEach
    void close() {
        time.close();
    }

    private String load(String key) {
        return key + " of " + USER.get() + ", " + loads.incrementAndGet();
    }

    private CompletableFuture<String> ask(Pipeline pipeline, Way way) {
        var operation = pipeline.<String>operation("orders");
        CompletableFuture<String> answer = time.spawn(() -> {
            USER.set("Ada");
            try {
                return way == Way.CALL
                        ? operation.decorate(this::load, USER::get).apply("orders")
                        : operation
                                .decorateAsync((String key) -> CompletableFuture.completedFuture(load(key)), USER::get)
                                .apply("orders")
                                .getNow("not yet");
            } finally {
                USER.remove(); // the thread serves others
            }
        });
        time.advance(Duration.ofSeconds(6));
        return answer;
    }

    private Pipeline.Builder pipeline() {
        return Pipeline.builder("orders").policies(cache).time(time);
    }

    @Logs("a decorated function of 'orders' was not run")
    @ParameterizedTest
    @EnumSource(Way.class)
    void refreshThatDoesNotKnowTheUserIsNotMade(Way way) {
        try (Pipeline pipeline = pipeline().build()) {
            for (int i = 0; i < 3; i++) {
                assertThat(ask(pipeline, way)).isCompletedWithValue("orders of Ada, 1");
            }
            assertThat(loads).hasValue(1);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void refreshThatKnowsTheUserIsMade(Way way) {
        CallContext user = () -> {
            String captured = USER.get();
            return () -> {
                String before = USER.get();
                USER.set(captured);
                return () -> USER.set(before);
            };
        };
        try (Pipeline pipeline = pipeline().context(user).build()) {
            assertThat(ask(pipeline, way)).isCompletedWithValue("orders of Ada, 1");
            assertThat(ask(pipeline, way)).isCompletedWithValue("orders of Ada, 1");
            assertThat(ask(pipeline, way)).isCompletedWithValue("orders of Ada, 2");
        }
    }
}
