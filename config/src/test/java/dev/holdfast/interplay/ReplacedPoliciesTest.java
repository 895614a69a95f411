/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.interplay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.Reply;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.bulkhead.BulkheadSettings.LimitAlgorithm;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy.State;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.retry.RetryBudget;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.throttling.ThrottlePolicy;
import dev.holdfast.time.VirtualTime;
import io.github.resilience4j.bulkhead.Bulkhead;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a policy takes over from the one that it replaces, in a pipeline that is in use: the table of docs/reload.md. */
@Logs("begins anew")
class ReplacedPoliciesTest {
    private final VirtualTime time = new VirtualTime();

    @AfterEach
    void close() {
        time.close();
    }

    private Pipeline pipeline(Policy... policies) {
        return Pipeline.builder("inventory").policies(policies).time(time).build();
    }

    private static List<CompletableFuture<String>> hanging(Pipeline pipeline, int calls) {
        List<CompletableFuture<String>> answers = new ArrayList<>();
        for (int i = 0; i < calls; i++) {
            CompletableFuture<String> answer = new CompletableFuture<>();
            answers.add(answer);
            CompletableFuture<String> unused = pipeline.callAsync(() -> answer);
        }
        return answers;
    }

    private Pipeline pipeline(String name, List<String> changes, Policy... policies) {
        CallObserver observer = new CallObserver() {
            @Override
            public void stateChanged(String pipeline, String policy, String from, String to, String cause) {
                changes.add(pipeline + ": " + from + " > " + to);
            }
        };
        return Pipeline.builder(name)
                .policies(policies)
                .observer(observer)
                .time(time)
                .build();
    }

    private static CircuitBreakerPolicy breakerOfFive() {
        return CircuitBreakerPolicy.of(c -> c.minimumNumberOfCalls(5));
    }

    private static void fail(List<CompletableFuture<String>> calls) {
        calls.forEach(answer -> answer.completeExceptionally(new IOException("down")));
    }

    /** Its calls end in the breaker in which they began, and may open it. */
    @Test
    void aBreakerThatWasReplacedTellsNoChangesAsThePipelines() {
        List<String> changes = new ArrayList<>();
        CircuitBreakerPolicy first = breakerOfFive();
        CircuitBreakerPolicy second = breakerOfFive();
        try (Pipeline inventory = pipeline("inventory", changes, first)) {
            List<CompletableFuture<String>> underWay = hanging(inventory, 10);
            inventory.replace(second);
            fail(underWay);
            time.run();
            assertThat(inventory.<String, RuntimeException>call(() -> "well")).isEqualTo("well");

            assertThat(first.state()).isEqualTo(State.OPEN);
            assertThat(second.state()).isEqualTo(State.CLOSED);
            assertThat(changes).isEmpty();
            second.asResilience4j().transitionToForcedOpenState();
            assertThatThrownBy(() -> inventory.call(() -> "well")).isInstanceOf(CallRejectedException.class);
            assertThat(changes).containsExactly("inventory: closed > forced_open");
        }
    }

    @Test
    void aBreakerThatOnePipelineHasReplacedTellsTheOther() {
        List<String> changes = new ArrayList<>();
        CircuitBreakerPolicy shared = breakerOfFive();
        try (Pipeline inventory = pipeline("inventory", changes, shared);
                Pipeline payments = pipeline("payments", changes, shared)) {
            List<CompletableFuture<String>> underWay = hanging(inventory, 10);
            inventory.replace(breakerOfFive());
            fail(underWay);
            time.run();

            assertThat(changes).isEmpty();
            assertThatThrownBy(() -> payments.call(() -> "well")).isInstanceOf(CallRejectedException.class);
            assertThat(changes).containsExactly("payments: closed > open");
        }
    }

    private static BulkheadPolicy bulkhead(int calls) {
        return BulkheadPolicy.of(
                b -> b.maxConcurrentCalls(calls).maxWaitingCalls(10).maxWait(Duration.ofSeconds(10)));
    }

