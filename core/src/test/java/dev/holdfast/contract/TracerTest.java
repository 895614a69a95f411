/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import static dev.holdfast.contract.Lab.millis;
import static dev.holdfast.contract.Step.error;
import static dev.holdfast.contract.Step.value;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Attempt;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.CallContext.Scope;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.CallObserver.AttemptTrace;
import dev.holdfast.spi.CallObserver.Tracer;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What tracers are told, in which order, by both ways alike; and that one that throws breaks nothing. */
@ThreadKind.Each
class TracerTest {
    private final List<String> told = Collections.synchronizedList(new ArrayList<>());

    /** Writes down what is called, and with which thread's scope; what it is asked for it makes in the same way. */
    private <T> T recording(Class<T> type, String name, @Nullable String throwing) {
        return type.cast(Proxy.newProxyInstance(
                TracerTest.class.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
                    String called = name + method.getName();
                    if (method.getDeclaringClass() == Object.class) {
                        return called;
                    }
                    if (method.getName().equals(throwing)) {
                        throw new AssertionError("broken tracer in " + throwing);
                    }
                    told.add(called + (arguments == null ? "" : text(arguments)));
                    Class<?> asked = method.getReturnType();
                    String of = asked == AttemptTrace.class ? arguments[0] + "." : asked == Scope.class ? name : "";
                    return asked == void.class ? null : recording(asked, of, throwing);
                }));
    }

    private static String text(Object[] arguments) {
        return Arrays.stream(arguments)
                .map(argument -> argument instanceof Throwable thrown ? thrown.getMessage() : argument)
                .map(String::valueOf)
                .collect(Collectors.joining(", ", "(", ")"));
    }

    private CallObserver observer(@Nullable String throwing) {
        return new CallObserver() {
            @Override
            public Tracer tracer(String pipeline) {
                if ("tracer".equals(throwing)) {
                    throw new AssertionError("broken tracer in tracer");
                }
                return recording(Tracer.class, "", throwing);
            }
        };
    }

    private static RetryPolicy retry() {
        return RetryPolicy.of(r -> r.initialBackoff(millis(10)).jitter(Jitter.NONE));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callWithARetryIsToldFromItsBeginningToItsEnd(Way way) {
        try (Lab lab = new Lab()) {
            lab.building(builder -> builder.observer(observer(null)));
            lab.layers(retry());
            lab.run(way, error(new IOException("ill")).after(2), value("v").after(2));
            assertThat(told)
                    .containsExactly(
                            "begins(test)",
                            "attempt(1, false)",
                            "1.open",
                            "1.close",
                            "1.ended(FAILURE, false, ill)",
                            "attempt(2, false)",
                            "2.open",
                            "2.close",
                            "2.ended(SUCCESS, false, null)",
                            "ended(SUCCESS, LIVE, 0, 2, null)");
        }
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
    void attemptThatBlocksOnADedicatedThreadEndsAfterItsScopeIsClosed(Way way) {
        try (Lab lab = new Lab()) {
            lab.building(builder -> builder.observer(observer(null)));
            lab.layers(isolation(), TimeoutPolicy.of(millis(5)));
            Script script = lab.script(value("late").after(50).stubbornly());
            var unused = way == Way.CALL
                    ? lab.time.spawn(() -> lab.operation().unkeyed().call(script::act))
                    : lab.operation().unkeyed().callAsync(attempt -> blocking(script, attempt));
            lab.time.advance(millis(10));
            assertThat(told)
                    .hasSize(4)
                    .startsWith("begins(test)", "attempt(1, false)", "1.open")
                    .last()
                    .asString()
                    .startsWith("ended(TIMEOUT, LIVE, 0, 1, ");
            lab.time.run();
            assertThat(told.subList(4, told.size()))
                    .hasSize(2)
                    .startsWith("1.close")
                    .last()
                    .asString()
                    .startsWith("1.ended(TIMEOUT, true, ");
        }
    }

    private static CompletionStage<Object> blocking(Script script, Attempt attempt) {
        try {
            return CompletableFuture.completedFuture(script.act(attempt));
        } catch (Exception e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void hedgeIsToldAsOneAndItsRejectionIsTheCalls(Way way) {
        try (Lab lab = new Lab()) {
            lab.building(builder -> builder.observer(observer(null)));
            lab.layers(HedgePolicy.of(h -> h.delay(millis(5))));
            lab.run(way, value("slow").after(50), value("fast").after(5));
            assertThat(told)
                    .contains("attempt(2, true)", "2.ended(SUCCESS, false, null)", "ended(SUCCESS, LIVE, 0, 2, null)");
            told.clear();
            lab.layers(
                    HedgePolicy.of(h -> h.delay(millis(5))),
                    lab.probe("gate").entering(passage -> passage.attempts() == 0 ? Decision.GO_ON : Decision.REJECT));
            lab.run(way, value("slow").after(50));
            assertThat(told)
                    .containsExactly(
                            "begins(test)",
                            "attempt(1, false)",
                            "1.open",
                            way == Way.CALL ? "rejected(gate, OTHER)" : "1.close",
                            way == Way.CALL ? "1.close" : "rejected(gate, OTHER)",
                            "1.ended(SUCCESS, false, null)",
                            "ended(SUCCESS, LIVE, 0, 1, null)");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "CALL, tracer",
        "CALL, begins",
        "CALL, attempt",
        "CALL, open",
        "CALL, close",
        "CALL, ended",
        "CALL, rejected",
        "CALL_ASYNC, tracer",
        "CALL_ASYNC, begins",
        "CALL_ASYNC, attempt",
        "CALL_ASYNC, open",
        "CALL_ASYNC, close",
        "CALL_ASYNC, ended",
        "CALL_ASYNC, rejected"
    })
    @Logs("an observer of 'lab' threw; told once: .*broken tracer in ")
    void tracerThatThrowsBreaksNothingAndTheOtherIsTold(Way way, String where) {
        List<String> alone = Collections.synchronizedList(new ArrayList<>());
        try (Lab lab = new Lab()) {
            lab.building(builder -> builder.observer(observer(null)));
            run(lab, way);
            alone.addAll(told);
        }
        told.clear();
        try (Lab lab = new Lab()) {
            lab.building(builder -> builder.observer(observer(where)).observer(observer(null)));
            run(lab, way);
            assertThat(told).containsAll(alone);
            assertThat(Collections.frequency(told, "ended(SUCCESS, FALLBACK, 0, 1, null)"))
                    .isEqualTo(List.of("tracer", "begins", "ended").contains(where) ? 1 : 2);
        }
    }

    /** Everything that a tracer is asked, but for background calls. */
    private static void run(Lab lab, Way way) {
        lab.layers(
                FallbackPolicy.value("instead"),
                retry(),
                lab.probe("gate").entering(passage -> passage.attempts() == 0 ? Decision.GO_ON : Decision.REJECT));
        assertThat(lab.run(way, error(new IOException("ill")).after(1)).value()).isEqualTo("instead");
        lab.assertLivesOver();
    }
}
