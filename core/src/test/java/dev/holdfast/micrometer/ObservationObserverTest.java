/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.micrometer;

import static dev.holdfast.contract.Lab.millis;
import static dev.holdfast.contract.Step.error;
import static dev.holdfast.contract.Step.value;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Attempt;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.Reply.Source;
import dev.holdfast.Verdict;
import dev.holdfast.contract.Decision;
import dev.holdfast.contract.Lab;
import dev.holdfast.contract.Script;
import dev.holdfast.contract.Step;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.micrometer.ObservationObserver.AttemptObservation;
import dev.holdfast.micrometer.ObservationObserver.CallObservation;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Passage.Fault;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.timeout.TimeoutPolicy;
import io.micrometer.common.KeyValue;
import io.micrometer.common.KeyValues;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.observation.DefaultMeterObservationHandler;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.observation.GlobalObservationConvention;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.tck.TestObservationRegistry;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The observations of calls and attempts, by both ways alike. The registry refuses what is out of turn. */
@ThreadKind.Each
class ObservationObserverTest {
    private final Recorder recorder = new Recorder();
    private final ObservationRegistry registry = registry();
    private final Lab lab = new Lab();
    /** What was current while actions and other functions of the user ran. */
    private final List<String> current = Collections.synchronizedList(new ArrayList<>());

    private ObservationRegistry registry() {
        ObservationRegistry made = TestObservationRegistry.create();
        made.observationConfig().observationHandler(recorder);
        return made;
    }

    @AfterEach
    void nothingStaysOnAnyThread() {
        lab.close();
        assertThat(recorder.scopes.values()).allMatch(open -> open == 0);
        assertThat(registry.getCurrentObservationScope()).isNull();
    }

    /** Writes down what happens to observations. */
    private static final class Recorder implements ObservationHandler<Observation.Context> {
        final List<Observation.Context> started = Collections.synchronizedList(new ArrayList<>());
        final Map<Observation.Context, List<String>> events = new ConcurrentHashMap<>();
        final Map<Observation.Context, Boolean> stopped = new ConcurrentHashMap<>();
        final Map<Thread, Integer> scopes = new ConcurrentHashMap<>();

        @Override
        public void onStart(Observation.Context context) {
            started.add(context);
        }

        @Override
        public void onEvent(Observation.Event event, Observation.Context context) {
            events.computeIfAbsent(context, c -> new ArrayList<>())
                    .add(event.getName() + " (" + event.getContextualName() + ")");
        }

        @Override
        public void onScopeOpened(Observation.Context context) {
            scopes.merge(Thread.currentThread(), 1, Integer::sum);
        }

        @Override
        public void onScopeClosed(Observation.Context context) {
            scopes.merge(Thread.currentThread(), -1, Integer::sum);
        }

        @Override
        public void onStop(Observation.Context context) {
            stopped.put(context, true);
        }

        @Override
        public boolean supportsContext(Observation.Context context) {
            return true;
        }

        /** Each one in the order of their starts: name, parent, values, error and events. */
        List<String> told() {
            return List.copyOf(started).stream().map(this::text).toList();
        }

        private String text(Observation.Context context) {
            return called(context) + " < "
                    + (context.getParentObservation() == null
                            ? "nothing"
                            : called(context.getParentObservation().getContextView()))
                    + values(context)
                    + (context.getError() == null
                            ? ""
                            : " " + context.getError().getClass().getSimpleName())
                    + events.getOrDefault(context, List.of()).stream()
                            .map(event -> " " + event)
                            .collect(Collectors.joining())
                    + (stopped.containsKey(context) ? "" : " under way");
        }
    }

    private static String called(Observation.ContextView context) {
        String name = Objects.requireNonNullElse(context.getContextualName(), context.getName());
        return context instanceof AttemptObservation attempt ? name + " " + attempt.number() : name;
    }

    private static String values(Observation.Context context) {
        return StreamSupport.stream(context.getAllKeyValues().spliterator(), false)
                .filter(value ->
                        !List.of("holdfast.pipeline", "holdfast.operation").contains(value.getKey())
                                && !List.of("holdfast.background=false", "holdfast.hedge=false")
                                        .contains(value.getKey() + "=" + value.getValue()))
                .sorted()
                .map(value -> " " + value.getKey().replace("holdfast.", "") + "=" + value.getValue())
                .collect(Collectors.joining());
    }

