/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import static dev.holdfast.contract.Lab.millis;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Outcome;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.CallObserver.Observed;
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
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the observer is told, by both ways alike; and that one that throws breaks nothing. */
@Logs("an observer of '.*' threw; told once: .*observer, also in hearsCalls")
@ThreadKind.Each
class ObserverTest {
    private final List<String> told = Collections.synchronizedList(new ArrayList<>());

    private CallObserver recording() {
        return (CallObserver) Proxy.newProxyInstance(
                ObserverTest.class.getClassLoader(),
                new Class<?>[] {CallObserver.class},
                (proxy, method, arguments) -> {
                    if (method.getName().equals("forPipeline")) {
                        return proxy;
                    }
                    if (method.getName().equals("hearsCalls")) {
                        return true;
                    }
                    if (method.getDeclaringClass() == CallObserver.class
                            && !method.getName().equals("tracer")) {
                        boolean ofPipeline = method.getParameterCount() == 1;
                        told.add(method.getName() + (ofPipeline ? "" : Arrays.toString(arguments)));
                    }
                    return null;
                });
    }

    private static CallObserver throwing() {
        return (CallObserver) Proxy.newProxyInstance(
                ObserverTest.class.getClassLoader(),
                new Class<?>[] {CallObserver.class},
                (proxy, method, arguments) -> {
                    throw new AssertionError("observer, also in " + method.getName());
                });
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callWithARetryAndATimeoutIsToldEventByEvent(Way way) {
        try (Lab lab = new Lab()) {
            lab.building(builder -> builder.observer(recording()));
            lab.layers(RetryPolicy.of(r -> r.jitter(Jitter.NONE)), TimeoutPolicy.of(millis(5)));
            lab.run(
                    way,
                    Step.error(new IOException("1")).after(2),
                    Step.value("never").after(9),
                    Step.value("3").after(4));
            lab.pipeline().close();
            assertThat(told)
                    .containsExactly(
                            "opened",
                            "attemptSettled[lab, test, 1, FAILURE, 2000000]",
                            "retryScheduled[lab, test, 1, 50000000]",
                            "attemptSettled[lab, test, 2, TIMEOUT, 5000000]",
                            "retryScheduled[lab, test, 2, 100000000]",
                            "attemptSettled[lab, test, 3, SUCCESS, 4000000]",
                            "callSettled[lab, test, SUCCESS, LIVE, 3, 161000000]",
                            "closed");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void rejectionIsToldWithPolicyAndReason(Way way) {
        try (Lab lab = new Lab()) {
            lab.building(builder -> builder.observer(recording()));
            lab.layers(lab.probe("gate").entering(passage -> Decision.REJECT));
            lab.run(way, Step.value("never"));
            assertThat(told)
                    .containsExactly(
                            "opened",
                            "rejected[lab, test, gate, OTHER]",
                            "callSettled[lab, test, REJECTED, LIVE, 0, 0]");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void exhaustedRetriesAreToldWithTheReason(Way way) {
        try (Lab lab = new Lab()) {
            lab.building(builder -> builder.observer(recording()));
            lab.layers(RetryPolicy.of(r -> r.maxAttempts(2).initialBackoff(millis(0))));
            lab.run(way, Step.error(new IOException("ill")));
            assertThat(told).contains("retryRefused[lab, test, 2, EXHAUSTED]");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callsAreToldToWhatAnObserverHasForThePipeline(Way way) {
        CallObserver forAll = new CallObserver() {
            @Override
            public void opened(Observed pipeline) {
                told.add("opened for all");
            }

            @Override
            public CallObserver forPipeline(Observed pipeline) {
                told.add("asked for " + pipeline.name());
                return recording();
            }

            @Override
            public void attemptSettled(
                    String pipeline, @Nullable String operation, int attempt, Outcome outcome, long nanos) {
                told.add("an attempt for all");
            }

            @Override
            public void closed(Observed pipeline) {
                told.add("closed for all");
            }
        };
        try (Lab lab = new Lab()) {
            lab.building(builder -> builder.observer(forAll));
            lab.layers();
            lab.run(way, Step.value("1").after(4));
            lab.pipeline().close();
        }
        assertThat(told)
                .containsExactly(
                        "opened for all",
                        "asked for lab",
                        "attemptSettled[lab, test, 1, SUCCESS, 4000000]",
                        "callSettled[lab, test, SUCCESS, LIVE, 1, 4000000]",
                        "closed for all");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void throwingObserverBreaksNothingAndTheOtherIsTold(Way way) {
        try (Lab lab = new Lab()) {
            lab.building(builder -> builder.observer(throwing()).observer(recording()));
            lab.layers(RetryPolicy.of(r -> r.initialBackoff(millis(0))), lab.probe("inner"));
            assertThat(lab.run(way, Step.error(new IOException("1")), Step.value("2"))
                            .value())
                    .isEqualTo("2");
            lab.assertLivesOver();
            assertThat(told).last().asString().startsWith("callSettled");
        }
    }
}
