/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.fallback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Call;
import dev.holdfast.Operation;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.Reply;
import dev.holdfast.Reply.Source;
import dev.holdfast.Verdict;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.internal.NotAnswered;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.InvalidSettingsException;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.time.VirtualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class FallbackPolicyTest {
    private final VirtualTime time = new VirtualTime();

    @AfterEach
    void close() {
        time.close();
    }

    private Pipeline pipeline(Policy... policies) {
        return Pipeline.builder("p").policies(policies).time(time).build();
    }

    private static String message(@Nullable Throwable error) {
        return error == null ? "a value" : String.valueOf(error.getMessage());
    }

    @SuppressWarnings("NullAway") // a fallback that breaks its contract
    private static CompletableFuture<String> nothing() {
        return null;
    }

    private void slow() {
        try {
            time.sleep(Duration.ofSeconds(2));
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String broken() throws IOException {
        throw new IOException("down");
    }

    @Test
    void aValueAnswersForAFailureAndSaysSo() throws Exception {
        Reply<String> reply = pipeline(FallbackPolicy.value("none"))
                .<String>operation("get")
                .unkeyed()
                .reply(attempt -> broken());
        assertThat(reply.value()).isEqualTo("none");
        assertThat(reply.source()).isEqualTo(Source.FALLBACK);
        assertThat(reply.attempts()).isEqualTo(1);
    }

    @Test
    void aFunctionIsGivenTheError() throws Exception {
        Pipeline p = pipeline(FallbackPolicy.of(error -> "instead of " + message(error)));
        assertThat(p.call(FallbackPolicyTest::broken)).isEqualTo("instead of down");
        assertThat(p.callAsync(() -> CompletableFuture.<String>failedFuture(new IOException("async"))))
                .isCompletedWithValue("instead of async");
    }

    @Test
    void aFailureThatIsAValueIsReplacedAndDiscarded() throws Exception {
        List<Object> discarded = new ArrayList<>();
        String answer = pipeline(FallbackPolicy.of(error -> "error was " + error))
                .<String>operation(
                        "get",
                        o -> o.classifier((value, error) -> Verdict.FAILURE).discard(discarded::add))
                .unkeyed()
                .call(attempt -> "503");
        assertThat(answer).isEqualTo("error was null");
        assertThat(discarded).containsExactly("503");
    }

    /** Those of methods, of which each is for some errors. */
    @Test
    void aFallbackWithoutAnAnswerLeavesTheFailureAsItIs() throws Exception {
        Operation<String> get = pipeline(FallbackPolicy.ofOperations())
                .operation("get", o -> o.classifier((value, error) -> Verdict.FAILURE));
        Call<String> now = get.unkeyed().fallback(error -> {
            throw new NotAnswered();
        });
        Call<String> atOnce = get.unkeyed().fallbackAsync(error -> {
            throw new NotAnswered();
        });
        Call<String> later = get.unkeyed().fallbackAsync(error -> CompletableFuture.failedFuture(new NotAnswered()));
        for (Call<String> call : List.of(now, atOnce, later)) {
            Reply<String> reply = call.reply(attempt -> "503");
            assertThat(reply.value()).isEqualTo("503");
            assertThat(reply.source()).isEqualTo(Source.LIVE);
            assertThat(call.callAsync(attempt -> CompletableFuture.completedFuture("503")))
                    .isCompletedWithValue("503");
            assertThatThrownBy(() -> call.call(attempt -> broken())).hasMessage("down");
            assertThatThrownBy(() -> call.callAsync(attempt -> CompletableFuture.failedFuture(new IOException("down")))
                            .get())
                    .hasRootCauseMessage("down");
        }
    }

    @Test
    void whatTheFunctionThrowsIsTheCallsError() {
        Pipeline p = pipeline(FallbackPolicy.of(error -> {
            throw new IllegalStateException("worse");
        }));
        assertThatThrownBy(() -> p.call(FallbackPolicyTest::broken)).hasMessage("worse");
    }

    /** Monitoring must see that the dependency has failed, also if the second source is down as well. */
    @Test
    void afterAFallbackThatThrowsTheOutcomeIsThatOfTheFailure() {
        Map<Policy, Outcome> outcomes = new LinkedHashMap<>();
        outcomes.put(ignoredAlso(error -> failedHere("worse")), Outcome.FAILURE);
        outcomes.put(ignoredAlso(error -> sneaky(error)), Outcome.FAILURE);
        outcomes.put(
                FallbackPolicy.ofAsync(error -> {
                    throw new IllegalStateException("worse");
                }),
                Outcome.FAILURE);
        outcomes.put(FallbackPolicy.ofAsync(error -> CompletableFuture.failedFuture(error)), Outcome.FAILURE);
        outcomes.put(ignoredAlso(error -> fatal()), Outcome.IGNORED);
        outcomes.forEach((policy, outcome) -> assertThat(outcomesOf(policy, Verdict.FAILURE))
                .as(policy.name())
                .containsExactly(outcome, outcome));
        assertThat(outcomesOf(ignoredAlso(error -> failedHere("worse")), Verdict.PUSHBACK))
                .containsOnly(Outcome.PUSHBACK);
        assertThat(outcomesOf(ignoredAlso(error -> failedHere("worse")), Verdict.IGNORED))
                .containsOnly(Outcome.IGNORED);
    }

    @Test
    void afterAFallbackThatThrowsARejectionIsStillOne() {
        List<Outcome> outcomes = new ArrayList<>();
        Pipeline inner = Pipeline.builder("p")
                .policies(FallbackPolicy.of(error -> failedHere("worse")), new Rejecting())
                .time(time)
                .observer(outcomesInto(outcomes))
                .build();
        assertThatThrownBy(() -> inner.call(() -> "never")).hasMessage("worse");
        assertThatThrownBy(() -> inner.callAsync(() -> CompletableFuture.completedFuture("never"))
                        .join())
                .hasRootCauseMessage("worse");
        assertThat(outcomes).containsExactly(Outcome.REJECTED, Outcome.REJECTED);
    }

    private static FallbackPolicy ignoredAlso(Function<@Nullable Throwable, ?> function) {
        return FallbackPolicy.of(FallbackSettings.of(f -> f.function(function).onIgnored(true)));
    }

    private static Object failedHere(String message) {
        throw new IllegalStateException(message);
    }

    private static Object fatal() {
        throw new OutOfMemoryError("not really");
    }

    @SuppressWarnings("unchecked")
    private static <E extends Throwable> Object sneaky(@Nullable Throwable error) throws E {
        throw (E) Objects.requireNonNull(error);
    }

    /** Of a blocking call, and of an asynchronous one. */
    private List<Outcome> outcomesOf(Policy policy, Verdict verdict) {
        List<Outcome> outcomes = new ArrayList<>();
        Pipeline p = Pipeline.builder("p")
                .policies(policy)
                .classifier((value, error) -> verdict)
                .time(time)
                .observer(outcomesInto(outcomes))
                .build();
        assertThatThrownBy(() -> p.call(FallbackPolicyTest::broken));
        assertThat(p.callAsync(() -> CompletableFuture.failedFuture(new IOException("down"))))
                .isCompletedExceptionally();
        return outcomes;
    }

    private static CallObserver outcomesInto(List<Outcome> outcomes) {
        return new CallObserver() {
            @Override
            public void callSettled(
                    String pipeline,
                    @Nullable String operation,
                    Outcome outcome,
                    Source source,
                    int attempts,
                    long nanos) {
                outcomes.add(outcome);
            }
        };
    }

    private static final class Rejecting extends Policy {
        Rejecting() {
            super("rejecting", ENTER);
        }

        @Override
        public int enter(Passage passage) {
            return passage.reject(Reason.THROTTLED, -1, () -> "no", null);
        }
    }

    @Test
    void anAsynchronousFallbackIsAwaitedByBothDrivers() {
        Pipeline p = pipeline(FallbackPolicy.ofAsync(error -> {
            CompletableFuture<String> later = new CompletableFuture<>();
            time.schedule(5_000_000, () -> later.complete("later"));
            return later;
        }));
        CompletableFuture<String> blocking = time.spawn(() -> p.call(FallbackPolicyTest::broken));
        CompletableFuture<String> async = p.callAsync(() -> CompletableFuture.failedFuture(new IOException()));
        time.run();
        assertThat(blocking).isCompletedWithValue("later");
        assertThat(async).isCompletedWithValue("later");
    }

    @Test
    void theTimeOfTheFunctionIsPartOfTheCalls() {
        List<Duration> took = new ArrayList<>();
        Pipeline p = Pipeline.builder("p")
                .policies(FallbackPolicy.of(error -> {
                    slow();
                    return "late";
                }))
                .time(time)
                .observer(new CallObserver() {
                    @Override
                    public void callSettled(
                            String pipeline,
                            @Nullable String operation,
                            Outcome outcome,
                            Source source,
                            int attempts,
                            long nanos) {
                        took.add(Duration.ofNanos(nanos));
                    }
                })
                .build();
        CompletableFuture<String> blocking = time.spawn(() -> p.call(FallbackPolicyTest::broken));
        CompletableFuture<String> async =
                time.spawn(() -> p.callAsync(() -> CompletableFuture.<String>failedFuture(new IOException()))
                        .join());
        time.run();
        assertThat(blocking).isCompletedWithValue("late");
        assertThat(async).isCompletedWithValue("late");
        assertThat(took).containsExactly(Duration.ofSeconds(2), Duration.ofSeconds(2));
    }

    @Test
    void anAsynchronousFallbackThatFailsOrIsNoneIsTheCallsError() {
        Pipeline fails =
                pipeline(FallbackPolicy.ofAsync(error -> CompletableFuture.failedFuture(new IOException("f"))));
        Pipeline isNone = pipeline(FallbackPolicy.ofAsync(error -> nothing()));
        assertThatThrownBy(() -> fails.call(FallbackPolicyTest::broken)).hasMessage("f");
        assertThatThrownBy(() -> isNone.call(FallbackPolicyTest::broken)).hasMessageContaining("no stage");
    }

    @Test
    void anAsynchronousFallbackIsNotWaitedForPastTheDeadline() {
        Pipeline p = pipeline(
                DeadlinePolicy.of(Duration.ofMillis(20)), FallbackPolicy.ofAsync(error -> new CompletableFuture<>()));
        CompletableFuture<String> blocking = time.spawn(() -> p.call(FallbackPolicyTest::broken));
        CompletableFuture<String> async = p.callAsync(() -> CompletableFuture.failedFuture(new IOException("down")));
        long start = time.nanos();
        time.run();
        assertThat(time.nanos() - start).isEqualTo(20_000_000);
        assertThatThrownBy(blocking::join).hasRootCauseMessage("down");
        assertThatThrownBy(async::join).hasRootCauseMessage("down");
    }

    @Test
    void theCallersOwnFaultIsAnsweredOnlyWhereAsked() throws Exception {
        Policy asked = FallbackPolicy.of(FallbackSettings.of(f -> f.value("x").onIgnored(true)));
        Policy notAsked = FallbackPolicy.value("x");
        for (Policy policy : List.of(asked, notAsked)) {
            Pipeline p = Pipeline.builder("p")
                    .policies(policy)
                    .classifier((value, error) -> Verdict.IGNORED)
                    .time(time)
                    .build();
            if (policy == asked) {
                assertThat(p.call(FallbackPolicyTest::broken)).isEqualTo("x");
            } else {
                assertThatThrownBy(() -> p.call(FallbackPolicyTest::broken)).hasMessage("down");
            }
        }
    }

    @Test
    void aCancelledCallGetsNoFallback() {
        List<String> asked = new ArrayList<>();
        Pipeline p = pipeline(FallbackPolicy.of(error -> asked.add("asked")));
        CompletableFuture<String> call = p.callAsync(CompletableFuture::new);
        call.cancel(true);
        time.run();
        assertThat(call).isCancelled();
        assertThat(asked).isEmpty();
    }

    @Test
    void outOfMemoryIsNeverHidden() {
        Pipeline p =
                pipeline(FallbackPolicy.of(FallbackSettings.of(f -> f.value("x").onIgnored(true))));
        assertThatThrownBy(() -> p.call(() -> {
                    throw new OutOfMemoryError("made up");
                }))
                .isInstanceOf(OutOfMemoryError.class);
    }

    @Test
    void oneAndOnlyOneAnswerMustBeGiven() {
        assertThatThrownBy(() -> FallbackSettings.builder().build())
                .isInstanceOf(InvalidSettingsException.class)
                .hasMessageContaining("function is missing");
        assertThatThrownBy(() -> FallbackSettings.of(f -> f.value("a").function(error -> "b")))
                .isInstanceOf(InvalidSettingsException.class)
                .hasMessageContaining("function is not alone");
    }
}
