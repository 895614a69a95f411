/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.holdfast.Call;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.Reply;
import dev.holdfast.Reply.Source;
import dev.holdfast.Verdict;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.time.VirtualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A cache keeps nothing for new that a pipeline inside its call had from memory or made up. */
@ThreadKind.Each
class OldAnswerInsideTest {
    private final VirtualTime time = ThreadKind.current().on(new VirtualTime());
    private boolean ill;

    @AfterEach
    void close() {
        time.close();
    }

    private Pipeline pipeline(String name, Policy... policies) {
        return Pipeline.builder(name).time(time).policies(policies).build();
    }

    private Pipeline cached(String name) {
        return pipeline(name, StaleCachePolicy.of(c -> c.fresh(ofSeconds(5)).staleIfError(ofMinutes(10))));
    }

    private String ask() throws IOException {
        if (ill) {
            throw new IOException("ill");
        }
        return "value";
    }

    private CompletionStage<String> askAsync() {
        return ill
                ? CompletableFuture.failedFuture(new IOException("ill"))
                : CompletableFuture.completedFuture("value");
    }

    private Reply<String> through(boolean async, Pipeline outer, Pipeline inner) throws Exception {
        var outside = outer.<String>operation("stock").key("k");
        var inside = inner.<String>operation("stock").key("k");
        CompletableFuture<Reply<String>> reply = async
                ? outside.replyAsync(attempt -> inside.callAsync(further -> askAsync()))
                : time.spawn(() -> outside.reply(attempt -> inside.call(further -> ask())));
        time.advance(Duration.ZERO);
        return reply.join();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void staleAnswerOfACacheInsideIsNotKeptForTenMinutesMore(boolean async) throws Exception {
        Pipeline outer = cached("outer");
        Pipeline inner = cached("inner");
        assertThat(through(async, outer, inner).value()).isEqualTo("value");
        ill = true;
        time.advance(ofMinutes(9));
        assertThat(through(async, outer, inner).value()).isEqualTo("value");
        // The value is older than either of them allows; what was kept at minute 9 would be younger.
        time.advance(ofMinutes(2));
        assertThat(catchThrowable(() -> through(async, outer, inner))).hasRootCauseMessage("ill");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatAFallbackInsideMadeUpIsNotKept(boolean async) throws Exception {
        Pipeline outer = cached("outer");
        Pipeline inner = pipeline("inner", FallbackPolicy.of(error -> "made up"));
        ill = true;
        assertThat(through(async, outer, inner).value()).isEqualTo("made up");
        ill = false;
        Reply<String> live = through(async, outer, inner);
        assertThat(live.value()).isEqualTo("value");
        ill = true;
        Reply<String> fresh = through(async, outer, inner);
        assertThat(fresh.value()).isEqualTo("value");
        assertThat(fresh.source()).isEqualTo(Source.FRESH);
    }

    /** Three keys of the outer cache meet in one load of the middle one. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void nobodyKeepsWhatAnotherCallsLoadHadMadeUp(boolean async) {
        Pipeline outer = cached("outer");
        Pipeline middle = pipeline("middle", StaleCachePolicy.ofDefaults());
        Pipeline inner = pipeline("inner", FallbackPolicy.of(error -> "made up"));
        CompletableFuture<String> load = new CompletableFuture<>();
        var shared = middle.<String>operation("stock").key("k");
        Operation<String> stock = outer.operation("stock");
        List<CompletableFuture<String>> calls = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            Call<String> call = stock.key("k" + i);
            calls.add(
                    async
                            ? call.callAsync(attempt -> shared.callAsync(again -> inner.callAsync(() -> load)))
                            : time.spawn(() ->
                                    call.call(attempt -> shared.call(again -> inner.call(() -> failed(load))))));
        }
        time.advance(Duration.ZERO);
        load.completeExceptionally(new IOException("ill"));
        time.advance(ofMillis(5));
        for (int i = 0; i < 3; i++) {
            assertThat(calls.get(i).join()).isEqualTo("made up");
            assertThat(stock.key("k" + i).call(attempt -> "value")).isEqualTo("value");
        }
    }

    private String failed(CompletableFuture<String> load) throws IOException, InterruptedException {
        time.sleep(ofMillis(1));
        throw new IOException("ill, as " + load);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatAClassifierAsksIsNoPartOfTheValue(boolean async) throws Exception {
        Pipeline flags = pipeline("flags", FallbackPolicy.of(error -> "off"));
        StaleCachePolicy cache = StaleCachePolicy.of(c -> c.fresh(ofSeconds(5)));
        Pipeline outer = Pipeline.builder("outer")
                .time(time)
                .policies(cache)
                .classifier((value, error) -> {
                    flags.call(() -> {
                        throw new IllegalStateException("no flags");
                    });
                    return error == null ? Verdict.SUCCESS : Verdict.FAILURE;
                })
                .build();
        through(async, outer, pipeline("inner"));
        assertThat(cache.size()).isOne();
    }
}
