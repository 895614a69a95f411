/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import static dev.holdfast.contract.Lab.millis;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Verdict;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Passage.Fault;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.testcalls.Way;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An injected fault is an attempt like any other, to every layer and both ways in. */
class FaultTest {

    /** Injects these into one pass after the other, then none; and notes what it hears of them. */
    private static final class Injecting extends Policy {
        private final Lab lab;
        private final Deque<Fault> faults;
        private final int threads;

        Injecting(Lab lab, int threads, Fault... faults) {
            super("injecting", ENTER | SUCCESS | FAILURE | ENDED);
            this.lab = lab;
            this.threads = threads;
            this.faults = new ArrayDeque<>(Arrays.asList(faults));
        }

        @Override
        public int dedicatedThreads() {
            return threads;
        }

        @Override
        public int enter(Passage passage) {
            if (!faults.isEmpty()) {
                passage.inject(faults.poll());
            }
            return PROCEED;
        }

        @Override
        public int settle(Passage passage) {
            lab.log.add(passage.outcome() + " started " + passage.started() + " after "
                    + Duration.ofNanos(passage.actionNanos()).toMillis() + " ms");
            return KEEP;
        }

        @Override
        public void ended(Passage passage) {
            lab.log.add("ended");
        }
    }

    private static Injecting of(Lab lab, Fault... faults) {
        return new Injecting(lab, 0, faults);
    }

    private static Fault failure(String message) {
        return Fault.instead(() -> {
            throw new IOException(message);
        });
    }

