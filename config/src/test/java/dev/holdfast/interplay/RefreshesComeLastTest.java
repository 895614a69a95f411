/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.interplay;

import static dev.holdfast.interplay.Rig.millis;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call.Priority;
import dev.holdfast.Pipeline;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testcalls.Way;
import dev.holdfast.throttling.ThrottlePolicy;
import dev.holdfast.time.VirtualTime;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Many keys become stale at once: their refreshes leave room for calls that somebody waits for. */
class RefreshesComeLastTest {
    private static final int KEYS = 40;

    private final VirtualTime time = new VirtualTime();
    private final List<Priority> priorities = new ArrayList<>();

    @AfterEach
    void close() {
        time.close();
    }

    /** Answers after 50 ms. */
    private CompletableFuture<String> call(Way way, Pipeline pipeline, String key) {
        if (way == Way.CALL) {
            return time.spawn(() -> pipeline.<String>operation("get", o -> o.type(String.class))
                    .decorate((String of) -> {
                        priorities.add(Priority.current());
                        time.sleep(millis(50));
                        return of;
                    })
                    .apply(key));
        }
        return pipeline.<String>operation("get", o -> o.type(String.class))
                .<String>decorateAsync(of -> {
                    priorities.add(Priority.current());
                    CompletableFuture<String> end = new CompletableFuture<>();
                    time.schedule(millis(50).toNanos(), () -> end.complete(of));
                    return end;
                })
                .apply(key);
    }

    private void aMissIsServedWhileAllKeysAreRefreshed(Way way, Policy limit) {
        StaleCachePolicy cache =
                StaleCachePolicy.of(c -> c.fresh(millis(10_000)).staleWhileRevalidate(millis(60_000)));
        Pipeline pipeline =
                Pipeline.builder("p").policies(cache, limit).time(time).build();
        for (int key = 0; key < KEYS; key++) {
            assertThat(call(way, pipeline, "key " + key)).isNotNull();
            time.advance(millis(100));
        }
        time.advance(millis(10_000));
        priorities.clear();

        for (int key = 0; key < KEYS; key++) {
            CompletableFuture<String> stale = call(way, pipeline, "key " + key);
            time.advance(millis(0));
            assertThat(stale).isCompletedWithValue("key " + key);
        }
        assertThat(priorities).isNotEmpty().containsOnly(Priority.SHEDDABLE);
        CompletableFuture<String> miss = call(way, pipeline, "another");
        time.run();

        assertThat(miss).isCompletedWithValue("another");
        assertThat(priorities).contains(Priority.DEFAULT);
    }

    /** Two of forty find a permit. The others say nothing of the dependency, so that their waits do not get longer. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void aRefreshThatFoundNoPermitIsTriedAgainAfterTheSameTimeEachTime(Way way) {
        BulkheadPolicy bulkhead = BulkheadPolicy.of(b -> b.maxConcurrentCalls(4));
        StaleCachePolicy cache =
                StaleCachePolicy.of(c -> c.fresh(millis(60_000)).staleWhileRevalidate(millis(600_000)));
        Pipeline pipeline =
                Pipeline.builder("p").policies(cache, bulkhead).time(time).build();
        for (int key = 0; key < KEYS; key++) {
            assertThat(call(way, pipeline, "key " + key)).isNotNull();
            time.advance(millis(100));
        }
        time.advance(millis(60_000));
        priorities.clear();

        for (int second = 0; second < KEYS; second++) {
            for (int key = 0; key < KEYS; key++) {
                assertThat(call(way, pipeline, "key " + key)).isNotNull();
            }
            time.advance(millis(1_000));
        }
        time.run();

        assertThat(priorities).hasSize(KEYS).containsOnly(Priority.SHEDDABLE);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void inABulkheadWithoutAQueue(Way way) {
        BulkheadPolicy bulkhead = BulkheadPolicy.of(b -> b.maxConcurrentCalls(4).maxWaitingCalls(0));
        aMissIsServedWhileAllKeysAreRefreshed(way, bulkhead);
        assertThat(bulkhead.inFlight()).isZero();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void inAThrottleWithoutAWait(Way way) {
        aMissIsServedWhileAllKeysAreRefreshed(
                way, ThrottlePolicy.of(t -> t.limit(20).burst(10)));
    }
}
