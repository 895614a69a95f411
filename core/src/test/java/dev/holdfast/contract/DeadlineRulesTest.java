/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import static dev.holdfast.contract.Lab.millis;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CallTimeoutException;
import dev.holdfast.Deadline;
import dev.holdfast.Outcome;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
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

/** Limits: whose is nearest strikes; the layers inside its owner may not retry, those outside may. */
@Logs({"timeout-outside-retry", "deadline-not-outermost", "timeout-not-below-deadline"})
@ThreadKind.Each
class DeadlineRulesTest {
    private static RetryPolicy twice() {
        return RetryPolicy.of(r -> r.maxAttempts(2).initialBackoff(Duration.ZERO));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void nearestLimitStrikesAndIsNamed(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(DeadlinePolicy.of(millis(20)), TimeoutPolicy.of(millis(5)));
            Lab.Running running = lab.run(way, Step.value("never").after(50));
            assertThat(running.end()).isEqualTo(new Lab.End("timeout of timeout", 1, millis(5)));
            CallTimeoutException timeout = (CallTimeoutException) running.error();
            assertThat(timeout.elapsed()).isEqualTo(millis(5));
            assertThat(timeout).hasMessageContaining("'lab'").hasMessageContaining("5 ms");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void outerLimitStrikesIfItIsNearer(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(DeadlinePolicy.of(millis(5)), TimeoutPolicy.of(millis(20)));
            assertThat(lab.run(way, Step.value("never").after(50)).end())
                    .isEqualTo(new Lab.End("timeout of deadline", 1, millis(5)));
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void retryOutsideTheLimitTriesAgain(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(twice(), TimeoutPolicy.of(millis(5)));
            assertThat(lab.run(
                                    way,
                                    Step.value("never").after(50),
                                    Step.value("second").after(4))
                            .end())
                    .isEqualTo(new Lab.End("second from LIVE", 2, millis(9)));
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void retryInsideTheLimitDoesNot(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(TimeoutPolicy.of(millis(5)), twice());
            assertThat(lab.run(way, Step.value("never").after(50)).end())
                    .isEqualTo(new Lab.End("timeout of timeout", 1, millis(5)));
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void retryInsideALimitThatStruckIsRefusedThoughItsWaitWouldFit(Way way) {
        try (Lab lab = new Lab()) {
            // A retry at once needs no time, and none is left: that a limit has struck around it is what refuses it.
            Probe limiting = lab.probe("limiting").entering(passage -> {
                passage.limit(millis(5).toNanos());
                return Decision.GO_ON;
            });
            Probe inside = lab.probe("inside").settling(passage -> {
                lab.log.add("left for the inside " + passage.remaining());
                return passage.outcome() == Outcome.TIMEOUT ? Decision.retry(0) : Decision.GO_ON;
            });
            lab.layers(limiting, inside);
            Lab.Running running = lab.run(way, Step.value("never").after(50), Step.value("never"));
            assertThat(running.end()).isEqualTo(new Lab.End("timeout of limiting", 1, millis(5)));
            assertThat(lab.log).contains("left for the inside 0");
            assertThat(lab.log)
                    .filteredOn(line -> line.startsWith("inside settle"))
                    .hasSize(1);
            lab.assertLivesOver();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void limitOfAnAbandonedLayerIsGoneForTheLayerItself(Way way) {
        try (Lab lab = new Lab()) {
            List<Long> seen = new ArrayList<>();
            Probe limiting = lab.probe("limiting").entering(passage -> {
                passage.limit(millis(5).toNanos());
                throw new IllegalStateException("broken");
            });
            limiting.abandoning(passage -> seen.add(passage.remaining()));
            lab.layers(lab.probe("outer"), limiting);
            lab.run(way, Step.value("never"));
            assertThat(seen).containsExactly(Long.MAX_VALUE);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void eachAttemptHasTheWholeTimeout(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(RetryPolicy.of(r -> r.maxAttempts(3).jitter(Jitter.NONE)), TimeoutPolicy.of(millis(5)));
            // 5 + 50 + 5 + 100 + 4
            assertThat(lab.run(
                                    way,
                                    Step.value("never").after(50),
                                    Step.value("never").after(50),
                                    Step.value("third").after(4))
                            .end())
                    .isEqualTo(new Lab.End("third from LIVE", 3, millis(164)));
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void limitEndsWithItsLayer(Way way) {
        try (Lab lab = new Lab()) {
            List<Long> seen = new ArrayList<>();
            Probe outer = lab.probe("outer").entering(passage -> {
                seen.add(passage.remaining());
                return Decision.GO_ON;
            });
            outer.settling(passage -> {
                seen.add(passage.remaining());
                return Decision.GO_ON;
            });
            Probe inner = lab.probe("inner").settling(passage -> {
                seen.add(passage.remaining());
                return Decision.GO_ON;
            });
            lab.layers(outer, TimeoutPolicy.of(millis(5)), inner);
            lab.run(way, Step.value("done").after(2));
            assertThat(seen).containsExactly(Long.MAX_VALUE, millis(3).toNanos(), Long.MAX_VALUE);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void outerLimitIsThereAgainAfterTheInnerOne(Way way) {
        try (Lab lab = new Lab()) {
            List<Long> seen = new ArrayList<>();
            Probe between = lab.probe("between").settling(passage -> {
                seen.add(passage.remaining());
                return Decision.GO_ON;
            });
            lab.layers(DeadlinePolicy.of(millis(20)), between, TimeoutPolicy.of(millis(5)));
            lab.run(way, Step.value("never").after(50));
            assertThat(seen).containsExactly(millis(15).toNanos());
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void limitOfALayerThatRejectsItselfEndsToo(Way way) {
        try (Lab lab = new Lab()) {
            List<Long> seen = new ArrayList<>();
            Probe outer = lab.probe("outer").settling(passage -> {
                seen.add(passage.remaining());
                return Decision.GO_ON;
            });
            Probe limiting = lab.probe("limiting").entering(passage -> {
                passage.limit(millis(5).toNanos());
                return Decision.REJECT;
            });
            lab.layers(outer, limiting);
            lab.run(way, Step.value("never"));
            assertThat(seen).containsExactly(Long.MAX_VALUE);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void limitOfALayerWhoseEnterThrowsEndsToo(Way way) {
        try (Lab lab = new Lab()) {
            List<Long> seen = new ArrayList<>();
            Probe outer = lab.probe("outer").settling(passage -> {
                seen.add(passage.remaining());
                return Decision.GO_ON;
            });
            Probe limiting = lab.probe("limiting").entering(passage -> {
                passage.limit(millis(5).toNanos());
                throw new IllegalStateException("broken");
            });
            lab.layers(outer, limiting);
            lab.run(way, Step.value("never"));
            assertThat(seen).containsExactly(Long.MAX_VALUE);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void limitOfALayerWhoseOwnPauseWasGivenUpEndsToo(Way way) {
        try (Lab lab = new Lab()) {
            List<Long> seen = new ArrayList<>();
            Probe outer = lab.probe("outer").settling(passage -> {
                seen.add(passage.remaining());
                return Decision.GO_ON;
            });
            Probe limiting = lab.probe("limiting").entering(passage -> {
                passage.limit(millis(50).toNanos());
                return Decision.pause(20);
            });
            lab.layers(outer, limiting);
            lab.giveUpAfter(5, way, Step.value("never"));
            assertThat(seen).containsExactly(Long.MAX_VALUE);
            lab.assertLivesOver();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void outcomeThatIsKnownIsDeliveredThoughItIsLate(Way way) {
        try (Lab lab = new Lab()) {
            // Settling takes the call past its deadline: no wait begins, and nothing strikes in between.
            Probe slow = lab.probe("slow").settling(passage -> {
                lab.log.add("remaining " + Duration.ofNanos(passage.remaining()).toMillis());
                return Decision.GO_ON;
            });
            lab.layers(slow);
            assertThat(lab.run(
                                    way,
                                    call -> call.deadline(millis(5)),
                                    Step.value("just in time").after(4))
                            .end())
                    .isEqualTo(new Lab.End("just in time from LIVE", 1, millis(4)));
            assertThat(lab.log).contains("remaining 1");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void ownDeadlineOfTheCallOnlyShortens(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(DeadlinePolicy.of(millis(5)));
            assertThat(lab.run(
                                    way,
                                    call -> call.deadline(millis(50)),
                                    Step.value("never").after(60))
                            .end())
                    .isEqualTo(new Lab.End("timeout of deadline", 1, millis(5)));
        }
    }

    @Test
    void boundDeadlineOfTheRequestHoldsForEveryPipelineBelow() {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("outer"));
            Lab.Running[] running = new Lab.Running[1];
            Deadline.within(
                    lab.time,
                    millis(5),
                    () -> running[0] =
                            lab.start(Way.CALL_ASYNC, Step.value("never").after(50)));
            lab.time.run();
            assertThat(running[0].end()).isEqualTo(new Lab.End("timeout of call", 1, millis(5)));
        }
    }

    @Test
    void innerDeadlineOnlyShortens() throws Exception {
        try (Lab lab = new Lab()) {
            Duration left = Deadline.within(
                    lab.time,
                    millis(5),
                    () -> Deadline.within(
                            lab.time, millis(50), () -> Deadline.remaining().orElseThrow()));
            assertThat(left).isEqualTo(millis(5));
            assertThat(Deadline.remaining()).isEmpty();
        }
    }

    @Test
    void propagatedDeadlineHoldsOnAnotherThreadAndIsGoneAfterwards() {
        try (Lab lab = new Lab()) {
            List<Duration> seen = new ArrayList<>();
            Deadline.within(lab.time, millis(50), () -> {
                Deadline.propagating(lab.time.executor())
                        .execute(() -> seen.add(Deadline.remaining().orElseThrow()));
                return "bound";
            });
            lab.time.advance(millis(20));
            lab.time.executor().execute(() -> seen.add(Deadline.remaining().orElse(Duration.ZERO)));
            lab.time.run();
            assertThat(seen).containsExactly(millis(50), Duration.ZERO);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callInsideAnActionInheritsWhatIsLeftOfTheAttempt(Way way) {
        try (Lab outer = new Lab();
                Lab inner = new Lab(outer.time)) {
            outer.layers(TimeoutPolicy.of(millis(10)));
            inner.layers(inner.probe("inner"));
            Lab.Running[] nested = new Lab.Running[1];
            if (way == Way.CALL) {
                var unused = outer.time.spawn(() -> outer.pipeline().call(() -> {
                    outer.time.sleep(millis(3));
                    return inner.operation().unkeyed().call(attempt -> {
                        inner.log.add("remaining " + attempt.remaining().toMillis());
                        return "done";
                    });
                }));
            } else {
                var unused = outer.pipeline().callAsync(() -> {
                    nested[0] = inner.start(Way.CALL_ASYNC, Step.value("never").after(50));
                    return new CompletableFuture<>();
                });
            }
            outer.time.run();
            if (way == Way.CALL) {
                assertThat(inner.log).contains("remaining 7");
            } else {
                assertThat(nested[0].end()).isEqualTo(new Lab.End("timeout of call", 1, millis(10)));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void limitThatStrikesInARetrysWaitKeepsTheLastOutcome(Way way) {
        try (Lab lab = new Lab()) {
            IOException ill = new IOException("ill");
            Probe retrying = lab.probe("retrying")
                    .settling(passage -> passage.outcome() == Outcome.FAILURE ? Decision.retry(100) : Decision.GO_ON);
            lab.layers(lab.probe("outer"), DeadlinePolicy.of(millis(50)), retrying);
            Lab.Running running = lab.run(way, Step.error(ill).after(5));
            assertThat(running.error()).isSameAs(ill);
            assertThat(running.after()).isEqualTo(millis(5));
            lab.assertLivesOver();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void timeoutIsNotASuccessThatCameTooLate(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("outer"), TimeoutPolicy.of(millis(5)));
            // Both at the same instant: whichever wins, it is told once and the same everywhere.
            Lab.Running running = lab.run(way, Step.value("photo finish").after(5));
            String outcome = running.error() == null ? "SUCCESS" : "TIMEOUT";
            assertThat(lab.log).containsExactly("outer enter", "outer settle " + outcome, "outer ended");
        }
    }
}
