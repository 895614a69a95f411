/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.context;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Deadline;
import dev.holdfast.Pipeline;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What hangs on the future of a call is under its caller's deadline and part of its caller's attempt, and under no other. */
@ThreadKind.Each
class ContinuationTest {
    private final VirtualTime time = ThreadKind.current().on(new VirtualTime());
    /** What each attempt of {@link #inner} had left, in milliseconds, and the outer attempt: {@code 70 ms in 2}. */
    private final List<String> seen = Collections.synchronizedList(new ArrayList<>());

    private final Pipeline inner = pipeline(new Policy("seeing", Policy.ENTER) {
        @Override
        public int enter(Passage passage) {
            seen.add(text(passage.remaining()) + " in " + passage.outerAttempt());
            return PROCEED;
        }
    });

    @AfterEach
    void close() {
        time.close();
    }

    private Pipeline pipeline(Policy... layers) {
        return Pipeline.builder("p").policies(layers).time(time).build();
    }

    private static String text(long nanos) {
        return nanos == Long.MAX_VALUE ? "no limit" : TimeUnit.NANOSECONDS.toMillis(nanos) + " ms";
    }

    private static String left() {
        return Deadline.remaining().map(left -> left.toMillis() + " ms").orElse("no limit");
    }

    private CompletableFuture<String> after(long millis) {
        CompletableFuture<String> stage = new CompletableFuture<>();
        time.schedule(Duration.ofMillis(millis).toNanos(), () -> stage.complete("v"));
        return stage;
    }

    private CompletableFuture<String> callInner() {
        return inner.callAsync(() -> after(10));
    }

    @Test
    void callComposedOntoACallInheritsTheCallersDeadline() throws Exception {
        CompletableFuture<String> end = Deadline.within(
                time,
                Duration.ofMillis(100),
                () -> callInner().thenCompose(v -> callInner()).thenCompose(v -> inner.callAsync(() -> after(500))));
        time.run();
        assertThat(seen).containsExactly("100 ms in 0", "90 ms in 0", "80 ms in 0");
        assertThat(end).isCompletedExceptionally();
        time.schedule(0, () -> seen.add(left()));
        time.run();
        assertThat(seen).as("on the thread afterwards").endsWith("no limit");
    }

    @Test
    void callsOwnDeadlineIsNotItsContinuations() {
        var unused = inner.<String>operation("x")
                .unkeyed()
                .deadline(Duration.ofMillis(30))
                .callAsync(attempt -> after(10))
                .thenCompose(v -> callInner());
        time.run();
        assertThat(seen).containsExactly("30 ms in 0", "no limit in 0");
    }

    @Test
    void callComposedInsideAnAttemptIsPartOfThatAttempt() {
        Pipeline outer = pipeline(
                RetryPolicy.of(r ->
                        r.maxAttempts(2).initialBackoff(Duration.ofMillis(5)).jitter(Jitter.NONE)),
                TimeoutPolicy.of(Duration.ofMillis(50)));
        CompletableFuture<String> end = outer.callAsync(() -> callInner()
                .thenCompose(v -> callInner())
                .thenCompose(v -> CompletableFuture.failedFuture(new IOException("ill"))));
        time.run();
        assertThat(end).isCompletedExceptionally();
        assertThat(seen).containsExactly("50 ms in 1", "40 ms in 1", "50 ms in 2", "40 ms in 2");
    }

    @Test
    void blockingCallInAContinuationIsBoundToo() throws Exception {
        CompletableFuture<String> end = Deadline.within(
                time, Duration.ofMillis(100), () -> callInner().thenApply(v -> inner.call(() -> v + " " + left())));
        time.run();
        assertThat(end).isCompletedWithValue("v 90 ms");
    }

    @Test
    void threadThatCompletesItLendsNothingOfItsOwn() throws Exception {
        CompletableFuture<String> stage = new CompletableFuture<>();
        CompletableFuture<String> end =
                inner.callAsync(() -> stage).thenCompose(v -> callInner()).thenApply(v -> left());
        Pipeline stranger = pipeline(TimeoutPolicy.of(Duration.ofMillis(7)));
        String strangers = Deadline.within(
                time, Duration.ofMillis(9), () -> stranger.call(() -> stage.complete("v") + " " + left()));
        time.run();
        assertThat(strangers).isEqualTo("true 7 ms");
        assertThat(seen).containsExactly("no limit in 0", "no limit in 0");
        assertThat(end).isCompletedWithValue("no limit");
    }

    @Test
    void blockingCallInAContinuationLeavesTheCompletersOwnCallAlone() throws Exception {
        CompletableFuture<String> stage = new CompletableFuture<>();
        CompletableFuture<String> end = inner.callAsync(() -> stage).thenApply(v -> inner.call(() -> "nested"));
        Pipeline stranger = pipeline(TimeoutPolicy.of(Duration.ofMillis(7)));
        assertThat(stranger.<String, RuntimeException>call(() -> {
                    stage.complete("v");
                    return inner.<String, RuntimeException>call(() -> "after it");
                }))
                .isEqualTo("after it");
        assertThat(end).isCompletedWithValue("nested");
        assertThat(seen).containsExactly("no limit in 0", "no limit in 0", "7 ms in 1");
    }

    @Test
    void retryOnAThreadOfSomebodyElsesIsNotBoundByIt() throws Exception {
        CompletableFuture<String> first = new CompletableFuture<>();
        List<CompletableFuture<String>> stages = List.of(first, CompletableFuture.completedFuture("v"));
        List<String> attempts = new ArrayList<>();
        Pipeline retrying = pipeline(RetryPolicy.of(r -> r.maxAttempts(2).initialBackoff(Duration.ZERO)));
        CompletableFuture<String> end = retrying.callAsync(() -> {
            attempts.add(left());
            return stages.get(attempts.size() - 1);
        });
        Deadline.within(time, Duration.ofMillis(9), () -> first.completeExceptionally(new IOException("ill")));
        assertThat(end).isCompletedWithValue("v");
        assertThat(attempts).containsExactly("no limit", "no limit");
    }

    @Test
    void futureThatIsCompletedFromOutsideGoesOnUnderItsCallersDeadline() throws Exception {
        List<String> continued = new ArrayList<>();
        CompletableFuture<String> future =
                Deadline.within(time, Duration.ofMillis(100), () -> inner.callAsync(CompletableFuture<String>::new));
        var unused = future.whenComplete((value, error) -> continued.add(left()));
        time.advance(Duration.ofMillis(40));
        future.complete("from outside");
        assertThat(continued).containsExactly("60 ms");
        assertThat(Deadline.remaining()).isEmpty();
    }

    @Test
    void continuationOfAStageOfSomebodyElsesIsBoundByAFixedExecutor() throws Exception {
        CompletableFuture<Optional<Throwable>> end = Deadline.within(
                time,
                Duration.ofMillis(100),
                () -> inner.callAsync(() -> after(10))
                        .thenCompose(v -> after(200))
                        .thenComposeAsync(v -> callInner(), Deadline.fixed(time.executor()))
                        .handle((value, error) -> Optional.ofNullable(error.getCause())));
        time.run();
        assertThat(seen).hasSize(2).endsWith("-110 ms in 0");
        assertThat(end.join()).containsInstanceOf(CallRejectedException.class);
    }
}
