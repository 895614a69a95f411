/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.retry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.Call;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.CheckedSupplier;
import dev.holdfast.Classifier;
import dev.holdfast.Deadline;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Refusal;
import dev.holdfast.Verdict;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import java.io.IOException;
import java.net.SocketException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Logs("fallback-inside-retry")
class RetryBudgetInPipelineTest {
    private final VirtualTime time = new VirtualTime();
    private final List<Refusal> refused = new ArrayList<>();
    private final List<Long> waits = new ArrayList<>();
    private final AtomicInteger attempts = new AtomicInteger();
    private Classifier classifier = Classifier.DEFAULT;

    @AfterEach
    void close() {
        time.close();
    }

    private final CallObserver log = new CallObserver() {
        @Override
        public void retryRefused(String pipeline, @Nullable String operation, int attempts, Refusal why) {
            refused.add(why);
        }

        @Override
        public void retryScheduled(String pipeline, @Nullable String operation, int attempts, long waitNanos) {
            waits.add(waitNanos / 1_000_000);
        }

        @Override
        public void attemptSettled(
                String pipeline, @Nullable String operation, int attempt, Outcome outcome, long nanos) {
            attempts.incrementAndGet();
        }
    };

    private Pipeline pipeline(Policy... policies) {
        return Pipeline.builder("p")
                .policies(policies)
                .classifier(classifier)
                .time(time)
                .observer(log)
                .build();
    }

    private static RetryPolicy retry(Consumer<RetrySettings.Builder> more) {
        return RetryPolicy.of(r -> {
            r.initialBackoff(Duration.ofMillis(10)).jitter(Jitter.NONE);
            more.accept(r);
        });
    }

    private static double tokens(RetryPolicy policy) {
        return policy.budget().orElseThrow().tokens();
    }