    private ObservationObserverTest layers(Policy... policies) {
        lab.building(builder -> builder.observer(new ObservationObserver(registry)));
        lab.layers(policies);
        return this;
    }

    private static RetryPolicy retry(int attempts) {
        return RetryPolicy.of(
                r -> r.maxAttempts(attempts).initialBackoff(millis(10)).jitter(Jitter.NONE));
    }

    private static IOException ill() {
        return new IOException("ill");
    }

    private void see() {
        Observation seen = registry.getCurrentObservation();
        current.add(seen == null ? "nothing" : called(seen.getContextView()));
    }

    private Object act(Script script, Attempt attempt) throws Exception {
        see();
        try {
            return script.act(attempt);
        } finally {
            see();
        }
    }

    private CompletionStage<Object> actAsync(Script script, Attempt attempt) {
        see();
        CompletionStage<Object> stage = script.actAsync(attempt);
        see();
        return stage;
    }

    /** Makes a call inside an observation named request. */
    private CompletableFuture<Object> start(Way way, Step... steps) {
        Script script = lab.script(steps);
        Observation request = Observation.start("request", registry);
        CompletableFuture<Object> end;
        if (way == Way.CALL) {
            end = lab.time.spawn(() -> request.scopedChecked(() -> {
                Object answer = lab.operation().unkeyed().call(attempt -> act(script, attempt));
                assertThat(registry.getCurrentObservation()).isSameAs(request);
                return answer;
            }));
        } else {
            end = request.scoped(() -> {
                CompletableFuture<Object> future =
                        lab.operation().unkeyed().callAsync(attempt -> actAsync(script, attempt));
                assertThat(registry.getCurrentObservation()).isSameAs(request);
                return future;
            });
        }
        return end.whenComplete((answer, error) -> request.stop());
    }

