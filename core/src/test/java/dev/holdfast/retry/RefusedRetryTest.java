/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.retry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Attempt;
import dev.holdfast.Call;
import dev.holdfast.CheckedSupplier;
import dev.holdfast.Classifier;
import dev.holdfast.Pipeline;
import dev.holdfast.Refusal;
import dev.holdfast.Reply;
import dev.holdfast.Reply.Source;
import dev.holdfast.Verdict;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.headers.CallHeaders;
import dev.holdfast.micrometer.MicrometerObserver;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/** Why there was no further attempt: the observer, the metrics and the history say the same. */
@Logs("deadline-not-outermost")
class RefusedRetryTest {
    private static final Duration BACKOFF = Duration.ofMillis(10);

    private final VirtualTime time = new VirtualTime();
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final List<Refusal> told = new ArrayList<>();
    private final List<Throwable> errors = new ArrayList<>();
    private final IOException down = new IOException("down");

    @AfterEach
    void close() {
        time.close();
    }

    private final CallObserver observer = new CallObserver() {
        @Override
        public void retryRefused(String pipeline, @Nullable String operation, int attempts, Refusal why) {
            told.add(why);
        }
    };

    /** Kept, since a meter holds what it counts weakly. */
    private @Nullable Pipeline pipeline;

    /** Where the dependency is down and the retry is refused for this reason alone. */
    private Call<String> refusedFor(Refusal why) {
        Classifier classifier = why == Refusal.PUSHBACK ? (value, error) -> Verdict.STOP : Classifier.DEFAULT;
        pipeline = Pipeline.builder("p")
                .policies(
                        FallbackPolicy.of(error -> {
                            errors.add(error);
                            return "instead";
                        }),
                        DeadlinePolicy.of(why == Refusal.DEADLINE ? BACKOFF : BACKOFF.multipliedBy(100)),
                        RetryPolicy.of(retry(why)),
                        new Holding(why == Refusal.HELD ? Duration.ofHours(1) : Duration.ZERO))
                .classifier(classifier)
                .time(time)
                .observer(observer)
                .observer(new MicrometerObserver(meters))
                .build();
        Call<String> call = pipeline.<String>operation("x").unkeyed().idempotent(why != Refusal.NOT_IDEMPOTENT);
        return why == Refusal.SENT_ONCE ? call.sentOnce() : call;
    }

    /** Says, as a breaker that has opened, how long no attempt makes sense. */
    private static final class Holding extends Policy {
        private final Duration hold;

        Holding(Duration hold) {
            super("holding", FAILURE);
            this.hold = hold;
        }

        @Override
        public int settle(Passage passage) {
            passage.holdRetry(hold.toNanos());
            return KEEP;
        }
    }

    private static Consumer<RetrySettings.Builder> retry(Refusal why) {
        // Half of one token is no token.
        return r -> r.maxAttempts(why == Refusal.EXHAUSTED ? 2 : 3)
                .initialBackoff(BACKOFF)
                .jitter(Jitter.NONE)
                .budget(b -> b.maxTokens(why == Refusal.BUDGET ? 1 : 10).minRetriesPerMinute(0));
    }

    /** As part of the second attempt of whoever called this service, if that is the reason. */
    private <T> T received(Refusal why, CheckedSupplier<T, IOException> request) throws IOException {
        String attempt = why == Refusal.NESTED ? "2" : "1";
        return CallHeaders.of(h -> h.time(time).attempt("attempt"))
                .receive(name -> name.equals("attempt") ? attempt : null, request);
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "REJECTED")
    void blockingCallsReasonIsToldEverywhere(Refusal why) throws IOException {
        Reply<String> reply = received(
                why,
                () -> refusedFor(why).reply(attempt -> {
                    throw down;
                }));
        assertToldEverywhere(why, reply);
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "REJECTED")
    void asynchronousCallsReasonIsToldEverywhere(Refusal why) throws IOException {
        CompletableFuture<Reply<String>> reply =
                received(why, () -> refusedFor(why).replyAsync(attempt -> CompletableFuture.failedFuture(down)));
        time.run();
        assertToldEverywhere(why, reply.join());
    }

    private void assertToldEverywhere(Refusal why, Reply<String> reply) {
        assertThat(reply.source()).isEqualTo(Source.FALLBACK);
        assertThat(told).containsExactly(why);
        assertThat(reply.history()).hasSize(why == Refusal.EXHAUSTED ? 2 : 1);
        assertThat(reply.history().stream().map(Attempt.End::refusal).flatMap(Optional::stream))
                .containsExactly(why);
        EnumSet<Refusal> counted = EnumSet.allOf(Refusal.class);
        counted.removeIf(reason -> count(reason) == 0);
        assertThat(counted).containsExactly(why);
        assertThat(count(why)).isEqualTo(1);
        assertThat(errors).containsExactly(down);
        assertThat(down).hasNoCause().hasNoSuppressedExceptions();
    }

    private double count(Refusal why) {
        FunctionCounter counter = meters.find("holdfast.retries")
                .tag("result", "refused")
                .tag("reason", why.name().toLowerCase(Locale.ROOT))
                .functionCounter();
        return counter == null ? 0 : counter.count();
    }
}
