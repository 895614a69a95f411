/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CheckedFunction;
import dev.holdfast.Knobs;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Reply.Source;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a layer hears of attempts inside it, and a background call that begins on the way up. */
@Logs("attempt(Starts|Ends) of listener in '.*' threw; told once")
class AttemptsHeardTest {
    private final VirtualTime time = new VirtualTime();
    private final List<String> heard = new CopyOnWriteArrayList<>();
    private final AtomicInteger runs = new AtomicInteger();

    @AfterEach
    void close() {
        time.close();
    }

    private final class Listener extends Policy {
        private final boolean throwing;

        Listener(boolean throwing) {
            super("listener", ATTEMPTS);
            this.throwing = throwing;
        }

        @Override
        public void attemptStarts(Passage passage) {
            heard.add("start " + passage.attempts() + " " + passage.limitedBy() + " "
                    + Duration.ofNanos(passage.remaining()).toMillis());
            if (throwing) {
                throw new IllegalStateException("listener");
            }
        }

        @Override
        public void attemptEnds(Passage passage) {
            heard.add("end " + passage.attempts());
        }
    }

    private Pipeline pipeline(Policy... policies) {
        return Pipeline.builder("p").policies(policies).time(time).build();
    }

    private static RetryPolicy twoAttempts() {
        return RetryPolicy.of(
                r -> r.maxAttempts(2).initialBackoff(Duration.ofMillis(1)).budgetEnabled(false));
    }

    @Test
    void eachAttemptIsHeardWithTheLimitThatItHas() {
        Pipeline pipeline = pipeline(new Listener(false), twoAttempts(), TimeoutPolicy.of(Duration.ofMillis(20)));
        CompletableFuture<Object> blocking = time.spawn(() -> pipeline.call(() -> {
            throw new IOException("ill");
        }));
        time.run();
        assertThat(blocking).isCompletedExceptionally();
        assertThat(heard).containsExactly("start 1 timeout 20", "end 1", "start 2 timeout 20", "end 2");
        heard.clear();
        CompletableFuture<Object> later = pipeline.callAsync(CompletableFuture::new);
        time.run();
        assertThat(later).isCompletedExceptionally();
        assertThat(heard).containsExactly("start 1 timeout 20", "end 1", "start 2 timeout 20", "end 2");
    }

    @Test
    void limitOfTheCallIsTheCalls() {
        pipeline(new Listener(false))
                .operation("o")
                .unkeyed()
                .deadline(Duration.ofMillis(5))
                .call(attempt -> "x");
        assertThat(heard).containsExactly("start 1 call 5", "end 1");
    }

    @Test
    void listenerThatThrowsBreaksNoCall() {
        assertThat(pipeline(new Listener(true)).<String, RuntimeException>call(() -> "x"))
                .isEqualTo("x");
        assertThat(heard).hasSize(2);
    }

    /** Answers a failure itself, and has the action run once more for nobody. */
    private static final class Again extends Policy {
        Again() {
            super("again", SUCCESS | FAILURE);
        }

        @Override
        public int settle(Passage passage) {
            if (passage.object() != null) {
                return KEEP;
            }
            passage.beside().fork("in the background", Long.MAX_VALUE);
            return passage.outcome() == Outcome.SUCCESS ? KEEP : passage.answer("stand-in", Source.FALLBACK, 0);
        }
    }

    @Test
    void layerStartsABackgroundCallOnItsWayUp() {
        Pipeline pipeline = Knobs.straightAfter(Pipeline.builder("p"), 0)
                .policies(new Again())
                .time(time)
                .build();
        CheckedFunction<String, Object, IOException> lookup = pipeline.operation("o")
                .decorate(key -> {
                    if (runs.incrementAndGet() == 1) {
                        throw new IOException("ill");
                    }
                    return "well";
                });
        CompletableFuture<Object> first = time.spawn(() -> lookup.apply("a"));
        time.run();
        assertThat(first).isCompletedWithValue("stand-in");
        assertThat(runs).hasValue(2);
        CompletableFuture<Object> second = time.spawn(() -> lookup.apply("a"));
        time.run();
        assertThat(second).isCompletedWithValue("well");
        assertThat(runs).hasValue(4);
        Function<String, CompletableFuture<Object>> later = pipeline.operation("o")
                .decorateAsync(key -> {
                    runs.incrementAndGet();
                    return CompletableFuture.completedFuture("later");
                });
        assertThat(later.apply("a")).isCompletedWithValue("later");
        time.run();
        assertThat(runs).hasValue(6);
    }
}
