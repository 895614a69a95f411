/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.Verdict;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testcalls.Work;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A value that several calls share, or that is kept for others, belongs to none of them: it is never discarded. */
@ThreadKind.Each
class SharedValueTest {
    private static final Duration SHORT = Duration.ofMillis(10);

    private final VirtualTime time = ThreadKind.current().on(new VirtualTime());
    private final List<Object> discarded = new CopyOnWriteArrayList<>();

    @AfterEach
    void close() {
        time.close();
    }

    private Operation<Object> operation(Policy... policies) {
        return Pipeline.builder("inventory")
                .policies(policies)
                .time(time)
                .classifier(
                        (value, error) -> error != null || "failure".equals(value) ? Verdict.FAILURE : Verdict.SUCCESS)
                .build()
                .operation("stock", o -> o.discard(discarded::add));
    }

    private List<CompletableFuture<Object>> ask(Way way, Call<Object> call, int callers, Work work) {
        return Stream.generate(() -> work.start(way, time, call))
                .limit(callers)
                .map(started -> started.result().thenApply(reply -> reply.value()))
                .toList();
    }

    @ParameterizedTest
    @EnumSource
    void failureThatSeveralShareIsDiscardedByNone(Way way) {
        Operation<Object> stock = operation(FallbackPolicy.value("fallback"), StaleCachePolicy.ofDefaults());
        Work work = Work.value("failure").taking(SHORT);
        List<CompletableFuture<Object>> answers = ask(way, stock.key("a"), 5, work);
        time.run();
        assertThat(answers).allSatisfy(answer -> assertThat(answer).isCompletedWithValue("fallback"));
        assertThat(work.asked()).isOne();
        assertThat(discarded).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void failureThatNobodySharesIsDiscardedOnce(Way way) {
        Operation<Object> stock = operation(FallbackPolicy.value("fallback"), StaleCachePolicy.ofDefaults());
        List<CompletableFuture<Object>> answers =
                ask(way, stock.key("a"), 1, Work.value("failure").taking(SHORT));
        time.run();
        assertThat(answers).allSatisfy(answer -> assertThat(answer).isCompletedWithValue("fallback"));
        assertThat(discarded).containsExactly("failure");
    }

    @ParameterizedTest
    @EnumSource
    @Logs("stale-cache-inside-retry")
    void failureThatSeveralShareIsDiscardedByNoRetryOfTheirs(Way way) {
        Operation<Object> stock = operation(
                FallbackPolicy.value("fallback"),
                RetryPolicy.of(r -> r.maxAttempts(2).budgetEnabled(false)),
                StaleCachePolicy.ofDefaults());
        List<CompletableFuture<Object>> answers =
                ask(way, stock.key("a"), 2, Work.value("failure").taking(SHORT));
        time.advance(SHORT);
        assertThat(discarded).isEmpty();
        time.run();
        assertThat(answers).allSatisfy(answer -> assertThat(answer).isCompletedWithValue("fallback"));
    }

    @ParameterizedTest
    @EnumSource
    @Logs("stale-cache-inside-retry")
    void failureOfAnAttemptOfItsOwnIsDiscardedAfterOneThatWasShared(Way way) {
        Operation<Object> stock = operation(
                FallbackPolicy.value("fallback"),
                RetryPolicy.of(r -> r.maxAttempts(2)
                        .initialBackoff(Duration.ofSeconds(1))
                        .jitter(Jitter.NONE)
                        .budgetEnabled(false)),
                StaleCachePolicy.ofDefaults());
        Work work = Work.value("failure").taking(SHORT);
        // It leads, and has no time for another attempt.
        List<CompletableFuture<Object>> leader = ask(way, stock.key("a").deadline(SHORT.multipliedBy(2)), 1, work);
        time.advance(Duration.ZERO);
        List<CompletableFuture<Object>> follower = ask(way, stock.key("a"), 1, work);
        time.run();
        assertThat(leader).allSatisfy(answer -> assertThat(answer).isCompletedWithValue("fallback"));
        assertThat(follower).allSatisfy(answer -> assertThat(answer).isCompletedWithValue("fallback"));
        assertThat(work.asked()).isEqualTo(2);
        assertThat(discarded).containsExactly("failure");
    }

    // ---- what is kept

    /** Turns every success into a failure, so that its value is lost further out than the cache. */
    private static final class Refusing extends Policy {
        Refusing() {
            super("refusing", SUCCESS | ENTER);
        }

        @Override
        public int enter(Passage passage) {
            return PROCEED;
        }

        @Override
        public int settle(Passage passage) {
            return passage.fail(new IllegalStateException("not wanted"));
        }
    }

    @ParameterizedTest
    @EnumSource
    void valueThatIsKeptIsNotDiscardedWhateverBecomesOfACall(Way way) {
        StaleCachePolicy cache = StaleCachePolicy.of(b -> b.fresh(Duration.ofMinutes(1)));
        Operation<Object> stock = operation(new Refusing(), cache);
        for (int i = 0; i < 2; i++) {
            List<CompletableFuture<Object>> answers = ask(way, stock.key("a"), 1, Work.value("kept"));
            time.run();
            assertThat(answers).allSatisfy(answer -> assertThat(answer).isCompletedExceptionally());
        }
        assertThat(cache.size()).isOne();
        assertThat(discarded).isEmpty();
    }

    @Test
    void valueOfACallThatIsGivenUpInTheSameMomentStaysInTheCache() {
        StaleCachePolicy cache = StaleCachePolicy.of(b -> b.fresh(Duration.ofMinutes(1)));
        Operation<Object> stock = operation(new CancelsOnTheWayUp(), cache);
        CompletableFuture<Object> work = new CompletableFuture<>();
        CompletableFuture<Object> answer = stock.key("a").callAsync(attempt -> work);
        CancelsOnTheWayUp.cancelled = answer;
        work.complete("kept");
        assertThat(answer).isCancelled();
        assertThat(cache.size()).isOne();
        assertThat(discarded).isEmpty();
    }

    private static final class CancelsOnTheWayUp extends Policy {
        static CompletableFuture<?> cancelled = new CompletableFuture<>();

        CancelsOnTheWayUp() {
            super("cancels", SUCCESS | ENTER);
        }

        @Override
        public int enter(Passage passage) {
            return PROCEED;
        }

        @Override
        public int settle(Passage passage) {
            cancelled.cancel(true);
            return KEEP;
        }
    }

    // ---- loads in the background

    @ParameterizedTest
    @ValueSource(strings = {"failure", "new"})
    void refreshDiscardsWhatIsNotKept(String value) {
        StaleCachePolicy cache =
                StaleCachePolicy.of(b -> b.fresh(Duration.ofSeconds(1)).staleWhileRevalidate(Duration.ofSeconds(9)));
        Operation<Object> stock = operation(cache);
        Work[] work = {Work.value("old")};
        Function<String, CompletableFuture<Object>> lookup = stock.decorateAsync(key -> work[0].async(time));
        assertThat(lookup.apply("a")).isCompletedWithValue("old");
        time.advance(Duration.ofSeconds(2));
        work[0] = Work.value(value).taking(SHORT);
        assertThat(lookup.apply("a")).isCompletedWithValue("old");
        time.run();
        assertThat(discarded).isEqualTo(value.equals("failure") ? List.of("failure") : List.of());
    }

    @Test
    void valueThatWasReadBeforeItWasForgottenIsDiscardedByTheRefreshThatBringsIt() throws Exception {
        StaleCachePolicy cache =
                StaleCachePolicy.of(b -> b.fresh(Duration.ofSeconds(1)).staleWhileRevalidate(Duration.ofSeconds(9)));
        Operation<Object> stock = operation(cache);
        Work[] work = {Work.value("old")};
        var lookup = stock.decorate((String key) -> work[0].blocking(time));
        CompletableFuture<Object> first = time.spawn(() -> lookup.apply("a"));
        time.advance(Duration.ofSeconds(2));
        assertThat(first).isCompletedWithValue("old");
        work[0] = Work.value("nobody's").taking(SHORT);
        CompletableFuture<Object> stale = time.spawn(() -> lookup.apply("a"));
        time.advance(Duration.ofMillis(5));
        assertThat(stale).isCompletedWithValue("old");
        cache.invalidate("a");
        time.run();
        assertThat(discarded).containsExactly("nobody's");
    }
}
