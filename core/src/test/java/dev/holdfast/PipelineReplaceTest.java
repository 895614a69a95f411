/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.internal.OwnFallbacks;
import dev.holdfast.micrometer.MicrometerObserver;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A pipeline whose policies are replaced while calls are under way. */
class PipelineReplaceTest {
    private final VirtualTime time = new VirtualTime();

    @AfterEach
    void close() {
        time.close();
    }

    /** Counts who is inside. */
    private static final class Gate extends Policy {
        final AtomicInteger inside = new AtomicInteger();
        final AtomicInteger entered = new AtomicInteger();

        Gate() {
            super("gate", ENTER | ENDED);
        }

        @Override
        public int enter(Passage passage) {
            entered.incrementAndGet();
            inside.incrementAndGet();
            return PROCEED;
        }

        @Override
        public void ended(Passage passage) {
            inside.decrementAndGet();
        }

        @Override
        public void meters(Meters meters) {
            meters.gauge("gate.inside", "Calls inside", inside::get);
        }
    }

    private static int attempts(Pipeline pipeline) {
        AtomicInteger attempts = new AtomicInteger();
        try {
            pipeline.call(() -> {
                attempts.incrementAndGet();
                throw new IllegalStateException("ill");
            });
        } catch (IllegalStateException expected) {
            return attempts.get();
        }
        throw new AssertionError("it is always ill");
    }

    @Test
    void callsThatBeginHaveTheNewPoliciesAndAKeptOneKeepsItsState() {
        Gate gate = new Gate();
        try (Pipeline pipeline = Pipeline.builder("p")
                .policies(RetryPolicy.of(r -> r.maxAttempts(3)), gate)
                .time(time)
                .build()) {
            Operation.Decorated<String, Integer, RuntimeException> decorated =
                    pipeline.<Integer>operation("stock").decorate(String::length);
            assertThat(time.spawn(() -> attempts(pipeline)))
                    .satisfies(call -> time.run())
                    .isCompletedWithValue(3);
            pipeline.replace(RetryPolicy.of(r -> r.maxAttempts(2)), gate, TimeoutPolicy.of(Duration.ofSeconds(1)));
            CompletableFuture<Integer> second = time.spawn(() -> attempts(pipeline));
            CompletableFuture<Integer> third = time.spawn(() -> decorated.apply("sku-1"));
            time.run();
            assertThat(second).isCompletedWithValue(2);
            assertThat(third).isCompletedWithValue(5);
            assertThat(gate.entered).hasValue(6);
            assertThat(pipeline).hasToString("p: retry > gate > timeout > call");
            assertThat(pipeline.policy(RetryPolicy.class).settings().maxAttempts())
                    .isEqualTo(2);
        }
    }

