/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CheckedFunction;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A decorated function whose partition is read from the thread. */
@Logs("a decorated function of 'p' was not run")
class AskerTest {
    private static final ThreadLocal<String> USER = new ThreadLocal<>();

    private final VirtualTime time = new VirtualTime();
    private final Pipeline pipeline = Pipeline.builder("p")
            .policies(RetryPolicy.of(r -> r.initialBackoff(Duration.ofSeconds(1))
                    .maxAttempts(2)
                    .jitter(Jitter.NONE)
                    .budgetEnabled(false)))
            .time(time)
            .executor(task -> new Thread(task).start())
            .build();
    private final AtomicInteger run = new AtomicInteger();
    private final Function<String, CompletableFuture<String>> orders = pipeline.<String>operation("orders")
            .decorateAsync(
                    key -> {
                        run.incrementAndGet();
                        return CompletableFuture.failedFuture(new IOException("ill"));
                    },
                    () -> USER.get() == null ? "nobody" : USER.get());

    @AfterEach
    void close() {
        USER.remove();
        pipeline.close();
        time.close();
    }

    /** Its second attempt is on another thread. */
    private Throwable errorOfACall() {
        CompletableFuture<String> answer = orders.apply("o-1");
        time.advance(Duration.ofSeconds(1));
        return catchThrowable(answer::join);
    }

    @Test
    void callEndsAsItsFirstAttemptDidIfTheSecondWouldAskForSomebodyElse() {
        USER.set("alice");
        assertThat(errorOfACall())
                .isInstanceOf(CompletionException.class)
                .cause()
                .isInstanceOf(IOException.class)
                .hasMessage("ill");
        assertThat(run).hasValue(1);
    }

    @Test
    void callOfNobodyInParticularIsRetriedOnAnyThread() {
        assertThat(errorOfACall()).hasRootCauseMessage("ill");
        assertThat(run).hasValue(2);
    }

    /** Equal to nothing, and says so loudly. */
    private static final class Broken {
        @Override
        public boolean equals(Object other) {
            throw new IllegalStateException("equals");
        }

        @Override
        public int hashCode() {
            return 1;
        }
    }

    @Test
    void partitionWhoseEqualsThrowsIsARejectionAndNobodysFailure() {
        List<Outcome> heard = new ArrayList<>();
        try (Pipeline ear = Pipeline.of("p", new Policy("ear", Policy.FAILURE) {
            @Override
            public int settle(Passage passage) {
                heard.add(passage.outcome());
                return KEEP;
            }
        })) {
            CheckedFunction<String, String, RuntimeException> function =
                    ear.<String>operation("orders").decorate(key -> "orders of " + key, Broken::new);
            assertThat(catchThrowable(() -> function.apply("o-1"))).isInstanceOf(CallRejectedException.class);
        }
        assertThat(heard).containsExactly(Outcome.REJECTED);
    }
}