    /** An option that is new needs a decision: what a policy that has another value of it takes over. */
    @Test
    void theTableSaysOfEachOptionWhatIsKept() throws IOException {
        List<String> rows =
                Files.readAllLines(Path.of(System.getProperty("basedir", ".")).resolve("../docs/reload.md")).stream()
                        .filter(line -> line.startsWith("| `"))
                        .toList();
        List<String> missing = new ArrayList<>();
        for (PolicyFactory<?> factory : ServiceLoader.load(PolicyFactory.class)) {
            List<String> options = rows.stream()
                    .map(row -> row.split(" \\| "))
                    .filter(row -> row[0].contains("`" + factory.key() + "`"))
                    .map(row -> row[1])
                    .toList();
            factory.options().stream()
                    .map(PolicyFactory.Option::name)
                    .filter(name -> options.stream()
                            .noneMatch(some -> some.startsWith("any") || some.contains("`" + name + "`")))
                    .forEach(name -> missing.add(factory.key() + "." + name));
        }
        assertThat(missing).isEmpty();
    }

    private static CircuitBreakerPolicy breaker(State first, int window) {
        return CircuitBreakerPolicy.of(b -> b.initialState(first).slidingWindowSize(window));
    }

    @Test
    void aBreakerWithAnotherFirstStateIsPutIntoItAndThePipelineIsTold() {
        Pipeline pipeline = pipeline(breaker(State.CLOSED, 50));
        for (State first : List.of(State.FORCED_OPEN, State.METRICS_ONLY, State.OPEN, State.DISABLED, State.CLOSED)) {
            CircuitBreakerPolicy next = breaker(first, 50);
            pipeline.replace(next);
            assertThat(next.state()).isEqualTo(first);
            Throwable thrown = catchThrowable(() -> pipeline.run(() -> {}));
            boolean rejects = first == State.FORCED_OPEN || first == State.OPEN;
            assertThat(thrown instanceof CallRejectedException).isEqualTo(rejects);
            assertThat(pipeline.snapshot().changes())
                    .last()
                    .satisfies(change -> assertThat(change.cause()).isEqualTo("by the option initial-state"));
        }
        assertThat(pipeline.snapshot().changes()).hasSize(5);
    }

    @Test
    void withTheSameFirstStateItStaysInTheOneToWhichItWasPutByHand() {
        CircuitBreakerPolicy before = breaker(State.DISABLED, 50);
        Pipeline pipeline = pipeline(before);
        before.asResilience4j().transitionToForcedOpenState();
        CircuitBreakerPolicy next = breaker(State.DISABLED, 60);
        pipeline.replace(next);
        assertThat(next.state()).isEqualTo(State.FORCED_OPEN);

        pipeline.replace(breaker(State.CLOSED, 60));
        assertThat(pipeline.policy(CircuitBreakerPolicy.class).state()).isEqualTo(State.CLOSED);
    }

    @Test
    void aBulkheadThatGrowsServesThoseThatWaitAndOneThatShrinksWaitsForThoseInside() {
        BulkheadPolicy two = bulkhead(2);
        Pipeline pipeline = pipeline(two);
        Bulkhead view = two.asResilience4j();
        List<CompletableFuture<String>> answers = hanging(pipeline, 5);
        assertThat(two.inFlight()).isEqualTo(2);
        assertThat(two.waiting()).isEqualTo(3);

        BulkheadPolicy four = bulkhead(4);
        pipeline.replace(four);
        time.advance(Duration.ofMillis(1));
        assertThat(four.inFlight()).isEqualTo(4);
        assertThat(four.waiting()).isEqualTo(1);
        assertThat(view.getMetrics().getMaxAllowedConcurrentCalls()).isEqualTo(4);

        BulkheadPolicy one = bulkhead(1);
        pipeline.replace(one);
        answers.forEach(answer -> answer.complete("done"));
        time.run();
        assertThat(one.inFlight()).isZero();
        assertThat(one.limit()).isEqualTo(1);
        assertThat(two.inFlight()).isZero();
        assertThat(view.getMetrics().getAvailableConcurrentCalls()).isEqualTo(1);
    }

