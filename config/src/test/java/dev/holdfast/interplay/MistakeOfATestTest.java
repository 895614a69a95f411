/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.interplay;

import static dev.holdfast.testing.HoldfastAssertions.assertThat;
import static dev.holdfast.testing.HoldfastAssertions.assertThatCall;
import static java.time.Duration.ZERO;
import static java.time.Duration.ofHours;
import static java.time.Duration.ofMillis;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Classifier;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.Verdict;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.chaos.ChaosPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.fallback.FallbackSettings;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testing.ScriptedAction;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A test that is written wrongly must fail, although its pipeline repeats and answers what fails. */
@Logs(
        value = {"chaos-enabled", "probes-above-permits"},
        sometimes = true)
class MistakeOfATestTest {
    private final VirtualTime time = new VirtualTime();
    private final ScriptedAction<String> stock = ScriptedAction.on(time);

    @AfterEach
    void close() {
        time.close();
    }

    private Pipeline pipeline(boolean dedicated, Policy... innermost) {
        List<Policy> policies = new ArrayList<>(List.of(
                FallbackPolicy.of(FallbackSettings.builder()
                        .value("fallback")
                        .onIgnored(true)
                        .build()),
                StaleCachePolicy.of(c -> c.fresh(ofMillis(1)).staleIfError(ofHours(1))),
                RetryPolicy.ofDefaults(),
                CircuitBreakerPolicy.of(
                        b -> b.minimumNumberOfCalls(1).slidingWindowSize(5).runningCallsCountAsSlow(false)),
                BulkheadPolicy.of(b -> b.maxConcurrentCalls(1).maxWait(ZERO).dedicatedThreads(dedicated))));
        policies.addAll(List.of(innermost));
        return Pipeline.builder("stock")
                .policies(policies)
                .classifier(failures())
                .time(time)
                .build();
    }

    private static Classifier failures() {
        return (value, error) -> error == null ? Verdict.SUCCESS : Verdict.FAILURE;
    }

    private void endsTheTest(Pipeline pipeline, String message, int attempts) {
        endsTheTest(pipeline, pipeline.<String>operation("lookup"), message, attempts);
    }

    private void endsTheTest(Pipeline pipeline, Operation<String> lookup, String message, int attempts) {
        for (int call = 1; call <= 3; call++) {
            assertThatCall(() -> lookup.key("sku").call(attempt -> stock.call()))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageStartingWith(message);
            time.run(); // what is left of the work on another thread
            assertThat(stock.started()).isEqualTo(call * attempts);
        }
        assertThat(pipeline).isIdle().hasState("circuit-breaker", "closed");
    }

    @Test
    void hangWithoutALimitEndsTheTest() {
        stock.hangs();
        endsTheTest(pipeline(false), "deadlock: nothing is left to happen in virtual time while", 1);
    }

    @Test
    void hangOnAThreadOfItsOwnEndsTheTest() {
        stock.hangs();
        endsTheTest(pipeline(true), "deadlock", 1);
        assertThat(stock.running()).isZero();
    }

    @Test
    void hangOfAChaosEndsTheTest() {
        stock.returns("12");
        ChaosPolicy chaos = ChaosPolicy.of(c -> c.enabled(true).hangRate(1));
        endsTheTest(pipeline(false, chaos), "deadlock", 0);
    }

    @Test
    void hangIsNotAnsweredWithAnOldValue() throws Exception {
        stock.returns("12").hangs();
        Pipeline pipeline = pipeline(false);
        Operation<String> lookup = pipeline.operation("lookup");
        assertThat(lookup.key("sku").call(attempt -> stock.call())).isEqualTo("12");
        time.advance(ofMillis(2));
        assertThatCall(() -> lookup.key("sku").call(attempt -> stock.call()))
                .isInstanceOf(AssertionError.class)
                .hasMessageStartingWith("deadlock");
    }

    @Test
    void emptyScriptEndsTheTest() {
        Pipeline pipeline = pipeline(false);
        endsTheTest(pipeline, "the script of the action is empty", 0);
        assertThatCall(pipeline.<String>operation("async").key("sku").callAsync(attempt -> stock.callAsync()))
                .isInstanceOf(AssertionError.class)
                .hasMessageStartingWith("the script of the action is empty");
        CompletableFuture<String> spawned = time.spawn(
                () -> pipeline.<String>operation("spawned").key("sku").call(attempt -> stock.call()));
        time.run();
        assertThatCall(spawned).isInstanceOf(AssertionError.class);
        assertThat(pipeline).isIdle().hasState("circuit-breaker", "closed");
    }

    @Test
    void hangOfABlockingActionInAnAsynchronousCallEndsTheTest() {
        stock.hangs();
        Pipeline pipeline = pipeline(false);
        assertThatCall(pipeline.callAsync(() -> CompletableFuture.completedFuture(answer())))
                .isInstanceOf(AssertionError.class)
                .hasMessageStartingWith("deadlock");
        assertThat(stock.started()).isOne();
        assertThat(pipeline).isIdle().hasState("circuit-breaker", "closed");
    }

    private String answer() {
        try {
            return stock.call();
        } catch (Exception e) {
            throw new CompletionException(e);
        }
    }
}