    @Test
    void callsUnderWayEndWithThosePoliciesThatAdmittedThem() {
        Gate before = new Gate();
        Gate after = new Gate();
        try (Pipeline pipeline =
                Pipeline.builder("p").policies(before).time(time).build()) {
            List<CompletableFuture<String>> answers = new ArrayList<>();
            List<CompletableFuture<String>> calls = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                CompletableFuture<String> answer = new CompletableFuture<>();
                answers.add(answer);
                calls.add(pipeline.callAsync(() -> answer));
            }
            CompletableFuture<String> blocking = time.spawn(() -> pipeline.call(() -> {
                time.sleep(Duration.ofSeconds(1));
                return "slept";
            }));
            time.advance(Duration.ofMillis(1));
            assertThat(before.inside).hasValue(4);
            pipeline.replace(after);
            calls.add(pipeline.callAsync(() -> CompletableFuture.completedFuture("new")));
            answers.forEach(answer -> answer.complete("old"));
            time.run();
            assertThat(calls).allSatisfy(call -> assertThat(call).isDone());
            assertThat(blocking).isCompletedWithValue("slept");
            assertThat(before.inside).hasValue(0);
            assertThat(before.entered).hasValue(4);
            assertThat(after.inside).hasValue(0);
            assertThat(after.entered).hasValue(1);
        }
    }

    @Test
    void anOrderThatCannotWorkReplacesNothing() {
        try (Pipeline pipeline = Pipeline.of("p", RetryPolicy.of(r -> r.maxAttempts(2)))) {
            Policy[] tooMany = new Policy[65];
            java.util.Arrays.setAll(tooMany, i -> new Gate());
            assertThatIllegalArgumentException().isThrownBy(() -> pipeline.replace(tooMany));
            assertThat(pipeline).hasToString("p: retry > call");
            assertThat(attempts(pipeline)).isEqualTo(2);
        }
    }

    @Test
    void thePoliciesOfAnOrderThatCannotWorkHearNothingOfIt() {
        List<String> heard = new ArrayList<>();
        Policy kept = new Policy("kept", 0) {
            @Override
            public void beside(String pipeline, List<Policy> policies) {
                heard.add(policies.toString());
            }
        };
        Policy hedges = new Policy("hedges", Policy.HEDGE) {};
        Policy hedgesToo = new Policy("hedges-too", Policy.HEDGE) {};
        try (Pipeline pipeline = Pipeline.of("p", kept)) {
            assertThatIllegalArgumentException().isThrownBy(() -> pipeline.replace(kept, hedges, hedgesToo));
            assertThat(heard).containsExactly("[kept]");
        }
    }

    @Test
    void policiesBesideOneThatCannotBeBoundHearNothingOfIt() {
        List<String> heard = new ArrayList<>();
        Policy kept = new Policy("kept", 0) {
            @Override
            public void beside(String pipeline, List<Policy> policies) {
                heard.add(policies.toString());
            }
        };
        Policy ofAnotherTime = new Policy("of-another-time", 0) {
            @Override
            public void bind(String pipeline, TimeSource time) {
                throw new IllegalStateException("another TimeSource");
            }
        };
        try (Pipeline pipeline = Pipeline.of("p", kept)) {
            assertThatIllegalStateException().isThrownBy(() -> pipeline.replace(kept, ofAnotherTime));
            assertThat(heard).containsExactly("[kept]");
            assertThat(pipeline.policies()).containsExactly(kept);
        }
    }

    @Test
    void metersAreThoseOfTheNewPoliciesAndTotalsGoOn() {
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        Gate before = new Gate();
        Gate after = new Gate();
        try (Pipeline pipeline = Pipeline.builder("p")
                .policies(before)
                .observer(new MicrometerObserver(registry))
                .build()) {
            pipeline.call(() -> "a");
            int meters = registry.getMeters().size();
            before.inside.set(7);
            after.inside.set(9);
            assertThat(registry.get("holdfast.gate.inside").gauge().value()).isEqualTo(7);
            pipeline.replace(after);
            assertThat(registry.get("holdfast.gate.inside").gauge().value()).isEqualTo(9);
            pipeline.call(() -> "b");
            assertThat(registry.getMeters()).hasSize(meters);
            assertThat(registry.get("holdfast.calls").functionTimer().count()).isEqualTo(2);
            pipeline.replace();
            assertThat(registry.find("holdfast.gate.inside").gauge()).isNull();
        }
        assertThat(registry.getMeters()).isEmpty();
    }

    @Test
    void closeEndsAlsoCallsOfTheEngineBefore() {
        Pipeline pipeline = Pipeline.of("p", RetryPolicy.of(r -> r.maxAttempts(2)));
        Operation<String> operation = pipeline.operation("stock");
        pipeline.replace();
        pipeline.close();
        assertThatThrownBy(() -> operation.unkeyed().call(attempt -> "x"))
                .isInstanceOfSatisfying(
                        CallRejectedException.class,
                        rejection -> assertThat(rejection.reason()).isEqualTo(Reason.CLOSED));
        pipeline.replace(new Gate());
        assertThatThrownBy(() -> pipeline.call(() -> "x")).isInstanceOf(CallRejectedException.class);
    }

    @Test
    void reloadsAreCountedAndTheirMetersGoWithTheLastPipeline() {
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        MicrometerObserver observer = new MicrometerObserver(registry);
        Pipeline pipeline = Pipeline.builder("p").observer(observer).build();
        observer.configurationRead("file", true, "changed p");
        observer.configurationRead("file", true, "changed p");
        observer.configurationRead("file", false, "is empty");
        assertThat(registry.get("holdfast.reloads")
                        .tag("result", "applied")
                        .counter()
                        .count())
                .isEqualTo(2);
        assertThat(registry.get("holdfast.reloads")
                        .tag("result", "refused")
                        .counter()
                        .count())
                .isEqualTo(1);
        pipeline.close();
        assertThat(registry.getMeters()).isEmpty();
    }

    /** Otherwise each call that has a fallback would fail. */
    @Test
    void aPipelineKeepsThePolicyThatAsksForTheFallbacksOfCalls() {
        try (Pipeline pipeline = Pipeline.builder("p").time(time).build()) {
            OwnFallbacks.keep(pipeline, () -> true);
            pipeline.replace(TimeoutPolicy.of(Duration.ofSeconds(1)));
            pipeline.replace(FallbackPolicy.ofOperations());
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> pipeline.replace(TimeoutPolicy.of(Duration.ofSeconds(1))))
                    .withMessageContaining("methods with a fallback of their own");
            assertThat(pipeline.policies()).hasSize(1);
            pipeline.replace(FallbackPolicy.ofOperations(), TimeoutPolicy.of(Duration.ofSeconds(1)));
        }
    }

    /** Such as that of a bean which is refused, since a reload has taken the policy away while it was made. */
    @Test
    void fallbacksThatAreRefusedKeepNoPolicy() {
        try (Pipeline pipeline = Pipeline.builder("p").time(time).build()) {
            assertThat(OwnFallbacks.keep(pipeline, () -> false)).isFalse();
            pipeline.replace(FallbackPolicy.ofOperations());
            pipeline.replace();
            assertThat(pipeline.policies()).isEmpty();
        }
    }

    @Test
    void aPolicyThatThrowsWhenItIsAskedForItsWarningsReplacesNothing() {
        try (Pipeline pipeline = Pipeline.of("p", TimeoutPolicy.of(Duration.ofSeconds(1)))) {
            List<Policy> before = pipeline.policies();
            Policy broken = new Policy("broken", Policy.ENTER) {
                @Override
                public int enter(Passage passage) {
                    return passage.fail(new AssertionError("it is part of the pipeline"));
                }

                @Override
                public List<String> warnings() {
                    throw new IllegalStateException("no warnings");
                }
            };
            assertThatIllegalStateException()
                    .isThrownBy(() -> pipeline.replace(broken))
                    .withMessage("warnings() of broken threw java.lang.IllegalStateException: no warnings");
            assertThat(pipeline.policies()).isEqualTo(before);
            assertThat(pipeline.call(() -> "a")).isEqualTo("a");
        }
    }
}
