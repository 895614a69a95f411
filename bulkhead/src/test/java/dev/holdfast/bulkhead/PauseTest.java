/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Deadline;
import dev.holdfast.Pipeline;
import dev.holdfast.Verdict;
import dev.holdfast.bulkhead.BulkheadSettings.QueueOrder;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** While nothing but losses comes back, a limit that heeds losses is zero at times. */
class PauseTest {
    private static final Duration TIMEOUT = Duration.ofMillis(200);

    private final VirtualTime time = new VirtualTime();
    private final BulkheadPolicy bulkhead = BulkheadPolicy.ofDefaults();
    private final Pipeline pipeline = Pipeline.builder("inventory")
            .policies(bulkhead, TimeoutPolicy.of(TIMEOUT))
            .time(time)
            .build();

    /** Ends with the beginning of a pause. */
    @BeforeEach
    void nothingComesBack() {
        lose(bulkhead, pipeline);
        assertThat(bulkhead.inFlight()).isZero();
    }

    private static BulkheadPolicy patient() {
        return BulkheadPolicy.of(b -> b.maxWait(Duration.ofSeconds(10)));
    }

    private Pipeline around(String name, BulkheadPolicy policy) {
        return Pipeline.builder(name)
                .policies(policy, TimeoutPolicy.of(TIMEOUT))
                .time(time)
                .build();
    }

    private void lose(BulkheadPolicy policy, Pipeline of) {
        while (policy.limit() > 0) {
            CompletableFuture<String> call = of.callAsync(CompletableFuture::new);
            time.advance(TIMEOUT);
            assertThatThrownBy(call::join).hasCauseInstanceOf(CallTimeoutException.class);
        }
    }

    @AfterEach
    void close() {
        pipeline.close();
        time.close();
    }

