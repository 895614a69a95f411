/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.spi.CallContext;
import dev.holdfast.testing.ScriptedAction;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
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

    private Duration takes = Duration.ZERO;

    private String load(String key) throws Exception {
        String loaded = key + " of " + USER.get() + ", " + loads.incrementAndGet();
        if (!takes.isZero()) {
            ScriptedAction.<String>on(time).returns(loaded).after(takes).call();
        }
        return loaded;
    }

    private CompletionStage<String> loadAsync(String key) {
        String loaded = key + " of " + USER.get() + ", " + loads.incrementAndGet();
        return ScriptedAction.<String>on(time).returns(loaded).after(takes).callAsync();
    }

    @SuppressWarnings("FutureReturnValueIgnored") // of the call, which is joined
    private CompletableFuture<String> ask(Pipeline pipeline, Way way) {
        var operation = pipeline.<String>operation("orders");
        CompletableFuture<CompletableFuture<String>> answer = time.spawn(() -> {
            USER.set("Ada");
            try {
                return way == Way.CALL
                        ? CompletableFuture.completedFuture(
                                operation.decorate(this::load, USER::get).apply("orders"))
                        : operation.decorateAsync(this::loadAsync, USER::get).apply("orders");
            } finally {
                USER.remove(); // the thread serves others
            }
        });
        time.advance(Duration.ofSeconds(6));
        return answer.join();
    }

    private Pipeline.Builder pipeline() {
        return Pipeline.builder("orders").policies(cache).time(time);
    }

    @Logs("a decorated function of 'orders' was not run")
    @ParameterizedTest
    @EnumSource(Way.class)
    void refreshThatDoesNotKnowTheUserIsNotMade(Way way) {
        try (Pipeline pipeline = pipeline().build()) {
            assertThat(ask(pipeline, way)).isCompletedWithValue("orders of Ada, 1");
            assertThat(ask(pipeline, way)).isCompletedWithValue("orders of Ada, 1");
            assertThat(loads).hasValue(1);
        }
    }

    @Logs("a decorated function of 'orders' was not run")
    @ParameterizedTest
    @EnumSource(Way.class)
    void afterOneThatWasRefusedCallsLoadOnTheirOwnThreads(Way way) {
        try (Pipeline pipeline = pipeline().build()) {
            assertThat(ask(pipeline, way)).isCompletedWithValue("orders of Ada, 1");
            assertThat(ask(pipeline, way)).isCompletedWithValue("orders of Ada, 1");
            assertThat(ask(pipeline, way)).isCompletedWithValue("orders of Ada, 2");
            assertThat(ask(pipeline, way)).isCompletedWithValue("orders of Ada, 3");
        }
    }

    @Logs("a decorated function of 'orders' was not run")
    @ParameterizedTest
    @EnumSource(Way.class)
    void aSlowDependencyIsAskedAllTheSame(Way way) {
        StaleCachePolicy quick = StaleCachePolicy.of(c -> c.fresh(Duration.ofSeconds(3)));
        try (Pipeline pipeline =
                Pipeline.builder("orders").policies(quick).time(time).build()) {
            takes = Duration.ofMillis(1500);
            assertThat(ask(pipeline, way)).isCompletedWithValue("orders of Ada, 1");
            // It is slow, and the load that is to go on in the background is refused.
            assertThat(ask(pipeline, way)).isCompletedWithValue("orders of Ada, 1");
            for (int i = 0; i < 10; i++) {
                assertThat(ask(pipeline, way)).isCompletedWithValue("orders of Ada, " + (2 + i));
            }
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
