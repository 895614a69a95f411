/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CheckedFunction;
import dev.holdfast.Pipeline;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A load in the background that finds no thread, or is lost on the way to one, holds its key's callers for one attempt's time. */
@ThreadKind.Each
class NoThreadToLoadTest {
    private static final Duration LIMIT = ofMillis(200);

    private final VirtualTime time = ThreadKind.current().on(new VirtualTime());
    private final List<Runnable> waiting = new ArrayList<>();
    private final AtomicInteger asked = new AtomicInteger();
    private final Pipeline pipeline = Pipeline.builder("inventory")
            .policies(
                    StaleCachePolicy.of(c -> c.fresh(ofSeconds(1))
                            .staleWhileRevalidate(ofSeconds(10))
                            .refreshTimeout(ofSeconds(3))
                            .staleIfError(ofSeconds(20))),
                    TimeoutPolicy.of(LIMIT))
            .backgroundExecutor(waiting::add)
            .time(time)
            .build();
    private final CheckedFunction<String, String, RuntimeException> stock =
            pipeline.<String>operation("stock").decorate(key -> "value " + asked.incrementAndGet());

    @AfterEach
    void close() {
        pipeline.close();
        time.close();
    }

    private String asks() {
        CompletableFuture<String> answer = time.spawn(() -> stock.apply("k"));
        time.advance(LIMIT.multipliedBy(3));
        return answer.join();
    }

    @Test
    void keyIsAskedForOnACallersThreadWhenTheOldValueIsGone() {
        assertThat(asks()).isEqualTo("value 1");
        time.advance(ofSeconds(2));
        assertThat(asks()).as("being refreshed").isEqualTo("value 1");
        assertThat(waiting).hasSize(1);
        time.advance(ofSeconds(30));
        assertThat(asks()).as("lost on the way to a thread").isEqualTo("value 2");
        assertThat(asks()).as("kept").isEqualTo("value 2");
    }

    @Test
    void refreshThatIsLostOnTheWayToAThreadDoesNotEndTheRefreshesOfItsKey() {
        assertThat(asks()).isEqualTo("value 1");
        time.advance(ofSeconds(2));
        assertThat(asks()).isEqualTo("value 1");
        assertThat(waiting).hasSize(1);
        time.advance(ofSeconds(4));
        assertThat(asks()).as("after a backoff").isEqualTo("value 1");
        time.advance(ofSeconds(1));
        assertThat(asks()).as("still worth revalidating").isEqualTo("value 1");
        assertThat(waiting).as("one more").hasSize(2);
    }

    @Test
    void lateThreadThenDoesNoHarm() {
        assertThat(asks()).isEqualTo("value 1");
        time.advance(ofSeconds(2));
        assertThat(asks()).isEqualTo("value 1");
        time.advance(ofSeconds(30));
        List<CompletableFuture<String>> callers = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            callers.add(time.spawn(() -> stock.apply("k")));
        }
        time.advance(LIMIT.multipliedBy(3));
        assertThat(callers).allMatch(caller -> caller.join().equals("value 2"));
        waiting.forEach(Runnable::run);
        time.advance(LIMIT.multipliedBy(3));
        assertThat(asks()).startsWith("value ");
        assertThat(asked.get()).isLessThanOrEqualTo(3);
    }

    /** The refresh finds no thread, and the old value has gone by then. Returns after how long the next caller has its value. */
    private Duration waits(StaleCachePolicy cache, Pipeline of) {
        CheckedFunction<String, String, RuntimeException> asks =
                of.<String>operation("stock").decorate(key -> "value " + asked.incrementAndGet());
        CompletableFuture<String> first = time.spawn(() -> asks.apply("k"));
        time.advance(ofSeconds(2));
        CompletableFuture<String> refreshes = time.spawn(() -> asks.apply("k"));
        time.advance(ofMillis(1_500));
        assertThat(List.of(first, refreshes)).allMatch(CompletableFuture::isDone);
        assertThat(cache.underWay()).as("waits for a thread").isOne();
        CompletableFuture<String> waits = time.spawn(() -> asks.apply("k"));
        long begun = time.nanos();
        time.advance(Duration.ZERO);
        while (!waits.isDone()) {
            time.advance(ofMillis(100));
        }
        return Duration.ofNanos(time.nanos() - begun);
    }

    private static StaleCachePolicy brief() {
        return StaleCachePolicy.of(
                c -> c.fresh(ofSeconds(1)).staleWhileRevalidate(ofSeconds(2)).staleIfError(Duration.ZERO));
    }

    private Pipeline pipeline(String name, StaleCachePolicy cache, Duration timeout) {
        return Pipeline.builder(name)
                .policies(cache, TimeoutPolicy.of(timeout))
                .backgroundExecutor(waiting::add)
                .time(time)
                .build();
    }

    @Test
    void callersWaitAsLongAsTheTimeoutOfTheirOwnPipelineAllows() {
        StaleCachePolicy cache = brief();
        try (Pipeline quick = pipeline("quick", cache, ofSeconds(1));
                Pipeline slow = pipeline("slow", cache, ofSeconds(4))) {
            assertThat(waits(cache, quick)).isZero();
            assertThat(waits(cache, slow)).isEqualTo(ofMillis(2_500));
        }
    }

    @Test
    void timeoutOfAPipelineIsKnownAlsoIfVeryManyShareTheCache() {
        StaleCachePolicy cache = brief();
        TimeoutPolicy ofOthers = TimeoutPolicy.of(ofMillis(500));
        try (Pipeline first = pipeline("first", cache, ofSeconds(1))) {
            for (int i = 0; i < 15_000; i++) {
                cache.beside("other " + i, List.of(cache, ofOthers));
            }
            assertThat(waits(cache, first)).isZero();
        }
    }
}