    private void fail(Pipeline p) {
        assertThatThrownBy(() -> p.call(() -> {
                    throw new IOException("down");
                }))
                .hasMessage("down")
                .hasNoSuppressedExceptions();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anOutageDrainsTheBudgetAndThenEachCallHasOneAttempt(boolean async) {
        RetryPolicy retry = retry(r -> r.budget(b -> b.minRetriesPerMinute(0)));
        Pipeline p = pipeline(retry);
        for (int i = 0; i < 100; i++) {
            if (async) {
                assertThat(p.callAsync(() -> CompletableFuture.failedFuture(new IOException("down"))))
                        .satisfies(future -> time.run())
                        .isCompletedExceptionally();
            } else {
                fail(p);
            }
        }
        // 3 attempts, then 2, of which the last leaves exactly half.
        assertThat(attempts).hasValue(103);
        assertThat(refused.subList(0, 2)).containsExactly(Refusal.EXHAUSTED, Refusal.BUDGET);
        assertThat(refused).hasSize(100);
        assertThat(tokens(retry)).isZero();
    }

    @Test
    void theLongestWaitNeedsTokensToo() {
        Pipeline p = pipeline(retry(r -> r.interval(n -> Long.MAX_VALUE).budget(b -> b.maxTokens(1))));
        fail(p);
        assertThat(refused).containsExactly(Refusal.BUDGET);
    }

    @Test
    void theLongestWaitIsMadeIfThereAreTokens() {
        Pipeline p = pipeline(retry(r -> r.interval(n -> Long.MAX_VALUE)));
        CompletableFuture<String> call = p.callAsync(() -> CompletableFuture.failedFuture(new IOException("down")));
        time.advance(Duration.ofDays(365));
        assertThat(call).isNotDone();
        assertThat(attempts).hasValue(1);
        assertThat(refused).isEmpty();
    }

    /** On the system's time a few successes of each thread wait to be counted. */
    @Test
    void onVirtualTimeItDoesNotMatterOfWhichThreadsSuccessesAre() throws Exception {
        RetryPolicy retry = retry(r -> r.budget(b -> b.maxTokens(1)));
        Pipeline p = pipeline(retry);
        for (int i = 0; i < 14; i++) {
            Thread caller = new Thread(() -> p.call(() -> "ok"));
            caller.start();
            caller.join();
        }
        assertThat(retry.budget().orElseThrow().maxTokens()).isEqualTo(1.4);
    }

    /** On the system's time a sample of them is. */
    @Test
    void onVirtualTimeAllAnswersAreMeasured() {
        RetryPolicy retry = retry(r -> {});
        Pipeline p = Pipeline.builder("p").policies(retry).time(time).build();
        CompletableFuture<String> cutShort = time.spawn(() -> {
            for (int millis : new int[] {1, 100, 100, 100}) {
                p.call(() -> slept(Duration.ofMillis(millis)));
            }
            return Deadline.within(time, Duration.ofMillis(50), () -> p.call(() -> slept(Duration.ofMinutes(1))));
        });
        time.run();
        assertThat(cutShort)
                .failsWithin(Duration.ZERO)
                .withThrowableThat()
                .withCauseInstanceOf(CallTimeoutException.class);
        // Not longer than answers take: it says nothing about the dependency.
        assertThat(tokens(retry)).isEqualTo(10);
    }

    private String slept(Duration duration) throws InterruptedException {
        time.sleep(duration);
        return "slept";
    }

    @Test
    void aSuccessWhileTokensAreMissingDrawsFromTheTimeOfItsPipeline() {
        try (VirtualTime untouched = new VirtualTime()) {
            Pipeline p = pipeline(retry(r -> {}));
            fail(p);
            assertThat(p.call(() -> "ok")).isEqualTo("ok");
            for (int drawn = 0; drawn < 3; drawn++) { // for two waits, and for the success
                untouched.random();
            }
            assertThat(time.random()).isEqualTo(untouched.random());
        }
    }

    @Test
    void successesFillItAgain() throws Exception {
        RetryPolicy retry = retry(r -> r.budget(b -> b.tokenRatio(0.5).minRetriesPerMinute(0)));
        Pipeline p = pipeline(retry);
        for (int i = 0; i < 20; i++) {
            fail(p);
        }
        int before = attempts.get();
        fail(p);
        assertThat(attempts).hasValue(before + 1);
        for (int i = 0; i < 15; i++) {
            p.call(() -> "ok");
        }
        assertThat(tokens(retry)).isEqualTo(7.5);
        attempts.set(0);
        fail(p);
        assertThat(attempts).hasValue(3);
    }

    @Test
    void aQuietClientRetriesByTheFloor() throws Exception {
        RetryPolicy retry = retry(r -> r.maxAttempts(2));
        Pipeline p = pipeline(retry);
        for (int i = 0; i < 10; i++) {
            fail(p);
        }
        attempts.set(0);
        for (int minute = 0; minute < 10; minute++) {
            time.advance(Duration.ofMinutes(1));
            p.call(() -> "ok");
            fail(p);
            fail(p);
        }
        assertThat(attempts).hasValue(40);
        assertThat(tokens(retry)).isLessThan(1);
    }

    @Test
    void theFloorIsSilentInAnOutage() throws Exception {
        Pipeline p = pipeline(retry(r -> r.maxAttempts(2)));
        p.call(() -> "ok");
        for (int minute = 0; minute < 60; minute++) {
            time.advance(Duration.ofMinutes(1));
            fail(p);
        }
        // That of the first call, although the budget is full.
        assertThat(attempts).hasValue(1 + 60 + 1);
    }

    // ---- a busy client

    /** A call a millisecond whose first attempts fail between two moments, if only its second one may be good. */
    private int failedOf(int calls, int from, int until, boolean secondIsGood, boolean async) {
        Pipeline p = Pipeline.builder("p")
                .policies(RetryPolicy.of(r -> r.seed(7)))
                .time(time)
                .executor(time.executor())
                .observer(log)
                .build();
        AtomicInteger failed = new AtomicInteger();
        for (int i = 0; i < calls; i++) {
            boolean ill = i >= from && i < until;
            boolean[] first = {true};
            time.schedule(i * 1_000_000L, () -> {
                CheckedSupplier<String, IOException> action = () -> {
                    boolean fails = ill && (first[0] || !secondIsGood);
                    first[0] = false;
                    if (fails) {
                        throw new SocketException("Connection reset");
                    }
                    return "ok";
                };
                CompletableFuture<String> end = async ? p.callAsync(() -> stage(action)) : blocking(p, action);
                var unused = end.whenComplete((ok, error) -> {
                    if (error != null) {
                        failed.incrementAndGet();
                    }
                });
            });
        }
        time.run();
        return failed.get();
    }

    private static CompletableFuture<String> stage(CheckedSupplier<String, IOException> action) {
        try {
            return CompletableFuture.completedFuture(action.get());
        } catch (IOException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private static CompletableFuture<String> blocking(Pipeline p, CheckedSupplier<String, IOException> action) {
        try {
            return CompletableFuture.completedFuture(p.call(action));
        } catch (IOException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aBurstOfResetsOfABusyClientIsHidden(boolean async) {
        assertThat(failedOf(6_000, 5_000, 5_100, true, async)).isZero();
        assertThat(attempts).hasValue(6_100);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anOutageOfABusyClientGetsNoMoreThanAQuarterOfASecondOfRetries(boolean async) {
        assertThat(failedOf(15_000, 5_000, 15_000, false, async)).isEqualTo(10_000);
        assertThat(attempts.get() - 15_000).isBetween(100, 280);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatALimitFromOutsideCutShortCostsNothing(boolean async) throws Exception {
        RetryPolicy retry = retry(r -> {});
        Pipeline p = pipeline(retry);
        p.call(() -> {
            time.sleep(Duration.ofMillis(50));
            return "ok";
        });
        for (int i = 0; i < 20; i++) {
            Call<String> call = p.<String>operation("x").unkeyed().deadline(Duration.ofMillis(3));
            CompletableFuture<String> end = async
                    ? call.callAsync(attempt -> new CompletableFuture<>())
                    : time.spawn(() -> call.call(attempt -> {
                        time.sleep(Duration.ofMillis(50));
                        return "late";
                    }));
            time.run();
            assertThat(end).isCompletedExceptionally();
        }
        assertThat(tokens(retry)).isEqualTo(10);
        // One that clearly outlives what answers take costs what a failure costs.
        Call<String> call = p.<String>operation("x").unkeyed().deadline(Duration.ofMillis(80));
        CompletableFuture<String> end = call.callAsync(attempt -> new CompletableFuture<>());
        time.run();
        assertThat(end).isCompletedExceptionally();
        assertThat(tokens(retry)).isEqualTo(9);
    }

    @Test
    void aRetryThatDoesNotFitIntoTheDeadlineLeavesTheFloorToOthers() {
        RetryBudget budget = RetryBudget.of(b -> b.maxTokens(1));
        Pipeline hurried = pipeline(DeadlinePolicy.of(Duration.ofMillis(5)), retry(r -> r.budget(budget)));
        Pipeline patient = pipeline(retry(r -> r.budget(budget).maxAttempts(2)));
        fail(hurried);
        fail(patient);
        assertThat(refused).containsExactly(Refusal.DEADLINE, Refusal.EXHAUSTED);
    }

    @Test
    void pipelinesThatAreGivenOneBudgetShareIt() {
        RetryBudget shared = RetryBudget.of(b -> b.minRetriesPerMinute(0));
        Pipeline one = pipeline(retry(r -> r.budget(shared)));
        Pipeline other = pipeline(retry(r -> r.budget(shared)));
        fail(one);
        fail(one);
        fail(other);
        assertThat(refused).containsExactly(Refusal.EXHAUSTED, Refusal.BUDGET, Refusal.BUDGET);
    }

    @Test
    void onePolicyInManyPipelinesHasOneBudgetAndTwoOfTheSameSettingsHaveTwo() {
        RetrySettings settings = RetrySettings.of(r -> r.initialBackoff(Duration.ZERO));
        RetryPolicy template = RetryPolicy.of(settings);
        for (int key = 0; key < 5; key++) {
            fail(pipeline(template));
        }
        assertThat(tokens(template)).isLessThan(5);
        assertThat(tokens(RetryPolicy.of(settings))).isEqualTo(10);
    }

    @Test
    void withoutABudgetEachCallHasAllItsAttempts() {
        RetryPolicy free = retry(r -> r.budgetEnabled(false));
        assertThat(free.budget()).isEmpty();
        assertThat(free.hears()).isEqualTo(Policy.FAILURE);
        Pipeline p = pipeline(free);
        for (int i = 0; i < 20; i++) {
            fail(p);
        }
        assertThat(attempts).hasValue(60);
    }

    @Test
    void oneAttemptNeedsNoBudget() {
        assertThat(retry(r -> r.maxAttempts(1)).budget()).isEmpty();
    }

    @Test
    void onlyWhatTheDependencyAnsweredCounts() throws Exception {
        RetryPolicy retry = retry(r -> r.budget(b -> b.tokenRatio(1)));
        Pipeline p = Pipeline.builder("p")
                .policies(retry, FallbackPolicy.value("instead"))
                .time(time)
                .build();
        retry.budget().orElseThrow().failed(time.nanos(), 1);
        Object answer = p.call(() -> {
            throw new IOException("down");
        });
        assertThat(answer).isEqualTo("instead");
        assertThat(tokens(retry)).isEqualTo(9);
        assertThat(p.call(() -> "live")).isEqualTo("live");
        assertThat(tokens(retry)).isEqualTo(10);
    }

    @Test
    void theCallersOwnFaultCostsNothingAndGivesNothing() {
        classifier = (value, error) -> error == null ? Verdict.SUCCESS : Verdict.IGNORED;
        RetryPolicy retry = retry(r -> {});
        Pipeline p = pipeline(retry);
        retry.budget().orElseThrow().failed(time.nanos(), 1);
        fail(p);
        assertThat(tokens(retry)).isEqualTo(9);
    }

    @Test
    void pushbacksCostAlsoWhenNotTriedAgain() {
        classifier = (value, error) -> Verdict.STOP;
        RetryPolicy retry = retry(r -> {});
        fail(pipeline(retry));
        assertThat(tokens(retry)).isEqualTo(9);
        assertThat(refused).containsExactly(Refusal.PUSHBACK);
        assertThat(attempts).hasValue(1);
    }

    @Test
    void aSuggestedWaitIsCapped() {
        classifier = (value, error) -> Verdict.pushback(Duration.ofHours(2));
        fail(pipeline(retry(r -> r.maxAttempts(2))));
        fail(pipeline(retry(r -> r.maxAttempts(2).maxRetryAfter(Duration.ofMinutes(5)))));
        assertThat(waits).containsExactly(30_000L, 300_000L);
    }

    @Test
    void aSuggestedWaitBeyondTheDeadlineFailsAtOnceAndSaysSo() {
        classifier = (value, error) -> Verdict.pushback(Duration.ofSeconds(2));
        long start = time.nanos();
        fail(pipeline(DeadlinePolicy.of(Duration.ofSeconds(1)), retry(r -> {})));
        assertThat(time.nanos()).isEqualTo(start);
        assertThat(refused).containsExactly(Refusal.DEADLINE);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void aSuggestedWaitIsStretchedUpwardAndNeverShortened(long seed) {
        RetrySettings settings = RetrySettings.builder().build();
        Random random = new Random(seed);
        long tenSeconds = 10_000_000_000L;
        long least = Long.MAX_VALUE;
        long most = 0;
        long mostOfNone = 0;
        for (int i = 0; i < 1_000; i++) {
            long wait = settings.stretchedNanos(tenSeconds, 1, random.nextDouble());
            least = Math.min(least, wait);
            most = Math.max(most, wait);
            // Told to come back at once, callers are spread as by the backoff.
            mostOfNone = Math.max(mostOfNone, settings.stretchedNanos(0, 2, random.nextDouble()));
        }
        assertThat(least).as("seed %s", seed).isBetween(tenSeconds, tenSeconds + 20_000_000);
        assertThat(most).as("seed %s", seed).isBetween(tenSeconds + 980_000_000, tenSeconds + 1_000_000_000);
        assertThat(mostOfNone).as("seed %s", seed).isBetween(98_000_000L, 100_000_000L);
    }

    @Test
    void itsFullNumberIsAGaugeThatGrowsWithTheTraffic() {
        Pipeline p = pipeline(retry(r -> {}));
        assertThat(p.snapshot().numbers()).containsEntry("retry.budget.max.tokens", 10.0);
        for (int second = 0; second < 10; second++) {
            for (int call = 0; call < 100; call++) {
                p.run(() -> {});
            }
            time.advance(Duration.ofSeconds(1));
        }
        fail(p);
        assertThat(Objects.requireNonNull(p.snapshot().get("retry.budget.max.tokens"))
                        .doubleValue())
                .as("a tenth of the successes of five seconds")
                .isCloseTo(50, within(10.0));
    }

    @Test
    void itsTokensAreAGauge() {
        Pipeline p = pipeline(retry(r -> {}));
        assertThat(p.snapshot().numbers()).containsEntry("retry.budget.tokens", 10.0);
        fail(p);
        assertThat(p.snapshot().numbers()).containsEntry("retry.budget.tokens", 7.0);
    }
}