    private CompletableFuture<Object> run(Way way, Step... steps) {
        CompletableFuture<Object> end = start(way, steps);
        lab.time.run();
        assertThat(end).isDone();
        return end;
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void eachAttemptIsAChildOfItsCallAndCurrentWhileItsActionRuns(Way way) {
        layers(retry(3), TimeoutPolicy.of(millis(5)));
        assertThat(run(way, error(ill()).after(2), value("never").after(9), value("v")))
                .isCompletedWithValue("v");
        assertThat(recorder.told())
                .containsExactly(
                        "request < nothing",
                        "call lab test < request attempts=3 outcome=success source=live",
                        "attempt lab test 1 < call lab test attempt=1 outcome=failure IOException",
                        "attempt lab test 2 < call lab test attempt=2 outcome=timeout http.request.resend_count=1"
                                + " CallTimeoutException",
                        "attempt lab test 3 < call lab test attempt=3 outcome=success http.request.resend_count=2");
        assertThat(current)
                .containsExactly(
                        "holdfast.attempt 1",
                        "holdfast.attempt 1",
                        "holdfast.attempt 2",
                        "holdfast.attempt 2",
                        "holdfast.attempt 3",
                        "holdfast.attempt 3");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callThatFailsHasItsErrorAndOneWithoutRequestHasNoParent(Way way) {
        layers(retry(1));
        lab.run(way, error(ill()));
        assertThat(recorder.told())
                .containsExactly(
                        "call lab test < nothing attempts=1 outcome=failure source=live IOException",
                        "attempt lab test 1 < call lab test attempt=1 outcome=failure IOException");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void answerThatTheClassifierCallsAFailureIsAnErrorAndOneThatIsTheCallersFaultIsNone(Way way) {
        lab.building(builder ->
                builder.classifier((answer, error) -> "503".equals(answer) ? Verdict.FAILURE : Verdict.IGNORED));
        layers(retry(2));
        assertThat(run(way, value("503"), value("404"))).isCompletedWithValue("404");
        assertThat(recorder.told())
                .containsExactly(
                        "request < nothing",
                        "call lab test < request attempts=2 outcome=ignored source=live",
                        "attempt lab test 1 < call lab test attempt=1 outcome=failure ClassifiedAsFailure",
                        "attempt lab test 2 < call lab test attempt=2 outcome=ignored http.request.resend_count=1");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void rejectionIsAnEventOfItsCallWithPolicyAndReason(Way way) {
        AtomicInteger entries = new AtomicInteger();
        layers(
                retry(2),
                lab.probe("gate")
                        .entering(passage -> entries.getAndIncrement() == 0 ? Decision.GO_ON : Decision.REJECT));
        assertThat(run(way, error(ill()))).isCompletedExceptionally();
        assertThat(recorder.told())
                .hasSize(3)
                .contains(
                        "call lab test < request attempts=1 outcome=failure source=live IOException"
                                + " rejected (rejected by gate: other)",
                        "attempt lab test 1 < call lab test attempt=1 outcome=failure IOException");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void staleAnswerHasItsSourceAndAge(Way way) {
        layers(new Policy("cache", Policy.FAILURE) {
            @Override
            public int settle(Passage passage) {
                return passage.answer("old", Source.STALE_ON_ERROR, 2_500_000_000L);
            }
        });
        assertThat(run(way, error(ill()))).isCompletedWithValue("old");
        assertThat(recorder.told())
                .contains("call lab test < request attempts=1 outcome=success source=stale_on_error stale.age=2.5");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void hedgeIsAChildOfTheCallAndLinkedToTheSlowAttempt(Way way) {
        layers(HedgePolicy.of(h -> h.delay(millis(20))));
        assertThat(run(way, value("slow").after(500), value("fast").after(10))).isCompletedWithValue("fast");
        assertThat(recorder.told())
                .containsExactly(
                        "request < nothing",
                        "call lab test < request attempts=2 outcome=success source=live",
                        "attempt lab test 1 < call lab test attempt=1 outcome=cancelled",
                        "attempt lab test 2 < call lab test attempt=2 hedge=true outcome=success"
                                + " http.request.resend_count=1");
        List<AttemptObservation> attempts = recorder.started.stream()
                .filter(AttemptObservation.class::isInstance)
                .map(AttemptObservation.class::cast)
                .toList();
        assertThat(attempts.get(0).linked()).isNull();
        assertThat(Objects.requireNonNull(attempts.get(1).linked()).getContextView())
                .isSameAs(attempts.get(0));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void hedgeThatLosesIsNoError(Way way) {
        layers(HedgePolicy.of(h -> h.delay(millis(20))));
        assertThat(run(way, value("slow").after(30), value("slower").after(500)))
                .isCompletedWithValue("slow");
        assertThat(recorder.told())
                .contains("attempt lab test 2 < call lab test attempt=2 hedge=true outcome=cancelled"
                        + " http.request.resend_count=1");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callOfAPipelineInsideAnAttemptIsItsChild(Way way) {
        Pipeline inner = Pipeline.builder("inner")
                .observer(new ObservationObserver(registry))
                .time(lab.time)
                .build();
        layers();
        CompletableFuture<Object> end = way == Way.CALL
                ? lab.time.spawn(() -> lab.operation().unkeyed().call(attempt -> inner.call(() -> "v")))
                : lab.operation()
                        .unkeyed()
                        .callAsync(attempt ->
                                inner.callAsync(() -> lab.script(value("v")).actAsync(attempt)));
        lab.time.run();
        assertThat(end).isCompletedWithValue("v");
        assertThat(recorder.told())
                .containsExactly(
                        "call lab test < nothing attempts=1 outcome=success source=live",
                        "attempt lab test 1 < call lab test attempt=1 outcome=success",
                        "call inner < attempt lab test 1 attempts=1 outcome=success source=live",
                        "attempt inner 1 < call inner attempt=1 outcome=success");
    }

    private static Policy isolation() {
        return new Policy("isolation", 0) {
            @Override
            public int dedicatedThreads() {
                return 4;
            }
        };
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void attemptIsCurrentOnADedicatedThread(Way way) {
        layers(retry(2), isolation());
        assertThat(run(way, error(ill()).after(2), value("v").after(2))).isCompletedWithValue("v");
        assertThat(recorder.told())
                .containsExactly(
                        "request < nothing",
                        "call lab test < request attempts=2 outcome=success source=live",
                        "attempt lab test 1 < call lab test attempt=1 outcome=failure IOException",
                        "attempt lab test 2 < call lab test attempt=2 outcome=success http.request.resend_count=1");
        assertThat(current)
                .containsExactly(
                        "holdfast.attempt 1", "holdfast.attempt 1", "holdfast.attempt 2", "holdfast.attempt 2");
    }

    @Test
    void attemptOnADedicatedThreadEndsWhenItsWorkReallyEnds() {
        layers(isolation(), TimeoutPolicy.of(millis(50)));
        CompletableFuture<Object> end = start(Way.CALL, value("late").after(300).stubbornly());
        lab.time.advance(millis(60));
        assertThat(end).isCompletedExceptionally();
        assertThat(recorder.told())
                .contains(
                        "call lab test < request attempts=1 outcome=timeout source=live CallTimeoutException",
                        "holdfast.attempt 1 < call lab test attempt=1 outcome=none under way");
        lab.time.run();
        assertThat(recorder.told())
                .contains("attempt lab test 1 < call lab test attempt=1 left=true outcome=timeout"
                        + " CallTimeoutException");
    }

    @Test
    void stageThatGoesOnIsMarkedAsLeft() {
        layers(TimeoutPolicy.of(millis(50)));
        CompletableFuture<Object> end =
                start(Way.CALL_ASYNC, value("late").after(300).stubbornly());
        lab.time.advance(millis(60));
        assertThat(end).isCompletedExceptionally();
        assertThat(recorder.told())
                .contains("attempt lab test 1 < call lab test attempt=1 left=true outcome=timeout"
                        + " CallTimeoutException");
        lab.time.run();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void attemptOfACallThatIsGivenUpEnds(Way way) {
        layers(retry(3));
        lab.giveUpAfter(5, way, value("never").after(100));
        String outcome = way == Way.CALL ? "interrupted" : "cancelled";
        assertThat(recorder.told())
                .hasSize(2)
                .noneMatch(text -> text.contains("under way"))
                .last()
                .asString()
                .startsWith("attempt lab test 1 < call lab test attempt=1 outcome=" + outcome);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void threadThatIsNotThereLeavesNoAttemptBehind(Way way) {
        Executor refusing = task -> {
            task.run();
            throw new RejectedExecutionException("taken all the same");
        };
        TimeSource time = (TimeSource) Proxy.newProxyInstance(
                TimeSource.class.getClassLoader(),
                new Class<?>[] {TimeSource.class},
                (proxy, method, arguments) ->
                        method.getName().equals("executor") ? refusing : method.invoke(lab.time, arguments));
        lab.building(builder -> builder.time(time));
        layers(isolation());
        lab.run(way, value("v"));
        assertThat(recorder.told())
                .first()
                .asString()
                .endsWith("attempts=0 outcome=rejected source=live CallRejectedException rejected (rejected by"
                        + " pipeline: executor_full)");
        assertThat(recorder.told()).noneMatch(text -> text.contains("under way"));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void simulatedFaultIsAnAttempt(Way way) {
        layers(retry(2), new Policy("chaos", Policy.ENTER) {
            @Override
            public int enter(Passage passage) {
                passage.inject(
                        passage.attempts() == 0
                                ? Fault.instead(() -> {
                                    throw ill();
                                })
                                : Fault.delay(7_000_000));
                return PROCEED;
            }
        });
        assertThat(run(way, value("v"))).isCompletedWithValue("v");
        assertThat(recorder.told())
                .containsExactly(
                        "request < nothing",
                        "call lab test < request attempts=2 outcome=success source=live",
                        "attempt lab test 1 < call lab test attempt=1 outcome=failure IOException",
                        "attempt lab test 2 < call lab test attempt=2 outcome=success http.request.resend_count=1");
        assertThat(current).containsExactly("holdfast.attempt 2", "holdfast.attempt 2");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callIsCurrentWhileItsFallbackRuns(Way way) {
        layers(FallbackPolicy.of(error -> {
            see();
            return "instead";
        }));
        assertThat(run(way, error(ill()).after(1))).isCompletedWithValue("instead");
        assertThat(current).containsExactly("holdfast.attempt 1", "holdfast.attempt 1", "holdfast.call");
        assertThat(recorder.told()).contains("call lab test < request attempts=1 outcome=success source=fallback");
    }

    /** Answers from memory, and loads in the background. */
    private static final class Refreshing extends Policy {
        Refreshing() {
            super("refreshing", ENTER);
        }

        @Override
        public int enter(Passage passage) {
            passage.beside().fork("fork", 1_000_000_000);
            return passage.answer("old", Source.STALE_REVALIDATING, 500_000_000);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void refreshInTheBackgroundIsAChildOfTheCallThatAskedForIt(Way way) {
        layers(new Refreshing());
        CompletableFuture<Object> end;
        if (way == Way.CALL) {
            Operation.Decorated<String, Object, RuntimeException> get = lab.operation()
                    .decorate((String key) -> {
                        see();
                        return "new";
                    });
            end = lab.time.spawn(() -> get.apply("k"));
        } else {
            end = lab.operation()
                    .decorateAsync((String key) -> {
                        see();
                        return CompletableFuture.<Object>completedFuture("new");
                    })
                    .apply("k");
        }
        lab.time.run();
        assertThat(end).isCompletedWithValue("old");
        assertThat(recorder.told())
                .containsExactly(
                        "call lab test < nothing attempts=0 outcome=success source=stale_revalidating stale.age=0.5",
                        "call lab test < call lab test attempts=1 background=true outcome=success source=live",
                        "attempt lab test 1 < call lab test attempt=1 outcome=success");
        assertThat(current).containsExactly("holdfast.attempt 1");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void replacedPipelineIsFollowedAsBeforeAndAClosedOneToo(Way way) {
        layers(retry(2));
        lab.pipeline().replace(retry(1));
        lab.run(way, value("v"));
        lab.pipeline().close();
        lab.run(way, value("v"));
        assertThat(recorder.told())
                .containsExactly(
                        "call lab test < nothing attempts=1 outcome=success source=live",
                        "attempt lab test 1 < call lab test attempt=1 outcome=success",
                        "call lab test < nothing attempts=0 outcome=rejected source=live CallRejectedException"
                                + " rejected (rejected by pipeline: closed)");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    @Logs("an observer of 'lab' threw; told once: .*broken handler")
    void handlerThatThrowsBreaksNoCallAndLeavesNothingCurrent(Way way) {
        registry.observationConfig().observationHandler(new ObservationHandler<AttemptObservation>() {
            @Override
            public void onScopeOpened(AttemptObservation context) {
                throw new IllegalStateException("broken handler");
            }

            @Override
            public boolean supportsContext(Observation.Context context) {
                return context instanceof AttemptObservation;
            }
        });
        layers(retry(2));
        Script script = lab.script(error(ill()), value("v"));
        CompletableFuture<Object> end = way == Way.CALL
                ? lab.time.spawn(() -> lab.operation().unkeyed().call(attempt -> act(script, attempt)))
                : lab.operation().unkeyed().callAsync(attempt -> actAsync(script, attempt));
        lab.time.run();
        assertThat(end).isCompletedWithValue("v");
        assertThat(current).containsOnly("nothing");
        assertThat(recorder.told()).hasSize(3).noneMatch(text -> text.contains("under way"));
        // The recorder's own scopes were opened, and Micrometer gave nobody a scope to close.
        recorder.scopes.clear();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    @Logs("a handler of observations of 'lab' threw at the end of a scope; told once.*broken at the end")
    void handlerThatThrowsAtTheEndOfAScopeLeavesNothingCurrent(Way way) {
        registry.observationConfig().observationHandler(new ObservationHandler<Observation.Context>() {
            @Override
            public void onScopeClosed(Observation.Context context) {
                throw new IllegalStateException("broken at the end");
            }

            @Override
            public boolean supportsContext(Observation.Context context) {
                return context instanceof CallObservation || context instanceof AttemptObservation;
            }
        });
        layers(retry(2));
        assertThat(run(way, error(ill()), value("v"))).isCompletedWithValue("v");
        assertThat(recorder.told()).hasSize(4).noneMatch(text -> text.contains("under way"));
        assertThat(lab.pipeline().call(() -> "on this thread")).isEqualTo("on this thread");
        assertThat(registry.getCurrentObservationScope()).isNull();
        // The handler that throws is told first, and Micrometer does not tell the recorder then.
        recorder.scopes.clear();
    }

    @Test
    void registryThatDoesNothingFollowsNothing() {
        assertThat(new ObservationObserver(ObservationRegistry.NOOP).tracer("p"))
                .isNull();
        ObservationRegistry empty = ObservationRegistry.create();
        assertThat(Objects.requireNonNull(new ObservationObserver(empty).tracer("p"))
                        .begins("stock"))
                .isNull();
        empty.observationConfig().observationHandler(recorder);
        assertThat(Objects.requireNonNull(new ObservationObserver(empty).tracer("p"))
                        .begins("stock"))
                .isNotNull();
    }

    @Test
    void operationsAreBoundedAndTagsOfMetersAlwaysTheSame() {
        SimpleMeterRegistry meters = new SimpleMeterRegistry();
        registry.observationConfig().observationHandler(new DefaultMeterObservationHandler(meters));
        layers(retry(2), HedgePolicy.of(h -> h.delay(millis(20))));
        assertThat(run(Way.CALL, value("slow").after(500), value("fast").after(10)))
                .isCompletedWithValue("fast");
        assertThat(run(Way.CALL_ASYNC, error(ill()))).isCompletedExceptionally();
        for (int i = 0; i < 150; i++) {
            lab.pipeline().operation("op" + i).unkeyed().call(attempt -> "v");
        }
        assertThat(lab.pipeline().call(() -> "v")).isEqualTo("v");
        Map<String, List<List<String>>> keys = meters.getMeters().stream()
                .filter(meter -> meter.getId().getName().startsWith("holdfast."))
                .collect(Collectors.groupingBy(
                        meter -> meter.getId().getName() + " " + meter.getId().getType(),
                        Collectors.mapping(ObservationObserverTest::tagKeys, Collectors.toList())));
        assertThat(keys)
                .containsKeys("holdfast.call TIMER", "holdfast.attempt TIMER")
                .allSatisfy((name, sets) ->
                        assertThat(sets.stream().distinct()).as(name).hasSize(1));
        assertThat(meters.get("holdfast.call").timers().stream()
                        .map(timer -> timer.getId().getTag("holdfast.operation"))
                        .distinct())
                .hasSize(102)
                .contains("none", "other", "op0", "op98")
                .doesNotContain("op99");
    }

    private static List<String> tagKeys(Meter meter) {
        return meter.getId().getTags().stream().map(Tag::getKey).toList();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callIsCurrentInItsActionIfAttemptsAreNotObserved(Way way) {
        registry.observationConfig().observationPredicate((name, context) -> !(context instanceof AttemptObservation));
        layers(retry(2));
        assertThat(run(way, error(ill()).after(1), value("v"))).isCompletedWithValue("v");
        assertThat(recorder.told())
                .containsExactly("request < nothing", "call lab test < request attempts=2 outcome=success source=live");
        assertThat(current).hasSize(4).containsOnly("holdfast.call");
    }

    @Test
    void conventionOfTheRegistryComesFirst() {
        registry.observationConfig().observationConvention(new GlobalObservationConvention<CallObservation>() {
            @Override
            public boolean supportsContext(Observation.Context context) {
                return context instanceof CallObservation;
            }

            @Override
            public String getName() {
                return "outbound";
            }

            @Override
            public @Nullable String getContextualName(CallObservation call) {
                return call.pipeline() + "/" + call.operation() + " in " + call.attempts();
            }

            @Override
            public KeyValues getLowCardinalityKeyValues(CallObservation call) {
                return KeyValues.of(KeyValue.of("how", String.valueOf(call.outcome())));
            }
        });
        layers();
        assertThat(run(Way.CALL, value("v"))).isCompletedWithValue("v");
        assertThat(recorder.told()).contains("lab/test in 1 < request how=SUCCESS");
    }
}
