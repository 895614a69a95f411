/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.retry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Classifier;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.Refusal;
import dev.holdfast.Reply.Source;
import dev.holdfast.Verdict;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.InvalidSettingsException;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import io.github.resilience4j.core.IntervalFunction;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class RetryPolicyTest {
    private final VirtualTime time = new VirtualTime();
    private final List<String> events = new ArrayList<>();
    private final AtomicInteger runs = new AtomicInteger();

    @AfterEach
    void close() {
        time.close();
    }

    private final CallObserver log = new CallObserver() {
        @Override
        public void retryScheduled(String pipeline, @Nullable String operation, int attempts, long waitNanos) {
            events.add("retry in " + waitNanos / 1_000_000 + " ms");
        }

        @Override
        public void retryRefused(String pipeline, @Nullable String operation, int attempts, Refusal why) {
            events.add("refused " + why);
        }

        @Override
        public void rejected(String pipeline, @Nullable String operation, String policy, Reason reason) {
            events.add("rejected " + reason);
        }

        @Override
        public void callSettled(
                String pipeline, @Nullable String operation, Outcome outcome, Source source, int attempts, long nanos) {
            events.add(outcome + " after " + attempts);
        }
    };

    private Pipeline pipeline(Policy... policies) {
        return Pipeline.builder("p").policies(policies).time(time).observer(log).build();
    }

    private static RetryPolicy retry(Consumer<RetrySettings.Builder> more) {
        return RetryPolicy.of(r -> {
            r.initialBackoff(Duration.ofMillis(10)).jitter(Jitter.NONE);
            more.accept(r);
        });
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aFailedCallIsTriedAgainUntilItSucceeds(boolean async) {
        Pipeline p = pipeline(retry(r -> r.maxAttempts(4)));
        CompletableFuture<String> result = async
                ? p.callAsync(() -> runs.incrementAndGet() < 3
                        ? CompletableFuture.failedFuture(new IOException())
                        : CompletableFuture.completedFuture("ok"))
                : time.spawn(() -> p.call(() -> {
                    if (runs.incrementAndGet() < 3) {
                        throw new IOException();
                    }
                    return "ok";
                }));
        time.run();
        assertThat(result).isCompletedWithValue("ok");
        assertThat(events).containsExactly("retry in 10 ms", "retry in 20 ms", "SUCCESS after 3");
    }

    @Test
    void theLastErrorIsTheCallersAsItIs() {
        Pipeline p = pipeline(retry(r -> r.maxAttempts(3)));
        List<IOException> thrown = new ArrayList<>();
        assertThatThrownBy(() -> p.call(() -> {
                    thrown.add(new IOException("no " + runs.incrementAndGet()));
                    throw thrown.get(thrown.size() - 1);
                }))
                .isSameAs(thrown.get(2))
                .hasNoSuppressedExceptions();
        assertThat(events).containsExactly("retry in 10 ms", "retry in 20 ms", "refused EXHAUSTED", "FAILURE after 3");
    }

    @Test
    void aWaitThatDoesNotFitIntoTheDeadlineIsNotBegun() {
        Pipeline p = pipeline(DeadlinePolicy.of(Duration.ofMillis(15)), retry(r -> r.maxAttempts(5)));
        long start = time.nanos();
        assertThatThrownBy(() -> p.call(() -> {
                    throw new IOException("no " + runs.incrementAndGet());
                }))
                .hasMessage("no 2");
        assertThat(time.nanos() - start).isEqualTo(10_000_000);
        assertThat(events).containsExactly("retry in 10 ms", "refused DEADLINE", "FAILURE after 2");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aWaitIsBegunOnlyIfItLeavesTimeForAnAttempt(boolean async) {
        for (int more : new int[] {0, 1}) {
            events.clear();
            runs.set(0);
            Duration limit = Duration.ofMillis(10).plusNanos(more);
            Pipeline p = pipeline(DeadlinePolicy.of(limit), retry(r -> r.maxAttempts(2)));
            long start = time.nanos();
            CompletableFuture<Object> result = async
                    ? p.callAsync(() -> CompletableFuture.failedFuture(new IOException("no " + runs.incrementAndGet())))
                    : time.spawn(() -> p.call(() -> {
                        throw new IOException("no " + runs.incrementAndGet());
                    }));
            time.run();
            assertThat(result).isCompletedExceptionally();
            assertThat(runs).hasValue(1 + more);
            assertThat(time.nanos() - start).isEqualTo(more * 10_000_000L);
            assertThat(events).contains(more == 0 ? "refused DEADLINE" : "retry in 10 ms");
        }
    }

    @Test
    void thePushbacksOwnTimeWinsOverTheBackoff() throws Exception {
        Classifier classifier = (value, error) -> "429".equals(value)
                ? Verdict.pushback(Duration.ofMillis(700))
                : Classifier.DEFAULT.classify(value, error);
        Pipeline p = Pipeline.builder("p")
                .policies(retry(r -> {}))
                .classifier(classifier)
                .observer(log)
                .time(time)
                .build();
        assertThat(p.call(() -> runs.incrementAndGet() == 1 ? "429" : "ok")).isEqualTo("ok");
        assertThat(events).containsExactly("retry in 700 ms", "SUCCESS after 2");
    }

    @Test
    void aFailureThatIsAValueIsDeliveredWhenTheAttemptsAreUsedUp() throws Exception {
        List<Object> discarded = new ArrayList<>();
        Pipeline p = pipeline(retry(r -> r.maxAttempts(3)));
        String last = p.<String>operation(
                        "get",
                        o -> o.classifier((value, error) -> Verdict.FAILURE).discard(discarded::add))
                .unkeyed()
                .call(attempt -> "503 #" + attempt.number());
        assertThat(last).isEqualTo("503 #3");
        assertThat(discarded).containsExactly("503 #1", "503 #2");
    }

    @Test
    void whatWasTurnedAwayLocallyIsNotTriedAgain() {
        Pipeline p = pipeline(retry(r -> {}), new Rejecting(1));
        assertThatThrownBy(() -> p.call(() -> "never"))
                .isInstanceOfSatisfying(
                        CallRejectedException.class, e -> assertThat(e.reason()).isEqualTo(Reason.OTHER));
        assertThat(events).containsExactly("rejected OTHER", "REJECTED after 0");
    }

    @Test
    void rejectionsAreTriedAgainWhereAskedAndCountAsTries() {
        Pipeline p = pipeline(retry(r -> r.retryRejections(true).maxAttempts(3)), new Rejecting(1));
        assertThatThrownBy(() -> p.call(() -> "never")).isInstanceOf(CallRejectedException.class);
        assertThat(events)
                .containsExactly(
                        "rejected OTHER",
                        "retry in 10 ms",
                        "rejected OTHER",
                        "retry in 20 ms",
                        "rejected OTHER",
                        "refused EXHAUSTED",
                        "REJECTED after 0");
    }

    @Test
    void aCallThatIsAlwaysTurnedAwayEndsHoweverManyTriesThereMayBe() {
        Pipeline p = pipeline(
                retry(r -> r.retryRejections(true).maxAttempts(1_000_000_000).initialBackoff(Duration.ZERO)),
                new Rejecting(1));
        assertThatThrownBy(() -> p.call(() -> "never")).isInstanceOf(CallRejectedException.class);
        assertThat(events.stream().filter("rejected OTHER"::equals)).hasSize(32_768);
        assertThat(events).endsWith("refused EXHAUSTED", "REJECTED after 0");
    }

    @Test
    void aRetryThatIsTurnedAwayLeavesTheCallerTheLastRealError() {
        Pipeline p = pipeline(retry(r -> {}), new Rejecting(2));
        IOException real = new IOException("real");
        assertThatThrownBy(() -> p.call(() -> {
                    throw real;
                }))
                .isSameAs(real)
                .hasNoSuppressedExceptions();
        assertThat(events).containsExactly("retry in 10 ms", "rejected OTHER", "FAILURE after 1");
    }

    @Test
    void aRetryThatIsTurnedAwayLeavesTheCallerTheLastRealValueUndiscarded() throws Exception {
        List<Object> discarded = new ArrayList<>();
        Pipeline p = pipeline(retry(r -> {}), new Rejecting(2));
        assertThat(p.<String>operation(
                                "get",
                                o -> o.classifier((value, error) -> Verdict.FAILURE)
                                        .discard(discarded::add))
                        .unkeyed()
                        .call(attempt -> "503"))
                .isEqualTo("503");
        assertThat(discarded).isEmpty();
    }

    @Test
    void anUnknownOutcomeIsTriedAgainOnlyIfIdempotent() {
        Pipeline p = pipeline(retry(r -> {}), TimeoutPolicy.of(Duration.ofMillis(20)));
        assertThatThrownBy(() -> p.operation("pay", o -> o.idempotent(false))
                        .unkeyed()
                        .call(attempt -> {
                            runs.incrementAndGet();
                            time.sleep(Duration.ofSeconds(1));
                            return "x";
                        }))
                .isInstanceOf(CallTimeoutException.class);
        assertThat(runs).hasValue(1);
        assertThat(events).containsExactly("refused NOT_IDEMPOTENT", "TIMEOUT after 1");
    }

    @Test
    void aBrokenConnectionIsUnknownAndOneThatWasNeverMadeIsNot() {
        Pipeline p = pipeline(retry(r -> r.maxAttempts(2)));
        assertThatThrownBy(() -> p.operation("pay", o -> o.idempotent(false))
                        .unkeyed()
                        .call(attempt -> {
                            throw new IOException("reset");
                        }))
                .hasMessage("reset");
        assertThatThrownBy(() -> p.operation("pay", o -> o.idempotent(false))
                        .unkeyed()
                        .call(attempt -> {
                            throw new ConnectException("refused");
                        }))
                .hasMessage("refused");
        assertThat(events)
                .containsExactly(
                        "refused NOT_IDEMPOTENT",
                        "FAILURE after 1",
                        "retry in 10 ms",
                        "refused EXHAUSTED",
                        "FAILURE after 2");
    }

    @Test
    void threeNestedLayersOfFourAttemptsMakeTenCallsAtTheBottom() {
        Pipeline top = pipeline(retry(r -> r.maxAttempts(4)));
        Pipeline middle = pipeline(retry(r -> r.maxAttempts(4)));
        Pipeline bottom = pipeline(retry(r -> r.maxAttempts(4)));
        assertThatThrownBy(() -> top.call(() -> middle.call(() -> bottom.call(() -> {
                    runs.incrementAndGet();
                    throw new IOException();
                }))))
                .isInstanceOf(IOException.class);
        assertThat(runs).hasValue(10);
        assertThat(events).contains("refused NESTED");
    }

    @Test
    void anInnerPipelineRetriesInsideRetriesWhereAsked() {
        Pipeline top = pipeline(retry(r -> r.maxAttempts(3)));
        Pipeline bottom =
                pipeline(retry(r -> r.maxAttempts(3).retryInsideRetries(true).budgetEnabled(false)));
        assertThatThrownBy(() -> top.call(() -> bottom.call(() -> {
                    runs.incrementAndGet();
                    throw new IOException();
                })))
                .isInstanceOf(IOException.class);
        assertThat(runs).hasValue(9);
    }

    @Test
    void fatalErrorsAreNeverTriedAgain() throws Exception {
        // Thread.stop throws it; by its name, since it is to be removed from the JDK.
        Error death = Class.forName("java.lang.ThreadDeath")
                .asSubclass(Error.class)
                .getConstructor()
                .newInstance();
        for (Error fatal : List.of(new OutOfMemoryError("made up"), death)) {
            runs.set(0);
            events.clear();
            Pipeline p = pipeline(retry(r -> {}));
            assertThatThrownBy(() -> p.call(() -> {
                        runs.incrementAndGet();
                        throw fatal;
                    }))
                    .isSameAs(fatal);
            assertThat(runs).hasValue(1);
            assertThat(events).containsExactly("IGNORED after 1");
        }
    }

    @Test
    void manySynchronousRetriesOverflowNoStack() {
        Pipeline p = Pipeline.of(
                "p",
                RetryPolicy.of(r ->
                        r.maxAttempts(200_000).initialBackoff(Duration.ZERO).budgetEnabled(false)));
        Exception failure = new Exception();
        assertThatThrownBy(() -> p.call(() -> {
                    runs.incrementAndGet();
                    throw failure;
                }))
                .isSameAs(failure);
        assertThat(p.callAsync(() -> {
                    runs.incrementAndGet();
                    return CompletableFuture.failedFuture(failure);
                }))
                .isCompletedExceptionally();
        assertThat(runs).hasValue(400_000);
        p.close();
    }

    @Test
    void anIntervalFunctionOfResilience4jSaysTheWaits() {
        Pipeline p = pipeline(RetryPolicy.of(r -> r.interval(IntervalFunction.ofExponentialBackoff(100, 3))));
        assertThatThrownBy(() -> p.call(() -> {
                    throw new IOException();
                }))
                .isInstanceOf(IOException.class);
        assertThat(events).startsWith("retry in 100 ms", "retry in 300 ms");
    }

    @ParameterizedTest
    @EnumSource(Jitter.class)
    void eachWaitStaysWithinItsRange(Jitter jitter) {
        RetrySettings settings = RetrySettings.of(r -> r.jitter(jitter));
        Random random = new Random(42);
        long last = 0;
        for (int attempt = 1; attempt < 12; attempt++) {
            long wait = settings.backoffNanos(attempt, last, random.nextDouble());
            long whole = (long) Math.min(1e9, 50e6 * Math.pow(2, attempt - 1));
            long least = switch (jitter) {
                case FULL -> 0;
                case EQUAL -> whole / 2;
                case DECORRELATED -> 50_000_000;
                case NONE -> whole;
            };
            long most = jitter == Jitter.DECORRELATED ? 1_000_000_000 : whole;
            assertThat(wait).isBetween(least, most);
            last = wait;
        }
    }

    @ParameterizedTest
    @EnumSource(Jitter.class)
    void aRunOnVirtualTimeWaitsAsLongAsTheOneBefore(Jitter jitter) {
        Consumer<RetrySettings.Builder> drawn = r -> r.jitter(jitter);
        assertThat(waits(VirtualTime.seeded(7), drawn)).isEqualTo(waits(VirtualTime.seeded(7), drawn));
        assertThat(waits(new VirtualTime(), drawn)).isEqualTo(waits(new VirtualTime(), drawn));
        if (jitter != Jitter.NONE) {
            assertThat(waits(VirtualTime.seeded(7), drawn)).isNotEqualTo(waits(VirtualTime.seeded(8), drawn));
        }
    }

    @Test
    void aSeedOfItsOwnGivesTheSameWaitsOnAnyTime() {
        Consumer<RetrySettings.Builder> seeded = r -> r.seed(42);
        assertThat(waits(VirtualTime.seeded(7), seeded)).isEqualTo(waits(VirtualTime.seeded(8), seeded));
    }

    private static List<Long> waits(VirtualTime time, Consumer<RetrySettings.Builder> settings) {
        List<Long> waits = new ArrayList<>();
        CallObserver observer = new CallObserver() {
            @Override
            public void retryScheduled(String pipeline, @Nullable String operation, int attempts, long waitNanos) {
                waits.add(waitNanos);
            }
        };
        try (time) {
            Policy retry = RetryPolicy.of(r -> settings.accept(r.maxAttempts(9).budgetEnabled(false)));
            Pipeline p = Pipeline.builder("p")
                    .policies(retry)
                    .time(time)
                    .observer(observer)
                    .build();
            assertThatThrownBy(() -> p.call(() -> {
                        throw new IOException();
                    }))
                    .isInstanceOf(IOException.class);
        }
        assertThat(waits).hasSize(8);
        return waits;
    }

    @Test
    void whatIsAddedToASuggestedWaitComesFromTheIntervalFunctionIfThereIsOne() {
        RetrySettings settings = RetrySettings.of(r -> r.interval(attempts -> attempts * 5L));
        assertThat(settings.stretchedNanos(0, 1, 0.5)).isEqualTo(2_500_000);
        assertThat(settings.stretchedNanos(1_000_000, 2, 0.5)).isEqualTo(6_000_000);
        assertThat(settings.stretchedNanos(1_000_000_000, 2, 0.5)).isEqualTo(1_050_000_000);
        RetrySettings endless = RetrySettings.of(r -> r.interval(attempts -> Long.MAX_VALUE));
        assertThat(endless.stretchedNanos(1_000_000_000, 1, 0.999))
                .isGreaterThan(Duration.ofDays(10_000).toNanos());
    }

    @Test
    void badSettingsAreToldAllAtOnce() {
        assertThatThrownBy(() ->
                        RetrySettings.of(r -> r.maxAttempts(0).multiplier(0.5).maxBackoff(Duration.ofMillis(1))))
                .isInstanceOf(InvalidSettingsException.class)
                .hasMessage(
                        "retry: maxAttempts is 0 but must be 1 to 1,000,000,000; multiplier is 0.5 but must be 1 to 100;"
                                + " maxBackoff is 1ms but must be at least initialBackoff, which is 50ms");
    }

    @Test
    void settingsCanBeChangedFromSettings() {
        RetrySettings changed = RetrySettings.of(r -> r.maxAttempts(7).retryRejections(true)).toBuilder()
                .retryInsideRetries(true)
                .build();
        assertThat(changed.maxAttempts()).isEqualTo(7);
        assertThat(changed.retryRejections()).isTrue();
        assertThat(changed.retryInsideRetries()).isTrue();
    }

    /** Turns every pass away from this one on, counted from 1. */
    private static final class Rejecting extends Policy {
        private final int from;
        private int passes;

        Rejecting(int from) {
            super("gate", ENTER);
            this.from = from;
        }

        @Override
        public int enter(Passage passage) {
            return ++passes >= from ? passage.reject(Reason.OTHER, -1, "not now") : PROCEED;
        }
    }
}