    private static Fault delay(long millis) {
        return Fault.delay(millis(millis).toNanos());
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void errorIsTheDependencysFailureAndTheActionIsNotRun(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(of(lab, failure("injected")));
            assertThat(lab.run(way, Step.value("never")).end())
                    .isEqualTo(new Lab.End("IOException: injected", 0, Duration.ZERO));
            assertThat(lab.log).containsExactly("FAILURE started true after 0 ms", "ended");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void valueIsJudgedByTheClassifier(Way way) {
        try (Lab lab = new Lab()) {
            lab.building(builder -> builder.classifier(
                    (value, error) -> "503".equals(value) ? Verdict.pushback(millis(7)) : Verdict.SUCCESS));
            lab.layers(of(lab, Fault.instead(() -> "503")));
            Lab.Running running = lab.run(way, Step.value("never"));
            assertThat(running.end()).isEqualTo(new Lab.End("503 from LIVE", 0, Duration.ZERO));
            assertThat(lab.log).containsExactly("PUSHBACK started true after 0 ms", "ended");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void delayIsTimeOfTheAttempt(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(of(lab, delay(20)));
            assertThat(lab.run(way, Step.value("well").after(5)).end())
                    .isEqualTo(new Lab.End("well from LIVE", 1, millis(25)));
            assertThat(lab.log).containsExactly("SUCCESS started true after 25 ms", "ended");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void limitThatStrikesDuringADelayIsATimeoutAndTheActionIsNotRun(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(TimeoutPolicy.of(millis(10)), of(lab, delay(20)));
            assertThat(lab.run(way, Step.value("never")).end())
                    .isEqualTo(new Lab.End("timeout of timeout", 0, millis(10)));
            assertThat(lab.log).containsExactly("TIMEOUT started true after 10 ms", "ended");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void limitThatStrikesAfterADelayFindsTheActionAndItsWork(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(TimeoutPolicy.of(millis(10)), of(lab, delay(5)));
            Lab.Running running = lab.run(way, Step.value("late").after(20).stubbornly());
            assertThat(running.script.started()).isOne();
            assertThat(running.error()).hasMessageContaining("timeout");
            assertThat(lab.log).element(0).asString().startsWith("TIMEOUT started true");
            assertThat(lab.log).element(1).isEqualTo("ended");
            assertThat(lab.discarded).containsExactly("late");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void hangEndsWithItsLimitAndIsTriedAgain(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(
                    RetryPolicy.of(r -> r.maxAttempts(2).initialBackoff(Duration.ZERO)),
                    TimeoutPolicy.of(millis(10)),
                    of(lab, Fault.hang()));
            assertThat(lab.run(way, Step.value("second")).end())
                    .isEqualTo(new Lab.End("second from LIVE", 1, millis(10)));
            assertThat(lab.log)
                    .containsExactly(
                            "TIMEOUT started true after 10 ms", "ended", "SUCCESS started true after 0 ms", "ended");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void hangEndsWhenItsCallerGivesUp(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(of(lab, Fault.hang()));
            Lab.Running running = lab.giveUpAfter(5, way, Step.value("never"));
            assertThat(running.isDone()).isTrue();
            assertThat(running.after()).isEqualTo(millis(5));
            assertThat(running.script.started()).isZero();
            Outcome outcome = way == Way.CALL ? Outcome.INTERRUPTED : Outcome.CANCELLED;
            assertThat(lab.log).containsExactly(outcome + " started true after 5 ms", "ended");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void delayEndsWhenItsCallerGivesUp(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(of(lab, delay(20)));
            Lab.Running running = lab.giveUpAfter(5, way, Step.value("never"));
            assertThat(running.after()).isEqualTo(millis(5));
            assertThat(running.script.started()).isZero();
            assertThat(lab.log).hasSize(2).element(1).isEqualTo("ended");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void hangEndsWhenThePipelineIsClosed(Way way) {
        for (int threads = 0; threads < 2; threads++) {
            try (Lab lab = new Lab()) {
                lab.layers(new Injecting(lab, threads, Fault.hang()));
                Lab.Running running = lab.start(way, Step.value("never"));
                lab.time.schedule(millis(5).toNanos(), lab.pipeline()::close);
                lab.time.run();
                assertThat(running.end()).isEqualTo(new Lab.End("rejected by pipeline: CLOSED", 0, millis(5)));
                assertThat(lab.log).containsExactly("REJECTED started true after 5 ms", "ended");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void faultIsPlayedWhereAttemptsHaveThreadsOfTheirOwn(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(
                    RetryPolicy.of(r -> r.maxAttempts(3).initialBackoff(Duration.ZERO)),
                    TimeoutPolicy.of(millis(30)),
                    new Injecting(lab, 2, Fault.hang(), failure("injected"), delay(20)));
            assertThat(lab.run(way, Step.value("third")).end())
                    .isEqualTo(new Lab.End("third from LIVE", 1, millis(50)));
            assertThat(lab.log)
                    .containsExactly(
                            "TIMEOUT started true after 30 ms",
                            "ended",
                            "FAILURE started true after 0 ms",
                            "ended",
                            "SUCCESS started true after 20 ms",
                            "ended");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void faultOfAPassThatHadNoAttemptIsForgotten(Way way) {
        try (Lab lab = new Lab()) {
            Function<Passage, Decision> onceTurnedAway =
                    passage -> passage.attempts() == 0 && lab.log.stream().noneMatch(line -> line.contains("REJECTED"))
                            ? Decision.REJECT
                            : Decision.GO_ON;
            Probe outer = lab.probe("outer")
                    .settling(passage -> passage.outcome() == Outcome.REJECTED ? Decision.retry(1) : Decision.GO_ON);
            lab.layers(
                    outer,
                    of(lab, failure("of the first pass")),
                    lab.probe("inner").entering(onceTurnedAway));
            assertThat(lab.run(way, Step.value("well")).end()).isEqualTo(new Lab.End("well from LIVE", 1, millis(1)));
        }
    }

    @Test
    void faultOfACallThatHadNoAttemptIsNotPlayedInTheNextCallOfItsThread() throws Exception {
        try (Lab lab = new Lab()) {
            Probe inner = lab.probe("inner").entering(passage -> Decision.REJECT);
            lab.layers(of(lab, failure("of the first call")), inner);
            assertThatThrownBy(() -> lab.pipeline().call(() -> "never")).isInstanceOf(CallRejectedException.class);
            inner.tame();
            assertThat(lab.pipeline().<String, RuntimeException>call(() -> "well"))
                    .isEqualTo("well");
        }
    }

    @Test
    void delayWhoseEndTheExecutorRefusesIsARejection() {
        try (Lab lab = new Lab()) {
            lab.building(builder -> builder.executor(task -> {
                throw new RejectedExecutionException("full");
            }));
            lab.layers(of(lab, delay(5)));
            assertThat(lab.run(Way.CALL_ASYNC, Step.value("never")).end())
                    .isEqualTo(new Lab.End("rejected by pipeline: EXECUTOR_FULL", 0, millis(5)));
            assertThat(lab.log).containsExactly("REJECTED started true after 5 ms", "ended");
        }
    }

    @Test
    void actionAfterADelayDoesNotRunOnTheTimersThread() {
        String[] ran = new String[1];
        try (Pipeline pipeline = Pipeline.builder("real")
                .policies(new Policy("injecting", Policy.ENTER) {
                    @Override
                    public int enter(Passage passage) {
                        passage.inject(Fault.delay(1_000_000));
                        return PROCEED;
                    }
                })
                .time(TimeSource.system())
                .build()) {
            pipeline.callAsync(() -> {
                        ran[0] = Thread.currentThread().getName();
                        return CompletableFuture.completedFuture("well");
                    })
                    .join();
        }
        assertThat(ran[0]).isNotNull().isNotEqualTo("holdfast-timer");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callWhoseFaultCannotGoOnIsNotTriedAgainOnTheThreadThatWasRefused(Way way) {
        try (Lab lab = new Lab()) {
            boolean[] full = new boolean[1];
            lab.building(builder -> builder.executor(task -> {
                if (full[0]) {
                    throw new RejectedExecutionException("full");
                }
                lab.time.executor().execute(task);
            }));
            Probe outer = lab.probe("outer")
                    .settling(passage -> passage.outcome() == Outcome.REJECTED ? Decision.retry(0) : Decision.GO_ON);
            lab.layers(outer, of(lab, delay(5)));
            full[0] = way == Way.CALL_ASYNC;
            Lab.Running running = lab.run(way, Step.value("well"));
            assertThat(running.script.started()).isEqualTo(way == Way.CALL_ASYNC ? 0 : 1);
            lab.assertLivesOver();
        }
    }

    @Test
    void delayOfNothingLeavesTheActionToAThreadOfItsOwn() {
        try (Lab lab = new Lab()) {
            lab.layers(new Injecting(lab, 2, Fault.delay(0)));
            boolean[] ran = new boolean[1];
            CompletableFuture<Object> answer = lab.operation().unkeyed().callAsync(attempt -> {
                ran[0] = true;
                return CompletableFuture.completedFuture("well");
            });
            assertThat(ran[0]).as("on the caller's thread").isFalse();
            lab.time.run();
            assertThat(answer).isCompletedWithValue("well");
        }
    }
}
