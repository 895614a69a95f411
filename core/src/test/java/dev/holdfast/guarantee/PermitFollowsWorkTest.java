/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.guarantee;

import static dev.holdfast.contract.Lab.millis;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CallTimeoutException;
import dev.holdfast.Outcome;
import dev.holdfast.contract.Decision;
import dev.holdfast.contract.Lab;
import dev.holdfast.contract.Probe;
import dev.holdfast.contract.Step;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Guarantee 7: what a layer holds for the work is given back when the work is over, and not when its outcome is decided. */
@Logs({
    "bulkhead-outside-retry",
    "lease of wrong in 'lab' threw; told once.*no lease",
    "cancelling an attempt of '.*' threw; told once"
})
@ThreadKind.Each
class PermitFollowsWorkTest {
    private final List<String> ends = new ArrayList<>();

    /** A layer that gives each entry a permit with a number, and writes down when it came back. */
    private Probe bulkhead(Lab lab) {
        long start = lab.time.nanos();
        return bulkhead(lab, "bulkhead", start);
    }

    private Probe bulkhead(Lab lab, String name, long start) {
        long[] permits = new long[1];
        return lab.probe(name)
                .entering(passage -> {
                    passage.slot(++permits[0]);
                    return Decision.GO_ON;
                })
                .ending(passage -> ends.add(name + " " + passage.slot() + " at "
                        + Duration.ofNanos(lab.time.nanos() - start).toMillis()
                        + (passage.writtenOff() ? " written off" : "")));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void permitComesBackWhenTheCallSettles(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(bulkhead(lab));
            lab.run(way, Step.value("done").after(3));
            assertThat(ends).containsExactly("bulkhead 1 at 3");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void permitComesBackWithTheWorkAndNotWithTheTimeout(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(bulkhead(lab), TimeoutPolicy.of(millis(5)));
            Lab.Running running = lab.run(way, Step.value("late").after(20).stubbornly());
            assertThat(ends).containsExactly("bulkhead 1 at 20");
            // A blocked caller is held by an action that ignores its interrupt; an asynchronous one is not.
            assertThat(running.after()).isEqualTo(way == Way.CALL ? millis(20) : millis(5));
            assertThat(running.end().what()).isEqualTo("timeout of timeout");
            lab.assertLivesOver();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void permitComesBackAtOnceIfTheWorkHeedsItsCancellation(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(bulkhead(lab), TimeoutPolicy.of(millis(5)));
            lab.run(way, Step.value("never").after(20));
            assertThat(ends).containsExactly("bulkhead 1 at 5");
        }
    }

    @Test
    void permitComesBackWithTheWorkAndNotWithTheCancellation() {
        try (Lab lab = new Lab()) {
            lab.layers(bulkhead(lab));
            Lab.Running running = lab.giveUpAfter(
                    5, Way.CALL_ASYNC, Step.value("late").after(20).stubbornly());
            assertThat(running.after()).isEqualTo(millis(5));
            assertThat(ends).containsExactly("bulkhead 1 at 20");
        }
    }

    @Test
    void eachAttemptGivesItsOwnPermitBack() {
        try (Lab lab = new Lab()) {
            RetryPolicy retry = RetryPolicy.of(r -> r.maxAttempts(3).initialBackoff(Duration.ZERO));
            lab.layers(retry, bulkhead(lab), TimeoutPolicy.of(millis(5)));
            Step[] steps = {
                Step.value("1").after(30).stubbornly(),
                Step.value("2").after(10).stubbornly(),
                Step.value("third").after(1)
            };
            assertThat(lab.run(Way.CALL_ASYNC, steps).end()).isEqualTo(new Lab.End("third from LIVE", 3, millis(11)));
            assertThat(ends).containsExactly("bulkhead 3 at 11", "bulkhead 2 at 15", "bulkhead 1 at 30");
            lab.assertLivesOver();
        }
    }

    @Test
    void layerOutsideTheRetryEndsWhenAllItsAttemptsHaveEnded() {
        try (Lab lab = new Lab()) {
            RetryPolicy retry = RetryPolicy.of(r -> r.maxAttempts(2).initialBackoff(Duration.ZERO));
            lab.layers(bulkhead(lab), retry, TimeoutPolicy.of(millis(5)));
            Step first = Step.value("1").after(30).stubbornly();
            assertThat(lab.run(Way.CALL_ASYNC, first, Step.value("second")).end())
                    .isEqualTo(new Lab.End("second from LIVE", 2, millis(5)));
            assertThat(ends).containsExactly("bulkhead 1 at 30");
            lab.assertLivesOver();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void policyWhoseLeaseThrowsTakesNoLeaseAway(Way way) {
        for (boolean outside : new boolean[] {true, false}) {
            ends.clear();
            try (Lab lab = new Lab()) {
                Policy wrong = new Policy("wrong", Policy.ENTER | Policy.ENDED) {
                    @Override
                    public long lease() {
                        throw new IllegalStateException("no lease");
                    }
                };
                Policy bulkhead = bulkhead(lab).lease(millis(100));
                lab.layers(outside ? wrong : bulkhead, outside ? bulkhead : wrong, TimeoutPolicy.of(millis(5)));
                Lab.Running call =
                        lab.run(way, Step.value("very late").after(500).stubbornly());
                assertThat(call.error()).isInstanceOf(CallTimeoutException.class);
                assertThat(ends).as("wrong outside: %s", outside).containsExactly("bulkhead 1 at 105 written off");
            }
        }
    }

    @Test
    void leaseGivesThePermitOfEndlessWorkBackOnce() {
        try (Lab lab = new Lab()) {
            List<String> writtenOff = new ArrayList<>();
            lab.building(builder -> builder.observer(new CallObserver() {
                @Override
                public void writtenOff(String pipeline, String operation, String policy) {
                    writtenOff.add(pipeline + " " + operation + " " + policy);
                }
            }));
            lab.layers(bulkhead(lab).lease(millis(100)), TimeoutPolicy.of(millis(5)));
            lab.run(Way.CALL_ASYNC, Step.value("very late").after(500).stubbornly());
            assertThat(ends).containsExactly("bulkhead 1 at 105 written off");
            assertThat(writtenOff).containsExactly("lab test bulkhead");
            lab.assertLivesOver();
        }
    }

    @Test
    void leaseOfWorkThatEndsInTimeChangesNothing() {
        try (Lab lab = new Lab()) {
            lab.layers(bulkhead(lab).lease(millis(100)), TimeoutPolicy.of(millis(5)));
            lab.run(Way.CALL_ASYNC, Step.value("late").after(50).stubbornly());
            assertThat(ends).containsExactly("bulkhead 1 at 50");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void overrunIsToldWithItsLength(Way way) {
        try (Lab lab = new Lab()) {
            List<Long> overruns = new ArrayList<>();
            lab.building(builder -> builder.observer(new CallObserver() {
                @Override
                public void overrun(String pipeline, String operation, long nanos) {
                    overruns.add(Duration.ofNanos(nanos).toMillis());
                }
            }));
            lab.layers(TimeoutPolicy.of(millis(5)));
            lab.run(way, Step.value("late").after(105).stubbornly());
            lab.run(way, Step.value("obedient").after(105));
            assertThat(overruns).containsExactly(100L);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void layersEndInnermostFirst(Way way) {
        try (Lab lab = new Lab()) {
            long start = lab.time.nanos();
            lab.layers(bulkhead(lab, "outer", start), bulkhead(lab, "middle", start), bulkhead(lab, "inner", start));
            lab.run(way, Step.error(new IOException("ill")).after(2));
            assertThat(ends).containsExactly("inner 1 at 2", "middle 1 at 2", "outer 1 at 2");
        }
    }

    @Test
    void workThatFailsLateGivesThePermitBackToo() {
        try (Lab lab = new Lab()) {
            lab.layers(bulkhead(lab), TimeoutPolicy.of(millis(5)));
            lab.run(
                    Way.CALL_ASYNC,
                    Step.error(new IOException("late")).after(20).stubbornly());
            assertThat(ends).containsExactly("bulkhead 1 at 20");
        }
    }

    @Test
    void stageWhoseCancelThrowsIsWorkThatGoesOn() {
        try (Lab lab = new Lab()) {
            lab.layers(bulkhead(lab), TimeoutPolicy.of(millis(5)));
            CompletableFuture<Object> unruly = new CompletableFuture<>() {
                @Override
                public boolean cancel(boolean mayInterruptIfRunning) {
                    throw new IllegalStateException("no");
                }
            };
            lab.time.schedule(millis(20).toNanos(), () -> unruly.complete("late"));
            CompletableFuture<Object> reply = lab.operation().unkeyed().callAsync(attempt -> unruly);
            lab.time.run();
            assertThat(reply).isCompletedExceptionally();
            assertThat(ends).containsExactly("bulkhead 1 at 20");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void endSeesTheOutcomeThatWasSettled(Way way) {
        try (Lab lab = new Lab()) {
            List<Outcome> outcomes = new ArrayList<>();
            lab.layers(
                    lab.probe("bulkhead").ending(passage -> outcomes.add(passage.outcome())),
                    TimeoutPolicy.of(millis(5)));
            lab.run(way, Step.value("late").after(20).stubbornly());
            assertThat(outcomes).containsExactly(Outcome.TIMEOUT);
        }
    }
}