    @Test
    void aBulkheadWhoseLimitBeginsToAdaptBeginsAnew() {
        BulkheadPolicy fixed = bulkhead(2);
        Pipeline pipeline = pipeline(fixed);
        List<CompletableFuture<String>> answers = hanging(pipeline, 2);
        BulkheadPolicy adaptive = BulkheadPolicy.of(b -> b.limit(LimitAlgorithm.AIMD));
        pipeline.replace(adaptive);
        assertThat(adaptive.inFlight()).isZero();
        answers.forEach(answer -> answer.complete("done"));
        time.run();
        assertThat(fixed.inFlight()).isZero();
    }

    @ParameterizedTest
    @CsvSource({"10, 200, 50, 200", "50, 100, 150, 200", "50, 200, 120, 200", "100, 200, 50, 60", "100, 200, 60, 60"})
    void aFirstLimitThatNothingHasChangedIsTheNewOneAtOnce(int before, int mostBefore, int first, int most) {
        Pipeline pipeline =
                pipeline(BulkheadPolicy.of(b -> b.initialConcurrentCalls(before).maxConcurrentCalls(mostBefore)));
        assertThat(pipeline.call(() -> "well")).isEqualTo("well");
        BulkheadPolicy later = BulkheadPolicy.of(
                b -> b.initialConcurrentCalls(first).maxConcurrentCalls(most).maxWait(Duration.ZERO));
        pipeline.replace(later);
        assertThat(later.limit()).isEqualTo(first);
        List<CompletableFuture<String>> answers = hanging(pipeline, first);
        assertThat(later.inFlight()).isEqualTo(first);
        answers.forEach(answer -> answer.complete("done"));
        time.run();
        assertThat(later.inFlight()).isZero();
    }

    @Test
    void aBreakerKeepsItsStateAndForHowLongItIsOpen() {
        CircuitBreakerPolicy breaker = CircuitBreakerPolicy.of(c -> c.slidingWindowSize(4)
                .minimumNumberOfCalls(4)
                .waitDurationInOpenState(Duration.ofSeconds(10))
                .maxWaitDurationInOpenState(Duration.ofSeconds(10)));
        Pipeline pipeline = pipeline(breaker);
        for (int i = 0; i < 4; i++) {
            assertThat(catchThrowable(() -> pipeline.call(() -> {
                        throw new IllegalStateException("ill");
                    })))
                    .isInstanceOf(IllegalStateException.class);
        }
        assertThat(breaker.state()).isEqualTo(State.OPEN);
        time.advance(Duration.ofSeconds(4));
        CircuitBreakerPolicy other = CircuitBreakerPolicy.of(c -> c.slidingWindowSize(8));
        pipeline.replace(other);
        assertThat(other.state()).isEqualTo(State.OPEN);
        time.advance(Duration.ofMillis(5_990));
        assertThat(other.state()).isEqualTo(State.OPEN);
        time.advance(Duration.ofMillis(20));
        pipeline.call(() -> "well");
        assertThat(other.state()).isEqualTo(State.CLOSED);
    }

    @Test
    void aBreakerThatIsHalfOpenStaysSo() {
        CircuitBreakerPolicy breaker = CircuitBreakerPolicy.of(
                c -> c.slidingWindowSize(4).minimumNumberOfCalls(4).waitDurationInOpenState(Duration.ofSeconds(1)));
        Pipeline pipeline = pipeline(breaker);
        breaker.asResilience4j().transitionToOpenState();
        time.advance(Duration.ofMillis(1_001));
        List<CompletableFuture<String>> probe = hanging(pipeline, 1);
        assertThat(breaker.state()).isEqualTo(State.HALF_OPEN);
        CircuitBreakerPolicy other = CircuitBreakerPolicy.of(c -> c.slidingWindowSize(8));
        pipeline.replace(other);
        assertThat(other.state()).isEqualTo(State.HALF_OPEN);
        int admitted = 0;
        for (int i = 0; i < 20; i++) {
            Throwable thrown = catchThrowable(() -> pipeline.call(() -> {
                throw new IllegalStateException("still ill");
            }));
            admitted += thrown instanceof IllegalStateException ? 1 : 0;
        }
        assertThat(admitted).isBetween(1, 5);
        assertThat(other.state()).isEqualTo(State.OPEN);
        probe.forEach(answer -> answer.complete("late"));
        assertThat(other.state()).isEqualTo(State.OPEN);
    }

