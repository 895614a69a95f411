/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.parity;

import static dev.holdfast.contract.Lab.millis;
import static dev.holdfast.contract.Step.error;
import static dev.holdfast.contract.Step.value;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call;
import dev.holdfast.CallRejectedException;
import dev.holdfast.Classifier;
import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.Verdict;
import dev.holdfast.contract.Decision;
import dev.holdfast.contract.Lab;
import dev.holdfast.contract.Step;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.fallback.FallbackSettings;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.net.ConnectException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** One set of scenarios through both ways: the same end at the same time, and everybody was told the same in between. */
@Logs({
    "two-retries",
    "timeout-outside-retry",
    "timeout-not-below-deadline",
    "deadline-not-outermost",
    "fallback-inside-retry"
})
@ThreadKind.Each
@Logs(value = "attempts-beyond-deadline", sometimes = true)
class ParityTest {
    private static final Step NEVER = value("never").after(1_000);

    /**
     * What is called, and how it must end.
     *
     * @param layers outermost first; made anew for each way
     * @param classifier what answers mean
     */
    private record Scenario(
            String name,
            Function<Lab, List<? extends Policy>> layers,
            Classifier classifier,
            UnaryOperator<Call<Object>> options,
            List<Step> steps,
            String what,
            int attempts,
            long afterMillis) {

        Scenario classifier(Classifier value) {
            return new Scenario(name, layers, value, options, steps, what, attempts, afterMillis);
        }

        Scenario options(UnaryOperator<Call<Object>> value) {
            return new Scenario(name, layers, classifier, value, steps, what, attempts, afterMillis);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    private static final class Of {
        private final String name;
        private final Function<Lab, List<? extends Policy>> layers;
        private List<Step> steps = List.of();

        Of(String name, Function<Lab, List<? extends Policy>> layers) {
            this.name = name;
            this.layers = layers;
        }

        Of steps(Step... value) {
            steps = List.of(value);
            return this;
        }

        Scenario ends(String what, int attempts, long afterMillis) {
            return new Scenario(name, layers, Classifier.DEFAULT, call -> call, steps, what, attempts, afterMillis);
        }
    }

    private static Of of(String name, Policy... layers) {
        return new Of(name, lab -> List.of(layers));
    }

    private static RetryPolicy retry(int attempts) {
        return RetryPolicy.of(
                r -> r.maxAttempts(attempts).initialBackoff(millis(10)).jitter(Jitter.NONE));
    }

    private static TimeoutPolicy timeout(long millis) {
        return TimeoutPolicy.of(millis(millis));
    }

    private static DeadlinePolicy deadline(long millis) {
        return DeadlinePolicy.of(millis(millis));
    }

    private static Completion comes(Lab lab, long millis) {
        Completion completion = new Completion();
        lab.time.schedule(millis(millis).toNanos(), completion::complete);
        return completion;
    }

    private static CompletableFuture<Object> stage(Lab lab, long millis, Object value) {
        CompletableFuture<Object> stage = new CompletableFuture<>();
        lab.time.schedule(millis(millis).toNanos(), () -> stage.complete(value));
        return stage;
    }

    static Stream<Scenario> scenarios() {
        return Stream.of(plain(), retries(), limits(), waits(), fallbacks(), verdicts())
                .flatMap(s -> s);
    }

    private static IOException ill() {
        return new IOException("ill");
    }

    private static Stream<Scenario> plain() {
        return Stream.of(
                of("no policy, value").steps(value("v").after(3)).ends("v from LIVE", 1, 3),
                of("no policy, no time").steps(value("v")).ends("v from LIVE", 1, 0),
                of("no policy, null")
                        .steps(new Step(Duration.ZERO, null, null, false))
                        .ends("null from LIVE", 1, 0),
                of("no policy, exception").steps(error(ill()).after(3)).ends("IOException: ill", 1, 3),
                of("no policy, error")
                        .steps(error(new AssertionError("broken")))
                        .ends("AssertionError: broken", 1, 0),
                new Of("layers that only look", lab -> List.of(lab.probe("a"), lab.probe("b"), lab.probe("c")))
                        .steps(value("v").after(1))
                        .ends("v from LIVE", 1, 1));
    }

    private static Stream<Scenario> retries() {
        CallRejectedException turnedAway =
                new CallRejectedException(Reason.CIRCUIT_OPEN, "x", "circuit-breaker", "open", -1, null);
        return Stream.of(
                of("retry, second is well", retry(3))
                        .steps(error(ill()), value("2"))
                        .ends("2 from LIVE", 2, 10),
                of("retry, third is well", retry(3))
                        .steps(
                                error(ill()).after(1),
                                error(ill()).after(2),
                                value("3").after(3))
                        .ends("3 from LIVE", 3, 36),
                of("retry, all are used up", retry(3)).steps(error(ill())).ends("IOException: ill", 3, 30),
                of("retry, machine error", retry(3))
                        .steps(error(new StackOverflowError("deep")))
                        .ends("StackOverflowError: deep", 1, 0),
                of("retry, error", retry(2))
                        .steps(error(new AssertionError("a")))
                        .ends("AssertionError: a", 2, 10),
                of("retry, rejection of another pipeline", retry(3))
                        .steps(error(turnedAway))
                        .ends("rejected by circuit-breaker: CIRCUIT_OPEN", 1, 0),
                of("retry in retry", retry(2), retry(2)).steps(error(ill())).ends("IOException: ill", 2, 10),
                of("retry, not idempotent, broken", retry(3))
                        .steps(error(ill()))
                        .ends("IOException: ill", 1, 0)
                        .options(call -> call.idempotent(false)),
                of("retry, not idempotent, never connected", retry(2))
                        .steps(error(new ConnectException("refused")), value("2"))
                        .ends("2 from LIVE", 2, 10)
                        .options(call -> call.idempotent(false)),
                of("retry, not idempotent, timeout", retry(3), timeout(5))
                        .steps(NEVER)
                        .ends("timeout of timeout", 1, 5)
                        .options(call -> call.idempotent(false)),
                new Of(
                                "retry, second try is turned away",
                                lab -> List.of(
                                        retry(3),
                                        lab.probe("gate")
                                                .entering(p -> p.attempts() == 1 ? Decision.REJECT : Decision.GO_ON)))
                        .steps(error(ill()))
                        .ends("IOException: ill", 1, 10),
                new Of(
                                "retry, held back further in",
                                lab -> List.of(retry(2), lab.probe("breaker").settling(p -> {
                                    p.holdRetry(millis(70).toNanos());
                                    return Decision.GO_ON;
                                })))
                        .steps(error(ill()), value("2"))
                        .ends("2 from LIVE", 2, 70));
    }

    private static Stream<Scenario> limits() {
        return Stream.of(
                of("timeout strikes", timeout(5)).steps(NEVER).ends("timeout of timeout", 1, 5),
                of("timeout does not strike", timeout(5))
                        .steps(value("v").after(4))
                        .ends("v from LIVE", 1, 4),
                of("timeout, failure in time", timeout(5))
                        .steps(error(ill()).after(4))
                        .ends("IOException: ill", 1, 4),
                of("timeout is tried again", retry(2), timeout(5)).steps(NEVER).ends("timeout of timeout", 2, 20),
                of("retry inside a timeout", timeout(5), retry(2)).steps(NEVER).ends("timeout of timeout", 1, 5),
                of("two timeouts, inner", timeout(9), timeout(5)).steps(NEVER).ends("timeout of timeout-2", 1, 5),
                of("deadline in the first attempt", deadline(8), retry(3), timeout(20))
                        .steps(NEVER)
                        .ends("timeout of deadline", 1, 8),
                of("deadline in the second attempt", deadline(18), retry(3), timeout(5))
                        .steps(NEVER)
                        .ends("timeout of deadline", 2, 18),
                of("deadline, retry does not fit", deadline(12), retry(3), timeout(5))
                        .steps(NEVER)
                        .ends("timeout of timeout", 1, 5),
                of("deadline of the call", retry(3))
                        .steps(NEVER)
                        .ends("timeout of call", 1, 7)
                        .options(call -> call.deadline(millis(7))),
                of("deadline of the call is longer", timeout(5))
                        .steps(NEVER)
                        .ends("timeout of timeout", 1, 5)
                        .options(call -> call.deadline(millis(7))));
    }

    private static Stream<Scenario> waits() {
        return Stream.of(
                new Of("pause", lab -> List.of(lab.probe("p").entering(p -> Decision.pause(4))))
                        .steps(value("v").after(2))
                        .ends("v from LIVE", 1, 6),
                new Of(
                                "two pauses and a retry",
                                lab -> List.of(
                                        lab.probe("o").entering(p -> Decision.pause(4)),
                                        retry(2),
                                        lab.probe("i").entering(p -> Decision.pause(3))))
                        .steps(error(ill()), value("2"))
                        .ends("2 from LIVE", 2, 20),
                new Of(
                                "pause that does not fit",
                                lab -> List.of(deadline(5), lab.probe("p").entering(p -> Decision.pause(6))))
                        .steps(value("never"))
                        .ends("rejected by deadline: DEADLINE_EXCEEDED", 0, 0),
                new Of(
                                "pause that would leave no time",
                                lab -> List.of(deadline(5), lab.probe("p").entering(p -> Decision.pause(5))))
                        .steps(value("never"))
                        .ends("rejected by deadline: DEADLINE_EXCEEDED", 0, 0),
                new Of("await", lab -> {
                            Completion turn = comes(lab, 6);
                            return List.of(lab.probe("q")
                                    .entering(p -> turn.isDone() ? Decision.GO_ON : Decision.await(turn)));
                        })
                        .steps(value("v").after(1))
                        .ends("v from LIVE", 1, 7),
                new Of("await that is over", lab -> {
                            Completion turn = comes(lab, 60);
                            return List.of(lab.probe("q")
                                    .entering(p -> p.expired() ? Decision.REJECT : Decision.await(turn, 6)));
                        })
                        .steps(value("never"))
                        .ends("rejected by q: OTHER", 0, 6),
                new Of("await ended by the deadline", lab -> {
                            Completion turn = comes(lab, 60);
                            return List.of(deadline(5), lab.probe("q").entering(p -> Decision.await(turn, 6)));
                        })
                        .steps(value("never"))
                        .ends("rejected by deadline: DEADLINE_EXCEEDED", 0, 5),
                new Of("await on the way up", lab -> {
                            Completion turn = comes(lab, 6);
                            return List.of(lab.probe("q")
                                    .settling(p -> turn.isDone() ? Decision.GO_ON : Decision.await(turn)));
                        })
                        .steps(value("v").after(1))
                        .ends("v from LIVE", 1, 6),
                new Of("await on the way up ended by the deadline keeps the value", lab -> {
                            Completion turn = comes(lab, 60);
                            return List.of(
                                    deadline(5),
                                    lab.probe("q")
                                            .settling(p -> turn.isDone() ? Decision.GO_ON : Decision.await(turn)));
                        })
                        .steps(value("v").after(1))
                        .ends("v from LIVE", 1, 5),
                new Of(
                                "no longer admitted after a pause",
                                lab -> List.of(
                                        lab.probe("b").admitting(p -> Decision.REJECT),
                                        lab.probe("p").entering(p -> Decision.pause(4))))
                        .steps(value("never"))
                        .ends("rejected by b: OTHER", 0, 4));
    }

    private static Stream<Scenario> fallbacks() {
        return Stream.of(
                of("fallback, not needed", FallbackPolicy.value("f"))
                        .steps(value("v"))
                        .ends("v from LIVE", 1, 0),
                of("fallback value", FallbackPolicy.value("f"), retry(2))
                        .steps(error(ill()))
                        .ends("f from FALLBACK", 2, 10),
                of("fallback function", FallbackPolicy.of(error -> "f of " + error.getMessage()))
                        .steps(error(ill()).after(1))
                        .ends("f of ill from FALLBACK", 1, 1),
                of("fallback function that throws", FallbackPolicy.of(error -> {
                            throw new IllegalStateException("f");
                        }))
                        .steps(error(ill()))
                        .ends("IllegalStateException: f", 1, 0),
                of("fallback of a timeout", FallbackPolicy.value("f"), timeout(5))
                        .steps(NEVER)
                        .ends("f from FALLBACK", 1, 5),
                of("fallback outside the deadline", FallbackPolicy.value("f"), deadline(5))
                        .steps(NEVER)
                        .ends("f from FALLBACK", 1, 5),
                of("fallback inside the deadline", deadline(5), FallbackPolicy.value("f"))
                        .steps(NEVER)
                        .ends("f from FALLBACK", 1, 5),
                new Of("fallback stage", lab -> List.of(FallbackPolicy.ofAsync(error -> stage(lab, 3, "f"))))
                        .steps(error(ill()).after(1))
                        .ends("f from FALLBACK", 1, 4),
                of(
                                "fallback stage that fails",
                                FallbackPolicy.ofAsync(
                                        error -> CompletableFuture.failedFuture(new IllegalStateException("f"))))
                        .steps(error(ill()))
                        .ends("IllegalStateException: f", 1, 0),
                new Of(
                                "fallback stage too slow for the deadline",
                                lab -> List.of(deadline(5), FallbackPolicy.ofAsync(error -> stage(lab, 30, "f"))))
                        .steps(error(ill()).after(1))
                        .ends("IOException: ill", 1, 5),
                new Of(
                                "fallback stage after the deadline is not waited for",
                                lab -> List.of(deadline(5), FallbackPolicy.ofAsync(error -> stage(lab, 1, "f"))))
                        .steps(NEVER)
                        .ends("timeout of deadline", 1, 5),
                of(
                                "fallback stage that is complete after the deadline",
                                deadline(5),
                                FallbackPolicy.ofAsync(error -> CompletableFuture.completedFuture("f")))
                        .steps(NEVER)
                        .ends("f from FALLBACK", 1, 5),
                of("retry outside a fallback that throws", retry(3), FallbackPolicy.of(error -> {
                            throw new IllegalStateException("f");
                        }))
                        .steps(error(ill()), error(ill()), error(ill()))
                        .ends("IllegalStateException: f", 3, 30));
    }

    private static Stream<Scenario> verdicts() {
        Classifier strict = (value, error) -> "503".equals(value)
                ? Verdict.FAILURE
                : "429".equals(value)
                        ? Verdict.pushback(millis(25))
                        : error instanceof IllegalArgumentException
                                ? Verdict.IGNORED
                                : Classifier.DEFAULT.classify(value, error);
        Classifier broken = (value, error) -> {
            throw new IllegalStateException("classifier");
        };
        IllegalArgumentException own = new IllegalArgumentException("404");
        FallbackPolicy alsoOwn =
                FallbackPolicy.of(FallbackSettings.of(f -> f.value("f").onIgnored(true)));
        return Stream.of(
                of("failure that is a value is delivered", retry(2))
                        .steps(value("503"))
                        .ends("503 from LIVE", 2, 10)
                        .classifier(strict),
                of("failure that is a value is tried again", retry(2))
                        .steps(value("503"), value("200"))
                        .ends("200 from LIVE", 2, 10)
                        .classifier(strict),
                of("pushback is waited for", retry(2))
                        .steps(value("429"), value("200"))
                        .ends("200 from LIVE", 2, 25)
                        .classifier(strict),
                of("pushback that does not fit", deadline(20), retry(2))
                        .steps(value("429"), value("never"))
                        .ends("429 from LIVE", 1, 0)
                        .classifier(strict),
                of("own fault is not tried again", FallbackPolicy.value("f"), retry(3))
                        .steps(error(own))
                        .ends("IllegalArgumentException: 404", 1, 0)
                        .classifier(strict),
                of("own fault with a fallback for it", alsoOwn, retry(3))
                        .steps(error(own))
                        .ends("f from FALLBACK", 1, 0)
                        .classifier(strict),
                of("classifier that throws", retry(3))
                        .steps(value("v"))
                        .ends("IllegalStateException: classifier", 1, 0)
                        .classifier(broken),
                of("classifier that gives no verdict", retry(3))
                        .steps(value("v"))
                        .ends("NullPointerException: classifier", 1, 0)
                        .classifier((value, error) -> null));
    }

    private static CallObserver observer(List<String> log) {
        return (CallObserver) Proxy.newProxyInstance(
                ParityTest.class.getClassLoader(), new Class<?>[] {CallObserver.class}, (proxy, method, arguments) -> {
                    if (method.getDeclaringClass() == CallObserver.class && method.getParameterCount() > 1) {
                        log.add(method.getName() + Arrays.toString(arguments));
                    }
                    return switch (method.getName()) {
                        case "forPipeline" -> proxy;
                        case "hearsCalls" -> true;
                        default -> null;
                    };
                });
    }

    private static List<String> run(Scenario scenario, Way way) {
        try (Lab lab = new Lab()) {
            lab.building(builder -> builder.classifier(scenario.classifier()).observer(observer(lab.log)));
            lab.layers(scenario.layers().apply(lab).toArray(new Policy[0]));
            Lab.Running running =
                    lab.run(way, scenario.options(), scenario.steps().toArray(new Step[0]));
            Lab.End end = running.end();
            assertThat(end.attempts()).as("attempts").isEqualTo(scenario.attempts());
            assertThat(end.after()).as("virtual time").isEqualTo(millis(scenario.afterMillis()));
            if (scenario.what().startsWith("NullPointerException")) {
                assertThat(running.error())
                        .isInstanceOf(NullPointerException.class)
                        .hasMessageStartingWith(
                                "classifier " + scenario.classifier().getClass().getName())
                        .hasMessageEndingWith(
                                " of operation 'test' of pipeline 'lab' returned null, but must return a Verdict");
            } else {
                assertThat(end.what()).isEqualTo(scenario.what());
            }
            lab.assertLivesOver();
            return List.copyOf(lab.log);
        }
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void bothWaysEndTheSameAtTheSameTime(Scenario scenario) {
        List<String> blocking = run(scenario, Way.CALL);
        List<String> async = run(scenario, Way.CALL_ASYNC);
        assertThat(async).as("what layers and observer were told").isEqualTo(blocking);
        assertThat(blocking).last().asString().startsWith("callSettled");
        assertThat(Outcome.values())
                .anyMatch(outcome -> blocking.get(blocking.size() - 1).contains(outcome.name()));
    }
}
