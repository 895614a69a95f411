/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.interplay;

import static dev.holdfast.testing.HoldfastAssertions.assertThatCall;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.CheckedSupplier;
import dev.holdfast.Deadline;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Reply;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testing.HoldfastAssertions;
import dev.holdfast.testing.ScriptedAction;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Where one limit holds for two pipelines, the answer that the inner one has in its place reaches the outer one. */
class AnswerOfAnInnerPipelineTest {
    private static final Duration LIMIT = ofMillis(100);

    /** Whose limit it is. */
    enum Owner {
        REQUEST,
        CALL,
        DEADLINE,
        TIMEOUT
    }

    private final VirtualTime time = new VirtualTime();
    private final List<Pipeline> made = new ArrayList<>();

    @AfterEach
    void close() {
        made.forEach(Pipeline::close);
        time.close();
    }

    private Pipeline pipeline(String name, Policy... policies) {
        Pipeline pipeline = Pipeline.builder(name).time(time).policies(policies).build();
        made.add(pipeline);
        return pipeline;
    }

    private Pipeline around(Owner owner) {
        return switch (owner) {
            case DEADLINE -> pipeline("outer", DeadlinePolicy.of(LIMIT));
            case TIMEOUT -> pipeline("outer", TimeoutPolicy.of(LIMIT));
            default -> pipeline("outer");
        };
    }

    private static Stream<Arguments> limits() {
        return Stream.of(Owner.values())
                .flatMap(owner -> Stream.of(true, false)
                        .flatMap(async -> Stream.of(2, 3).map(deep -> Arguments.of(owner, async, deep))));
    }

    /** Through the outer pipeline and those inside it, the innermost of which has the fallback. */
    @SuppressWarnings("FutureReturnValueIgnored") // the call's future is composed onto the caller's
    private CompletableFuture<Reply<String>> call(Owner owner, boolean async, List<Pipeline> inward) throws Exception {
        ScriptedAction<String> hangs = ScriptedAction.<String>on(time).hangs();
        var outer = around(owner).<String>operation("order").unkeyed();
        var limited = owner == Owner.CALL ? outer.deadline(LIMIT) : outer;
        CheckedSupplier<CompletableFuture<Reply<String>>, Exception> call = () -> async
                ? limited.replyAsync(attempt -> throughAsync(inward, hangs))
                : CompletableFuture.completedFuture(limited.reply(attempt -> through(inward, hangs)));
        CheckedSupplier<CompletableFuture<Reply<String>>, Exception> whole =
                owner == Owner.REQUEST ? () -> Deadline.within(time, LIMIT, call) : call;
        return time.spawn(whole::get).thenCompose(reply -> reply);
    }

    private static Call<String> keyed(Pipeline pipeline) {
        return pipeline.<String>operation("stock", o -> o.type(String.class)).key("sku-1");
    }

    private static String through(List<Pipeline> inward, ScriptedAction<String> action) throws Exception {
        return inward.isEmpty()
                ? action.call()
                : keyed(inward.get(0)).call(attempt -> through(inward.subList(1, inward.size()), action));
    }

    private static CompletionStage<String> throughAsync(List<Pipeline> inward, ScriptedAction<String> action) {
        return inward.isEmpty()
                ? action.callAsync()
                : keyed(inward.get(0)).callAsync(attempt -> throughAsync(inward.subList(1, inward.size()), action));
    }

    @ParameterizedTest
    @MethodSource("limits")
    void fallbackInsideAnswersBeforeTheLimitThatBothHave(Owner owner, boolean async, int deep) throws Exception {
        List<Pipeline> inward = new ArrayList<>();
        if (deep == 3) {
            inward.add(pipeline("middle"));
        }
        inward.add(pipeline("inner", FallbackPolicy.value("instead")));
        CompletableFuture<Reply<String>> reply = call(owner, async, inward);
        time.run();
        assertThat(reply.join().value()).isEqualTo("instead");
        assertThat(time.nanos()).isLessThan(LIMIT.toNanos());
        HoldfastAssertions.assertThat(inward.get(0)).isIdle();
    }