    @Test
    void whatTwoPipelinesSharedGoesOverToNeither() {
        BulkheadPolicy shared = bulkhead(4);
        Pipeline a = pipeline(shared);
        Pipeline b = pipeline(shared);
        BulkheadPolicy ofA = bulkhead(2);
        a.replace(ofA);
        assertThat(shared.limit()).isEqualTo(4);
        BulkheadPolicy ofB = bulkhead(6);
        b.replace(ofB);
        hanging(a, 8);
        assertThat(ofA.inFlight()).isEqualTo(2);
        assertThat(ofB.inFlight()).isZero();
        assertThat(ofB.limit()).isEqualTo(6);
        assertThat(shared.limit()).isEqualTo(4);
    }

    @Test
    void aPolicyThatComesBackHasItsOwnSettingsAgain() {
        BulkheadPolicy four = bulkhead(4);
        Pipeline pipeline = pipeline(four);
        pipeline.replace(bulkhead(2));
        hanging(pipeline, 1);
        pipeline.replace(four);
        assertThat(four.limit()).isEqualTo(4);
        assertThat(four.inFlight()).isEqualTo(1);
    }

    @Test
    void aThrottleLetsNoSecondBurstThrough() {
        Pipeline pipeline = pipeline(ThrottlePolicy.of(t -> t.limit(10).burst(4)));
        for (int i = 0; i < 3; i++) {
            pipeline.call(() -> "a");
        }
        ThrottlePolicy faster = ThrottlePolicy.of(t -> t.limit(100).burst(20));
        pipeline.replace(faster);
        assertThat(faster.available()).isEqualTo(1);
        time.advance(Duration.ofMillis(50));
        assertThat(faster.available()).isEqualTo(6);
    }

    @Test
    void aCacheKeepsItsValuesAndTheirAge() {
        Pipeline pipeline = pipeline(StaleCachePolicy.of(c -> c.fresh(Duration.ofSeconds(5))));
        Operation.Decorated<String, String, RuntimeException> stock =
                pipeline.<String>operation("stock").decorate(sku -> "stock of " + sku);
        stock.apply("a");
        time.advance(Duration.ofSeconds(7));
        pipeline.replace(
                StaleCachePolicy.of(c -> c.fresh(Duration.ofSeconds(10)).maxEntries(5)));
        assertThat(stock.reply("a").source()).isEqualTo(Reply.Source.FRESH);
        time.advance(Duration.ofSeconds(4));
        assertThat(stock.reply("a").source()).isEqualTo(Reply.Source.LIVE);
    }

    @Test
    void aRetryKeepsItsTokensUnlessTheBudgetIsSetOtherwise() {
        RetryPolicy retry = RetryPolicy.of(r -> r.maxAttempts(1 + 2));
        Pipeline pipeline = pipeline(retry);
        RetryPolicy more = RetryPolicy.of(r -> r.maxAttempts(5));
        pipeline.replace(more);
        assertThat(more.budget()).isPresent().isEqualTo(retry.budget());
        RetryPolicy other = RetryPolicy.of(r -> r.budget(b -> b.maxTokens(99)));
        pipeline.replace(other);
        assertThat(other.budget()).isPresent().isNotEqualTo(retry.budget());
    }