    /** It waits for nothing: no permit can come before the pause ends. */
    @Test
    void aCallThatCannotWaitForTheEndOfAPauseIsRejectedAtOnceAndToldSo() {
        CompletableFuture<String> call = pipeline.callAsync(() -> CompletableFuture.completedFuture("well"));

        assertThat(call).isCompletedExceptionally();
        assertThatThrownBy(call::join)
                .hasCauseInstanceOf(CallRejectedException.class)
                .hasMessageContaining("bulkhead of 'inventory' lets no call through for ")
                .hasMessageContaining("since nothing but losses came back");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void aCallThatIsRejectedInAPauseIsToldWhenThePauseEnds(int maxWaitMillis) {
        BulkheadPolicy hasty = BulkheadPolicy.of(b -> b.maxWait(Duration.ofMillis(maxWaitMillis)));
        try (Pipeline other = around("hasty", hasty)) {
            lose(hasty, other);
            CompletableFuture<String> rejected = other.callAsync(() -> CompletableFuture.completedFuture("well"));
            time.advance(Duration.ofMillis(maxWaitMillis));
            Duration left = rejected.handle((value, error) -> ((CallRejectedException) error).retryAfter())
                    .join()
                    .orElseThrow();

            time.advance(left.minusNanos(1));
            assertThat(hasty.limit()).isZero();
            time.advance(Duration.ofNanos(1));
            assertThat(other.callAsync(() -> CompletableFuture.completedFuture("well")))
                    .isCompletedWithValue("well");
        }
    }

    @Test
    void aCallWhoseTimeIsOverBeforeThePauseEndsIsRejectedAtOnce() {
        BulkheadPolicy patient = patient();
        try (Pipeline other = around("patient", patient)) {
            lose(patient, other);
            CompletableFuture<String> call = Deadline.within(
                    time,
                    Duration.ofMillis(10),
                    () -> other.callAsync(() -> CompletableFuture.completedFuture("well")));
            assertThat(call).isCompletedExceptionally();
            assertThatThrownBy(call::join).hasMessageContaining("lets no call through for ");
        }
    }

    /** In a standing queue, a call waits for the target of CoDel at most. */
    @Test
    void aLateCallThatCannotWaitForTheEndOfAPauseIsRejectedAtOnce() {
        BulkheadPolicy patient = BulkheadPolicy.of(b -> b.maxWait(Duration.ofSeconds(10))
                .queueOrder(QueueOrder.CODEL)
                .codelTarget(Duration.ofMillis(5))
                .codelInterval(Duration.ofMillis(50)));
        try (Pipeline other = around("patient", patient)) {
            lose(patient, other);
            CompletableFuture<String> first = other.callAsync(() -> CompletableFuture.completedFuture("well"));
            time.advance(Duration.ofMillis(60));
            CompletableFuture<String> late = other.callAsync(() -> CompletableFuture.completedFuture("well"));
            assertThat(late).isCompletedExceptionally();
            assertThatThrownBy(late::join).hasMessageContaining("lets no call through for ");
            time.advance(Duration.ofSeconds(1));
            assertThat(first).isCompletedWithValue("well");
        }
    }

    @Test
    void aCallThatMayWaitLongEnoughIsMadeWhenThePauseEnds() {
        BulkheadPolicy patient = patient();
        try (Pipeline other = around("patient", patient)) {
            lose(patient, other);
            CompletableFuture<String> call = other.callAsync(() -> CompletableFuture.completedFuture("well"));
            assertThat(call).isNotDone();
            time.advance(Duration.ofSeconds(1));
            assertThat(call).isCompletedWithValue("well");
        }
    }

    /** Calls that all hang until they are told otherwise; then each takes 20 ms. */
    private List<CompletableFuture<String>> calls(Pipeline of, int number, AtomicBoolean hang) {
        return IntStream.range(0, number)
                .mapToObj(i -> of.callAsync(() -> {
                    CompletableFuture<String> answer = new CompletableFuture<>();
                    if (!hang.get()) {
                        time.schedule(20_000_000, () -> answer.complete("well"));
                    }
                    return answer;
                }))
                .toList();
    }

    @Test
    void callsThatWaitWhenAPauseBeginsAreMadeWhenItIsOverThoughNobodyElseCalls() {
        BulkheadPolicy patient = patient();
        try (Pipeline other = around("patient", patient)) {
            AtomicBoolean hang = new AtomicBoolean(true);
            List<CompletableFuture<String>> all = calls(other, 40, hang);
            while (patient.limit() > 0) {
                time.advance(TIMEOUT);
            }
            int waiting = patient.waiting();
            assertThat(waiting).isPositive();
            hang.set(false);
            time.advance(Duration.ofSeconds(3));

            assertThat(all.stream().filter(call -> !call.isCompletedExceptionally()))
                    .hasSize(waiting)
                    .allSatisfy(call -> assertThat(call).isCompletedWithValue("well"));
        }
    }

    @Test
    void callsThatWaitForTheEndOfAPauseGoOnWaitingForAPermit() {
        BulkheadPolicy patient = patient();
        try (Pipeline other = around("patient", patient)) {
            lose(patient, other);
            List<CompletableFuture<String>> waiting = calls(other, 10, new AtomicBoolean());
            time.advance(Duration.ofSeconds(3));
            assertThat(waiting).allSatisfy(call -> assertThat(call).isCompletedWithValue("well"));
        }
    }

    @Test
    void aCallerOfAViewThatCannotWaitForTheEndOfThePauseDoesNotWait() {
        Bulkhead view = bulkhead.asResilience4j();
        view.changeConfig(BulkheadConfig.from(view.getBulkheadConfig())
                .maxWaitDuration(Duration.ofMillis(10))
                .build());
        long began = time.nanos();
        CompletableFuture<Boolean> permitted = time.spawn(view::tryAcquirePermission);
        time.run();

        assertThat(permitted).isCompletedWithValue(false);
        assertThat(time.nanos()).isEqualTo(began);
    }

    /** No other call comes that would see the end of the pause. */
    @Test
    void aCallerOfAViewWaitsForTheEndOfThePauseAndNoLonger() {
        Bulkhead view = bulkhead.asResilience4j();
        view.changeConfig(BulkheadConfig.from(view.getBulkheadConfig())
                .maxWaitDuration(Duration.ofSeconds(5))
                .build());
        long began = time.nanos();
        CompletableFuture<Boolean> permitted = time.spawn(view::tryAcquirePermission);
        time.run();

        assertThat(permitted).isCompletedWithValue(true);
        assertThat(Duration.ofNanos(time.nanos() - began)).isLessThan(Duration.ofSeconds(1));
    }

    @Test
    void theConfigOfAViewHasTheMaximumAndCanBeGivenBack() {
        Bulkhead view = bulkhead.asResilience4j();
        assertThat(view.getBulkheadConfig().getMaxConcurrentCalls()).isEqualTo(200);
        view.changeConfig(BulkheadConfig.from(view.getBulkheadConfig())
                .maxWaitDuration(Duration.ofMillis(5))
                .build());
        assertThat(view.getBulkheadConfig().getMaxConcurrentCalls()).isEqualTo(200);
        assertThat(view.getMetrics().getMaxAllowedConcurrentCalls()).isZero();
    }

    /** A dependency that answers 404 works. */
    @Test
    void anAnswerThatIsIgnoredEndsAnOutage() {
        try (Pipeline other = Pipeline.builder("lookup")
                .policies(bulkhead, TimeoutPolicy.of(TIMEOUT))
                .classifier((value, error) -> error == null ? Verdict.IGNORED : Verdict.FAILURE)
                .time(time)
                .build()) {
            for (int i = 0; i < 10; i++) {
                time.advance(Duration.ofSeconds(1));
                CompletableFuture<String> call = new CompletableFuture<>();
                CompletableFuture<String> answer = other.callAsync(() -> call);
                time.advance(Duration.ofMillis(20));
                call.complete("not found");
                assertThat(answer).isDone();
            }
            assertThat(bulkhead.limit()).isGreaterThan(4);
        }
    }

    /** A reload replaces bulkhead and timeout at once. */
    @Test
    void theLimitThatIsTakenOverKnowsTheNewTimeout() {
        BulkheadPolicy next = BulkheadPolicy.of(b -> b.maxWait(Duration.ofMillis(50)));
        pipeline.replace(next, TimeoutPolicy.of(Duration.ofSeconds(10)));
        time.advance(Duration.ofSeconds(5));
        for (int i = 0; i < 100; i++) {
            answered(Duration.ofMillis(20));
        }
        int before = next.limit();
        for (int i = 0; i < 100; i++) {
            answered(Duration.ofSeconds(1));
            assertThat(next.limit())
                    .as("a second is not late where ten are allowed")
                    .isGreaterThanOrEqualTo(before);
        }
    }

    private void answered(Duration after) {
        CompletableFuture<String> call = new CompletableFuture<>();
        CompletableFuture<String> answer = pipeline.callAsync(() -> call);
        time.advance(after);
        call.complete("well");
        assertThat(answer).isCompletedWithValue("well");
    }

    @Test
    void theMaximumIsNotResizedBelowTheMinimum() {
        BulkheadPolicy policy = BulkheadPolicy.of(b -> b.minConcurrentCalls(4));
        assertThatThrownBy(() -> policy.resize(2))
                .hasMessageContaining("minConcurrentCalls is 4 but must be at most maxConcurrentCalls, which is 2");
        Bulkhead view = policy.asResilience4j();
        assertThatThrownBy(() -> view.changeConfig(
                        BulkheadConfig.custom().maxConcurrentCalls(2).build()))
                .hasMessageContaining("minConcurrentCalls is 4 but must be at most maxConcurrentCalls, which is 2");
        assertThat(view.getBulkheadConfig().getMaxConcurrentCalls()).isEqualTo(200);
        assertThat(policy.limit()).isEqualTo(10);
        policy.resize(4);
        assertThat(policy.limit()).isEqualTo(4);
    }
}