    @ParameterizedTest
    @MethodSource("limits")
    void oldValueInsideAnswersBeforeTheLimitThatBothHave(Owner owner, boolean async, int deep) throws Exception {
        List<Pipeline> inward = new ArrayList<>();
        if (deep == 3) {
            inward.add(pipeline("middle"));
        }
        Pipeline inner = pipeline("inner", StaleCachePolicy.of(c -> c.staleIfSlow(Duration.ZERO)));
        inward.add(inner);
        assertThat(keyed(inner).call(attempt -> "old")).isEqualTo("old");
        CompletableFuture<Reply<String>> reply = call(owner, async, inward);
        time.run();
        assertThat(reply.join().value()).isEqualTo("old");
        assertThat(time.nanos()).isLessThan(LIMIT.toNanos());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void eachOfThreeHasTimeForItsAnswer(boolean async) throws Exception {
        List<Pipeline> inward = List.of(
                pipeline("middle", FallbackPolicy.value("of the middle one")),
                pipeline("inner", FallbackPolicy.of(error -> {
                    throw new IllegalStateException("none", error);
                })));
        CompletableFuture<Reply<String>> reply = call(Owner.REQUEST, async, inward);
        time.run();
        assertThat(reply.join().value()).isEqualTo("of the middle one");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whereNothingAnswersTheOuterCallHasTimedOutAndIsNotTriedAgain(boolean async) throws Exception {
        ScriptedAction<String> hangs = ScriptedAction.<String>on(time).hangs();
        // Its answer is for failures, and none: the limit was the outer one's.
        Pipeline inner = pipeline("inner", FallbackPolicy.of(error -> {
            throw sneaky(error);
        }));
        Pipeline outer = pipeline("outer", DeadlinePolicy.of(LIMIT), RetryPolicy.of(r -> r.maxAttempts(3)));
        CompletableFuture<String> reply = async
                ? outer.callAsync(() -> inner.callAsync(hangs::callAsync))
                : time.spawn(() -> outer.call(() -> inner.call(hangs::call)));
        time.run();
        HoldfastAssertions.assertThatCall(reply).isInstanceOfSatisfying(CallTimeoutException.class, timeout -> {
            assertThat(timeout.pipeline()).isEqualTo("outer");
            assertThat(timeout.policy()).isEqualTo("deadline");
            assertThat(timeout.history()).extracting("outcome").containsExactly(Outcome.TIMEOUT);
        });
        assertThat(hangs.started()).isOne();
    }

    @Test
    void aPipelineThatCannotAnswerHasAllTheTime() {
        ScriptedAction<String> slow =
                ScriptedAction.<String>on(time).returns("live").after(ofMillis(99));
        Pipeline inner = pipeline("inner", RetryPolicy.ofDefaults());
        Pipeline outer = pipeline("outer", DeadlinePolicy.of(LIMIT));
        CompletableFuture<String> value = time.spawn(() -> outer.call(() -> inner.call(slow::call)));
        time.run();
        assertThat(value).isCompletedWithValue("live");
    }

    @Test
    void anEighthOfTheTimeIsKeptAndAtMostTwentyFiveMilliseconds() {
        for (Duration[] limitAndTime : new Duration[][] {
            {ofMillis(80), ofMillis(70)}, {ofMillis(200), ofMillis(175)}, {ofSeconds(10), ofMillis(9975)}
        }) {
            ScriptedAction<String> hangs = ScriptedAction.<String>on(time).hangs();
            Pipeline inner = pipeline("inner", FallbackPolicy.value("instead"));
            long began = time.nanos();
            CompletableFuture<String> value =
                    time.spawn(() -> Deadline.within(time, limitAndTime[0], () -> inner.call(hangs::call)));
            time.run();
            assertThat(value).isCompletedWithValue("instead");
            assertThat(time.nanos() - began).isEqualTo(limitAndTime[1].toNanos());
        }
    }

    @Test
    void itsOwnDeadlineIsNotMadeShorter() {
        ScriptedAction<String> slow =
                ScriptedAction.<String>on(time).returns("live").after(ofMillis(99));
        Pipeline pipeline = pipeline("inner", FallbackPolicy.value("instead"));
        CompletableFuture<String> value = time.spawn(() ->
                pipeline.<String>operation("stock").unkeyed().deadline(LIMIT).call(attempt -> slow.call()));
        time.run();
        assertThat(value).isCompletedWithValue("live");
    }

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private static <E extends Throwable> RuntimeException sneaky(Throwable error) throws E {
        throw (E) error;
    }

    @ParameterizedTest
    @CsvSource({"1, true", "1, false", "2, true", "2, false", "3, true", "3, false", "4, true", "4, false"})
    void deadlineOfTheCallIsNoFailureOfTheDependencyHoweverManyPipelinesEndSooner(int deep, boolean async) {
        CircuitBreakerPolicy breaker = CircuitBreakerPolicy.ofDefaults();
        RetryPolicy retry = RetryPolicy.ofDefaults();
        Pipeline outer = pipeline("outer", retry, breaker);
        List<Pipeline> inward = new ArrayList<>();
        for (int i = 1; i < deep; i++) {
            boolean innermost = i == deep - 1;
            FallbackPolicy fails = FallbackPolicy.of(error -> {
                throw sneaky(error);
            });
            inward.add(
                    innermost || i % 2 == 0
                            ? pipeline("inner" + i, fails, RetryPolicy.ofDefaults())
                            : pipeline("middle" + i, RetryPolicy.ofDefaults()));
        }
        ScriptedAction<String> slow =
                ScriptedAction.<String>on(time).returns("x").after(ofMillis(50));
        Call<String> call = outer.<String>operation("order").unkeyed().deadline(ofMillis(20));
        for (int n = 1; n <= 40; n++) {
            CompletableFuture<String> reply = async
                    ? call.callAsync(attempt -> throughAsync(inward, slow))
                    : time.spawn(() -> call.call(attempt -> through(inward, slow)));
            time.run();
            assertThatCall(reply)
                    .isInstanceOfSatisfying(
                            CallTimeoutException.class,
                            timeout -> assertThat(timeout.pipeline() + " " + timeout.policy())
                                    .isEqualTo("outer call"));
            assertThat(slow.started()).isEqualTo(n);
        }
        assertThat(breaker.state()).isEqualTo(CircuitBreakerPolicy.State.CLOSED);
        assertThat(retry.budget().orElseThrow().tokens()).isEqualTo(10);
    }
}