    @Test
    void aHedgeKeepsItsBudgetAndWhatItHasMeasured() {
        HedgePolicy hedge = HedgePolicy.of(h -> h.minimumCalls(5));
        Pipeline pipeline = pipeline(hedge);
        HedgePolicy more = HedgePolicy.of(h -> h.minimumCalls(5).maxHedges(2));
        pipeline.replace(more);
        assertThat(more.budget()).isPresent().isEqualTo(hedge.budget());
    }

    @Test
    void aHedgePaysFromTheBudgetThatItsRetryHas() {
        HedgePolicy kept = HedgePolicy.of(h -> h.delay(Duration.ofMillis(20)));
        Pipeline pipeline = pipeline(RetryPolicy.of(r -> r.maxAttempts(2)), kept);
        for (HedgePolicy hedge : List.of(
                HedgePolicy.of(h -> h.delay(Duration.ofMillis(30))), // both change
                kept)) { // the retry alone changes, and its budget begins anew
            RetryPolicy retry =
                    RetryPolicy.of(hedge == kept ? r -> r.budget(b -> b.maxTokens(20)) : r -> r.maxAttempts(5));
            pipeline.replace(retry, hedge);
            assertThat(hedge.budget()).isPresent().isEqualTo(retry.budget());
        }
    }

    @Test
    void aHedgeWhoseRetryComesOrGoesHasABudgetThatIsFilled() {
        HedgePolicy hedge = HedgePolicy.of(h -> h.delay(Duration.ofMillis(20)));
        RetryPolicy retry = RetryPolicy.ofDefaults();
        Pipeline pipeline = pipeline(hedge);
        pipeline.replace(retry, hedge);
        assertThat(hedge.budget()).isPresent().isEqualTo(retry.budget());
        hedge.budget().orElseThrow().spend(time.nanos());
        pipeline.replace(hedge);
        double left = hedge.budget().orElseThrow().tokens();
        assertThat(left).as("it keeps its tokens").isLessThan(10);
        pipeline.call(() -> "a");
        assertThat(hedge.budget().orElseThrow().tokens()).isGreaterThan(left);
        HedgePolicy other = HedgePolicy.of(h -> h.delay(Duration.ofMillis(30)));
        pipeline.replace(other);
        assertThat(other.budget()).isPresent().isEqualTo(hedge.budget());
    }

    /** As a reload that is refused does. */
    @Test
    void aHedgeWhoseRetryIsTakenBackAtOnceHasItsOwnBudgetAgain() {
        HedgePolicy hedge = HedgePolicy.of(h -> h.delay(Duration.ofMillis(20)));
        Pipeline pipeline = pipeline(hedge);
        RetryBudget own = hedge.budget().orElseThrow();
        for (int i = 0; i < 2; i++) {
            pipeline.replace(RetryPolicy.of(r -> r.budget(b -> b.maxTokens(20))), hedge);
            pipeline.replace(hedge);
            assertThat(hedge.budget()).as("full").containsSame(own);
            own.spend(time.nanos());
        }
    }

    @Test
    void aHedgeThatGetsAnotherBudgetPaysFromThatOne() {
        RetryBudget shared = RetryBudget.ofDefaults();
        Pipeline pipeline = pipeline(HedgePolicy.of(h -> h.delay(Duration.ofMillis(20))));
        HedgePolicy paying = HedgePolicy.of(h -> h.delay(Duration.ofMillis(20)).budget(shared));
        pipeline.replace(paying);
        assertThat(paying.budget()).containsSame(shared);
    }

    @Test
    void aPolicyThatCannotTakeOverBeginsAnew() {
        Policy before = new Policy("odd", 0) {};
        Policy broken = new Policy("odd", 0) {
            @Override
            public void takeOver(Policy previous) {
                throw new IllegalStateException("no");
            }
        };
        Pipeline pipeline = pipeline(before);
        pipeline.replace(broken);
        assertThat(pipeline.policies()).containsExactly(broken);
        assertThat(pipeline.call(() -> "a")).isEqualTo("a");
    }
}
