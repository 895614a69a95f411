/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CheckedFunction;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.spi.CallContext;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testing.ScriptedAction;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
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
            // It is slow, and the load that is to go on in the background is refused: then a blocking call loads for
            // itself, since its thread knows who asks.
            int second = way == Way.CALL ? 2 : 1;
            for (int i = 0; i < 10; i++) {
                assertThat(ask(pipeline, way)).isCompletedWithValue("orders of Ada, " + (second + i));
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

    @Logs("a decorated function of 'orders' was not run")
    @Test
    void callersOnTheirOwnThreadsDoNotShareTheRefusalOfARefresh() {
        StaleCachePolicy short10 = StaleCachePolicy.of(c -> c.fresh(Duration.ofMillis(10))
                .staleWhileRevalidate(Duration.ofMillis(20))
                .staleIfError(Duration.ZERO));
        Executor own = Objects.requireNonNull(time.executor());
        try (Pipeline pipeline = Pipeline.builder("orders")
                .policies(short10)
                .backgroundExecutor(task -> time.schedule(50_000_000, () -> own.execute(task)))
                .time(time)
                .build()) {
            CheckedFunction<String, String, Exception> orders =
                    pipeline.<String>operation("orders").decorate(this::load, USER::get);
            assertThat(asAda(orders, 15)).isCompletedWithValue("orders of Ada, 1");
            assertThat(asAda(orders, 20))
                    .as("old, and a refresh waits for its thread")
                    .isCompletedWithValue("orders of Ada, 1");
            assertThat(asAda(orders, 1_000)).as("joins the refresh").isCompletedWithValue("orders of Ada, 2");
        }
    }

    @Logs("a decorated function of 'orders' was not run")
    @Test
    @SuppressWarnings("FutureReturnValueIgnored") // the leader's, of which it is known how it ends
    void callerOnItsOwnThreadDoesNotShareTheRefusalOfAnAsynchronousLeader() {
        Policy turn = new Policy("turn", Policy.ENTER) {
            @Override
            public int enter(Passage passage) {
                return passage.pause(50_000_000);
            }
        };
        try (Pipeline pipeline = Pipeline.builder("orders")
                .policies(StaleCachePolicy.ofDefaults(), turn)
                .time(time)
                .build()) {
            var operation = pipeline.<String>operation("orders", o -> o.type(String.class));
            CheckedFunction<String, String, Exception> orders = operation.decorate(this::load, USER::get);
            time.spawn(() -> {
                USER.set("Ada");
                try {
                    return operation.decorateAsync(this::loadAsync, USER::get).apply("orders");
                } finally {
                    USER.remove();
                }
            });
            time.advance(Duration.ofMillis(1));
            assertThat(asAda(orders, 2_000)).isCompletedWithValue("orders of Ada, 1");
        }
    }

    @Test
    void refusalOfAPipelineInsideIsSharedAsAnyOtherEnd() {
        try (Pipeline pipeline = pipeline().build()) {
            CheckedFunction<String, String, Exception> orders = pipeline.<String>operation("orders")
                    .decorate(key -> {
                        loads.incrementAndGet();
                        time.sleep(Duration.ofMillis(30));
                        throw new CallRejectedException(
                                Reason.WRONG_PARTITION, "inner", "pipeline", "not here", -1, null);
                    });
            for (int i = 0; i < 5; i++) {
                var unused = time.spawn(() -> orders.apply("orders"));
            }
            time.run();
            assertThat(loads).hasValue(1);
        }
    }

    private CompletableFuture<String> asAda(CheckedFunction<String, String, Exception> orders, long millis) {
        CompletableFuture<String> answer = time.spawn(() -> {
            USER.set("Ada");
            try {
                return orders.apply("orders");
            } finally {
                USER.remove();
            }
        });
        time.advance(Duration.ofMillis(millis));
        return answer;
    }
}
