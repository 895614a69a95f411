/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import static dev.holdfast.contract.Lab.millis;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Outcome;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Completion;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** INTERPRETER section 3: whoever wins the claim resumes the call, once, and never inside a stranger's policy. */
@ThreadKind.Each
class SuspensionTest {

    private static Probe awaiting(Probe probe, Completion turn) {
        return probe.entering(passage -> turn.isDone() ? Decision.GO_ON : Decision.await(turn));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void completionThatHasComeOpensNoWait(Way way) {
        try (Lab lab = new Lab()) {
            Completion done = new Completion();
            done.complete();
            Probe queue = lab.probe("queue")
                    .entering(passage -> passage.slot() == 0 ? once(passage::slot, done) : Decision.GO_ON);
            lab.layers(queue);
            assertThat(lab.run(way, Step.value("done")).end()).isEqualTo(new Lab.End("done from LIVE", 1, millis(0)));
            assertThat(lab.log)
                    .containsExactly("queue enter", "queue enter again", "queue settle SUCCESS", "queue ended");
        }
    }

    private static Decision once(java.util.function.LongConsumer slot, Completion completion) {
        slot.accept(1);
        return Decision.await(completion);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void completionIsAwaitedAndTheLayerAskedAgain(Way way) {
        try (Lab lab = new Lab()) {
            Completion turn = new Completion();
            lab.layers(awaiting(lab.probe("queue"), turn));
            lab.time.schedule(millis(7).toNanos(), turn::complete);
            assertThat(lab.run(way, Step.value("done")).end()).isEqualTo(new Lab.End("done from LIVE", 1, millis(7)));
            assertThat(lab.log)
                    .containsSubsequence("queue enter", "queue enter again", "queue settle SUCCESS", "queue ended");
            assertThat(turn.waiting()).isZero();
        }
    }

    @Test
    void completionInsideAPolicyRunsTheWaiterOutsideIt() {
        try (Lab lab = new Lab()) {
            Completion turn = new Completion();
            Probe gate = lab.probe("gate");
            boolean[] inside = new boolean[1];
            List<Boolean> seen = new ArrayList<>();
            gate.entering(passage -> {
                if (passage.key() == null) {
                    return Decision.GO_ON;
                }
                seen.add(inside[0]);
                return turn.isDone() ? Decision.GO_ON : Decision.await(turn);
            });
            gate.settling(passage -> {
                if (passage.key() == null) {
                    inside[0] = true;
                    turn.complete();
                    inside[0] = false;
                }
                return Decision.GO_ON;
            });
            lab.layers(gate);
            CompletableFuture<Object> waiter =
                    lab.operation().key("waits").callAsync(attempt -> CompletableFuture.completedFuture("waited"));
            Lab.Running opener = lab.run(Way.CALL_ASYNC, Step.value("opened"));
            assertThat(opener.value()).isEqualTo("opened");
            assertThat(waiter).isCompletedWithValue("waited");
            assertThat(seen).containsExactly(false, false);
        }
    }

    @Test
    void completionInsideEnterRunsTheWaiterOutsideItToo() {
        try (Lab lab = new Lab()) {
            Completion turn = new Completion();
            List<String> order = new ArrayList<>();
            Probe gate = lab.probe("gate").entering(passage -> {
                if (passage.key() != null) {
                    order.add("waiter is asked");
                    return turn.isDone() ? Decision.GO_ON : Decision.await(turn);
                }
                order.add("enter begins");
                turn.complete();
                order.add("enter ends");
                return Decision.GO_ON;
            });
            lab.layers(gate);
            CompletableFuture<Object> waiter =
                    lab.operation().key("waits").callAsync(attempt -> CompletableFuture.completedFuture("waited"));
            lab.run(Way.CALL_ASYNC, Step.value("opened"));
            assertThat(waiter).isCompletedWithValue("waited");
            assertThat(order).containsExactly("waiter is asked", "enter begins", "enter ends", "waiter is asked");
        }
    }

    /** The limit of a call ends what its thread does for it, and not what the thread does first for others. */
    @Test
    void limitOfABlockingCallDoesNotInterruptAWaiterThatGoesOnOnItsThread() {
        try (Lab lab = new Lab()) {
            Completion turn = new Completion();
            List<String> heard = new ArrayList<>();
            Probe gate = lab.probe("gate").entering(passage -> {
                if (passage.key() != null) {
                    return turn.isDone() ? Decision.GO_ON : Decision.await(turn);
                }
                turn.complete();
                return Decision.GO_ON;
            });
            lab.building(builder -> builder.executor(Runnable::run)).layers(gate, TimeoutPolicy.of(millis(10)));
            CompletableFuture<Object> waiter = lab.operation().key("waits").callAsync(attempt -> {
                try {
                    lab.time.sleep(millis(50));
                    heard.add("slept");
                } catch (InterruptedException interrupted) {
                    heard.add("interrupted");
                }
                return CompletableFuture.completedFuture("waited");
            });
            Lab.Running running = lab.run(Way.CALL, Step.value("opened").after(100));
            assertThat(waiter).isDone();
            assertThat(heard).containsExactly("slept");
            assertThat(running.end()).isEqualTo(new Lab.End("timeout of timeout", 1, millis(50)));
            lab.assertLivesOver();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void crowdThatIsGivenUpLeavesNobodyInTheQueue(Way way) {
        try (Lab lab = new Lab()) {
            Completion never = new Completion();
            Probe queue = awaiting(lab.probe("queue"), never);
            lab.layers(queue);
            int callers = way == Way.CALL ? 200 : 10_000;
            List<Lab.Running> crowd = new ArrayList<>();
            for (int i = 0; i < callers; i++) {
                crowd.add(lab.start(way, Step.value("never")));
            }
            lab.time.advance(millis(1));
            assertThat(never.waiting()).isEqualTo(callers);
            crowd.forEach(Lab.Running::giveUp);
            lab.time.run();
            assertThat(never.waiting()).isZero();
            assertThat(crowd).allMatch(Lab.Running::isDone).allMatch(running -> running.script.started() == 0);
            lab.assertLivesOver();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void noAttemptIsMadeAfterACallWasGivenUpInAWait(Way way) {
        try (Lab lab = new Lab()) {
            Completion turn = new Completion();
            lab.layers(awaiting(lab.probe("queue"), turn));
            // Both at 5 ms: the caller gives up first, the turn comes in the same moment.
            Lab.Running running = lab.start(way, Step.value("never"));
            lab.time.schedule(millis(5).toNanos(), () -> {
                running.giveUp();
                turn.complete();
            });
            lab.time.run();
            assertThat(running.isDone()).isTrue();
            assertThat(running.script.started()).isZero();
            assertThat(lab.log).contains("queue abandon");
            lab.assertLivesOver();
        }
    }

    @Test
    void turnThatComesFirstIsKeptByTheWaiterThatGivesUpAfterIt() {
        try (Lab lab = new Lab()) {
            Completion turn = new Completion();
            lab.layers(awaiting(lab.probe("queue"), turn));
            Lab.Running running = lab.start(Way.CALL_ASYNC, Step.value("never"));
            lab.time.schedule(millis(5).toNanos(), () -> {
                turn.complete();
                running.giveUp();
            });
            lab.time.run();
            // The claim was the completion's; the cancellation found the call running, and was looked at after it.
            assertThat(running.script.started()).isZero();
            assertThat(lab.log).containsExactly("queue enter", "queue abandon");
            lab.assertLivesOver();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callGivenUpInsideEnterIsNoticedBeforeItsAttempt(Way way) {
        try (Lab lab = new Lab()) {
            Lab.Running[] running = new Lab.Running[1];
            Probe outer = lab.probe("outer").entering(passage -> Decision.pause(1));
            Probe quitting = lab.probe("quitting").entering(passage -> {
                running[0].giveUp();
                return Decision.pause(1);
            });
            lab.layers(outer, quitting);
            running[0] = lab.start(way, Step.value("never"));
            lab.time.run();
            assertThat(running[0].script.started()).isZero();
            assertThat(lab.log).contains("quitting abandon");
            lab.assertLivesOver();
        }
    }

    @Test
    void callGivenUpInsideTheLastEnterMakesNoAttempt() {
        try (Lab lab = new Lab()) {
            Lab.Running[] running = new Lab.Running[1];
            Probe outer = lab.probe("outer").entering(passage -> Decision.pause(1));
            Probe quitting = lab.probe("quitting").entering(passage -> {
                running[0].giveUp();
                return Decision.GO_ON;
            });
            lab.layers(outer, quitting);
            running[0] = lab.start(Way.CALL_ASYNC, Step.value("never"));
            lab.time.run();
            assertThat(running[0].script.started()).isZero();
            assertThat(lab.log).contains("quitting settle CANCELLED not started", "outer settle CANCELLED not started");
            lab.assertLivesOver();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callGivenUpInsideSettleIsNotRetried(Way way) {
        try (Lab lab = new Lab()) {
            Lab.Running[] running = new Lab.Running[1];
            Probe retrying = lab.probe("retrying").settling(passage -> {
                if (passage.outcome() != Outcome.FAILURE) {
                    return Decision.GO_ON;
                }
                running[0].giveUp();
                return Decision.retry(1);
            });
            Probe pausing = lab.probe("pausing").entering(passage -> Decision.pause(1));
            lab.layers(retrying, pausing);
            running[0] = lab.start(way, Step.error(new IOException("first")), Step.value("never"));
            lab.time.run();
            assertThat(running[0].script.started()).isOne();
            lab.assertLivesOver();
        }
    }

    @Test
    void callGivenUpInsideSettleIsNotRetriedAtOnceEither() {
        try (Lab lab = new Lab()) {
            Lab.Running[] running = new Lab.Running[1];
            Probe retrying = lab.probe("retrying").settling(passage -> {
                if (passage.outcome() != Outcome.FAILURE) {
                    return Decision.GO_ON;
                }
                running[0].giveUp();
                return Decision.retry(0);
            });
            lab.layers(retrying, lab.probe("inner"));
            running[0] = lab.start(
                    Way.CALL_ASYNC, Step.error(new IOException("first")).after(1), Step.value("never"));
            lab.time.run();
            assertThat(running[0].script.started()).isOne();
            assertThat(lab.log.stream().filter("inner enter"::equals)).hasSize(1);
            lab.assertLivesOver();
        }
    }

    @Test
    void callGivenUpInsideSettleSchedulesNoRetry() {
        try (Lab lab = new Lab()) {
            List<String> scheduled = new ArrayList<>();
            lab.building(builder -> builder.observer(new CallObserver() {
                @Override
                public void retryScheduled(String pipeline, String operation, int attempts, long waitNanos) {
                    scheduled.add("after " + attempts);
                }
            }));
            Lab.Running[] running = new Lab.Running[1];
            Probe retrying = lab.probe("retrying").settling(passage -> {
                if (passage.outcome() != Outcome.FAILURE) {
                    return Decision.GO_ON;
                }
                running[0].giveUp();
                return Decision.retry(5);
            });
            lab.layers(retrying);
            running[0] = lab.start(
                    Way.CALL_ASYNC, Step.error(new IOException("first")).after(1), Step.value("never"));
            lab.time.run();
            assertThat(running[0].script.started()).isOne();
            assertThat(scheduled).isEmpty();
            lab.assertLivesOver();
        }
    }

    @Test
    void callGivenUpInsideItsActionStillEndsItsWork() {
        try (Lab lab = new Lab()) {
            CompletableFuture<?>[] future = new CompletableFuture<?>[1];
            Completion turn = new Completion();
            lab.layers(awaiting(lab.probe("queue"), turn));
            future[0] = lab.operation().unkeyed().callAsync(attempt -> {
                future[0].cancel(true);
                return CompletableFuture.completedFuture("nobody's");
            });
            turn.complete();
            lab.time.run();
            assertThat(future[0]).isCancelled();
            assertThat(lab.discarded).containsExactly("nobody's");
            assertThat(lab.log).contains("queue settle CANCELLED", "queue ended");
            lab.assertLivesOver();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void awaitOnTheWayUpIsAskedAgain(Way way) {
        try (Lab lab = new Lab()) {
            Completion answer = new Completion();
            Probe follower = lab.probe("follower")
                    .settling(passage -> answer.isDone() ? Decision.answer("shared") : Decision.await(answer));
            lab.layers(lab.probe("outer"), follower);
            lab.time.schedule(millis(4).toNanos(), answer::complete);
            assertThat(lab.run(way, Step.value("own")).end().after()).isEqualTo(millis(4));
            assertThat(lab.log)
                    .containsExactly(
                            "outer enter",
                            "follower enter",
                            "follower settle SUCCESS",
                            "follower settle SUCCESS",
                            "follower ended",
                            "outer settle SUCCESS",
                            "outer ended");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void eachCallerGetsItsOwnValue(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(lab.probe("pausing").entering(passage -> Decision.pause(1)), lab.probe("inner"));
            List<Lab.Running> crowd = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                crowd.add(lab.start(way, Step.value(i).after(1 + i % 7)));
            }
            lab.time.run();
            for (int i = 0; i < 100; i++) {
                assertThat(crowd.get(i).value()).isEqualTo(i);
            }
        }
    }

    @Test
    void timerOfAnEarlierWaitDoesNotEndALaterOne() {
        try (Lab lab = new Lab()) {
            // The first await's maximum is due at 10 ms, but its turn comes at 2; the second wait goes on until 30.
            Completion first = new Completion();
            Completion second = new Completion();
            Probe one =
                    lab.probe("one").entering(passage -> first.isDone() ? Decision.GO_ON : Decision.await(first, 10));
            Probe two = awaiting(lab.probe("two"), second);
            lab.layers(one, two);
            lab.time.schedule(millis(2).toNanos(), first::complete);
            lab.time.schedule(millis(30).toNanos(), second::complete);
            assertThat(lab.run(Way.CALL_ASYNC, Step.value("done")).end())
                    .isEqualTo(new Lab.End("done from LIVE", 1, millis(30)));
            assertThat(lab.log)
                    .containsSubsequence("one enter", "one enter again", "two enter", "two enter again")
                    .doesNotContain("two enter expired");
        }
    }

    @Test
    void completionOfAnEarlierAttemptDoesNotEndALaterOne() {
        try (Lab lab = new Lab()) {
            Probe retrying = lab.probe("retrying")
                    .settling(passage -> passage.attempts() == 1 ? Decision.retry(0) : Decision.GO_ON);
            lab.layers(retrying, dev.holdfast.timeout.TimeoutPolicy.of(millis(10)));
            Step first = Step.value("first").after(12).stubbornly();
            Lab.Running running =
                    lab.run(Way.CALL_ASYNC, first, Step.value("second").after(9));
            assertThat(running.end()).isEqualTo(new Lab.End("second from LIVE", 2, millis(19)));
        }
    }
}
