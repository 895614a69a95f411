/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofMinutes;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.Verdict;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.time.VirtualTime;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A value that a pipeline inside a call keeps or shares is not the call's to discard. */
@ThreadKind.Each
class SharedInsideTest {
    private final VirtualTime time = ThreadKind.current().on(new VirtualTime());
    private final Pipeline inner = pipeline("inner", StaleCachePolicy.of(c -> c.fresh(ofMinutes(5))));
    private final Operation<Object> kept = inner.operation("connection");
    private final List<Object> seen = new ArrayList<>();
    private final List<Object> discarded = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void close() {
        time.close();
    }

    private Pipeline pipeline(String name, Policy... policies) {
        return Pipeline.builder(name).time(time).policies(policies).build();
    }

    /** A call that calls its first value a failure, and takes the second one. */
    private Operation<Object> takesTheSecond() {
        return pipeline("outer", RetryPolicy.ofDefaults())
                .operation(
                        "connection",
                        o -> o.discard(discarded::add).classifier((value, error) -> {
                            seen.add(value);
                            return seen.size() == 1 ? Verdict.FAILURE : Verdict.SUCCESS;
                        }));
    }

    private Object loaded() throws InterruptedException {
        time.sleep(ofMillis(100));
        return new Object();
    }

    private CompletableFuture<Object> loadedAsync() {
        CompletableFuture<Object> loaded = new CompletableFuture<>();
        time.schedule(ofMillis(100).toNanos(), () -> loaded.complete(new Object()));
        return loaded;
    }

    private Object through(boolean async, Operation<Object> outer) {
        CompletableFuture<Object> answer = async
                ? outer.unkeyed().callAsync(attempt -> kept.key("k").callAsync(inside -> loadedAsync()))
                : time.spawn(() -> outer.unkeyed().call(attempt -> kept.key("k").call(inside -> loaded())));
        time.advance(ofMinutes(1));
        return answer.join();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void hedgeThatLosesLeavesItsCachedValueOpen(boolean async) {
        Operation<Object> outer = pipeline("outer", HedgePolicy.of(h -> h.delay(ofMillis(20))))
                .operation("connection", o -> o.discard(discarded::add));
        Object answer = through(async, outer);
        assertThat(discarded).isEmpty();
        assertThat(through(async, outer)).isSameAs(answer);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void retryThatBringsTheSameCachedValueOnceMoreLeavesItOpen(boolean async) {
        Operation<Object> outer = takesTheSecond();
        Object answer = through(async, outer);
        assertThat(seen).hasSize(2).containsOnly(answer);
        assertThat(discarded).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatTheActionMakesOfItIsTheCallsOwn(boolean async) {
        Operation<Object> outer = takesTheSecond();
        CompletableFuture<Object> answer = async
                ? outer.unkeyed()
                        .callAsync(attempt ->
                                kept.key("k").callAsync(inside -> loadedAsync()).thenApply(value -> List.of(value)))
                : time.spawn(() ->
                        outer.unkeyed().call(attempt -> List.of(kept.key("k").call(inside -> loaded()))));
        time.advance(ofMinutes(1));
        assertThat(answer).isCompleted();
        assertThat(discarded).hasSize(1);
        assertThat(discarded.get(0)).isSameAs(seen.get(0));
    }
}
