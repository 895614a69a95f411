/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.interplay;

import static dev.holdfast.contract.Lab.millis;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.Refusal;
import dev.holdfast.Verdict;
import dev.holdfast.contract.Decision;
import dev.holdfast.contract.Lab;
import dev.holdfast.contract.Probe;
import dev.holdfast.contract.Step;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testing.ThreadKind;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The rows of the interplay table of DESIGN section 3 that core's own policies allow, each test named after its row. */
@ThreadKind.Each
class InterplayTest {

    private static RetryPolicy retry(int attempts) {
        return RetryPolicy.of(
                r -> r.maxAttempts(attempts).initialBackoff(millis(10)).jitter(Jitter.NONE));
    }

    /** Says, as an open breaker does, that nothing makes sense for this long. */
    private static Probe open(Lab lab, long millis) {
        return lab.probe("breaker").settling(passage -> {
            passage.holdRetry(millis(millis).toNanos());
            return Decision.GO_ON;
        });
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whenTheBreakerOpensWhileCallsWaitForTheThrottleEachIsAskedAgainAndItsReservationReturned(Way way) {
        try (Lab lab = new Lab()) {
            boolean[] opened = new boolean[1];
            AtomicInteger reserved = new AtomicInteger();
            Probe breaker = lab.probe("breaker").admitting(passage -> opened[0] ? Decision.REJECT : Decision.GO_ON);
            Probe throttle = lab.probe("throttle").entering(passage -> {
                reserved.incrementAndGet();
                return Decision.pause(10L * reserved.get());
            });
            throttle.settling(passage -> {
                if (!passage.started()) {
                    reserved.decrementAndGet();
                }
                return Decision.GO_ON;
            });
            lab.layers(breaker, throttle);
            List<Lab.Running> waiting = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                waiting.add(lab.start(way, Step.value("served")));
            }
            lab.time.schedule(millis(15).toNanos(), () -> opened[0] = true);
            lab.time.run();
            assertThat(waiting)
                    .extracting(running -> running.end().what())
                    .containsExactly("served from LIVE", "rejected by breaker: OTHER", "rejected by breaker: OTHER");
            assertThat(reserved).as("reservations that were used").hasValue(1);
            lab.assertLivesOver();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whenARetryAfterOf5sMeetsAnOpenBreakerOf10sTheRetryWaitsForTheLaterOfTheTwo(Way way) {
        try (Lab lab = new Lab()) {
            Verdict after5 = Verdict.pushback(millis(5_000));
            lab.building(
                    builder -> builder.classifier((value, error) -> "429".equals(value) ? after5 : Verdict.SUCCESS));
            lab.layers(retry(2), open(lab, 10_000));
            assertThat(lab.run(way, Step.value("429"), Step.value("200")).end())
                    .isEqualTo(new Lab.End("200 from LIVE", 2, millis(10_000)));
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whenARetryAfterOf5sMeetsAnOpenBreakerOf1sTheRetryWaitsForTheLaterOfTheTwo(Way way) {
        try (Lab lab = new Lab()) {
            Verdict after5 = Verdict.pushback(millis(5_000));
            lab.building(
                    builder -> builder.classifier((value, error) -> "429".equals(value) ? after5 : Verdict.SUCCESS));
            lab.layers(retry(2), open(lab, 1_000));
            assertThat(lab.run(way, Step.value("429"), Step.value("200")).end())
                    .isEqualTo(new Lab.End("200 from LIVE", 2, millis(5_000)));
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whenTheLaterOfTheTwoDoesNotFitTheDeadlineTheCallFailsNow(Way way) {
        try (Lab lab = new Lab()) {
            List<Refusal> why = new ArrayList<>();
            lab.building(builder -> builder.observer(new CallObserver() {
                @Override
                public void retryRefused(String pipeline, String operation, int attempts, Refusal refusal) {
                    why.add(refusal);
                }
            }));
            lab.layers(DeadlinePolicy.of(millis(8_000)), retry(2), open(lab, 10_000));
            assertThat(lab.run(way, Step.error(new IOException("ill"))).end())
                    .isEqualTo(new Lab.End("IOException: ill", 1, millis(0)));
            assertThat(why).containsExactly(Refusal.DEADLINE);
        }
    }

    /** A tenth more than 30 s: so far a suggestion may be stretched, and a gate's hold by default. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void whenTheBreakerIsOpenForLongerThanMaxRetryAfterTheCallFailsNow(Way way) {
        assertThat(heldFor(way, 33_000)).isEqualTo(new Lab.End("served from LIVE", 2, millis(33_000)));
        assertThat(heldFor(way, 33_001)).isEqualTo(new Lab.End("IOException: ill", 1, millis(0)));
        assertThat(heldFor(way, 86_400_000)).isEqualTo(new Lab.End("IOException: ill", 1, millis(0)));
    }

    private static Lab.End heldFor(Way way, long millis) {
        try (Lab lab = new Lab()) {
            lab.layers(retry(2), open(lab, millis));
            return lab.run(way, Step.error(new IOException("ill")), Step.value("served"))
                    .end();
        }
    }

    /** When its own wait is over, the breaker does not hold it any more. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void whenTheRetrysOwnWaitIsLongerThanTheBreakersItIsMade(Way way) {
        try (Lab lab = new Lab()) {
            RetryPolicy patient = RetryPolicy.of(
                    r -> r.initialBackoff(millis(1_000)).jitter(Jitter.NONE).maxRetryAfter(millis(0)));
            lab.layers(patient, open(lab, 900));
            assertThat(lab.run(way, Step.error(new IOException("ill")), Step.value("served"))
                            .end())
                    .isEqualTo(new Lab.End("served from LIVE", 2, millis(1_000)));
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whenARejectionSaysALongerTimeThanMaxRetryAfterTheCallFailsNow(Way way) {
        assertThat(rejectedFor(way, 33_000)).isEqualTo(new Lab.End("served from LIVE", 1, millis(33_000)));
        assertThat(rejectedFor(way, 33_001)).isEqualTo(new Lab.End("rejected by full: OTHER", 0, millis(0)));
    }

    private static Lab.End rejectedFor(Way way, long millis) {
        try (Lab lab = new Lab()) {
            Policy full = new Policy("full", Policy.ENTER) {
                private boolean asked;

                @Override
                public int enter(Passage passage) {
                    if (asked) {
                        return PROCEED;
                    }
                    asked = true;
                    return passage.reject(Reason.OTHER, millis(millis).toNanos(), () -> "full", null);
                }
            };
            lab.layers(RetryPolicy.of(r -> r.jitter(Jitter.NONE).retryRejections(true)), full);
            return lab.run(way, Step.value("served")).end();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aRetryThatIsHeldTooLongLeavesTheRetryByTimeAloneToOthers(Way way) {
        try (Lab lab = new Lab()) {
            AtomicInteger held = new AtomicInteger(40_000);
            Probe breaker = lab.probe("breaker").settling(passage -> {
                passage.holdRetry(millis(held.get()).toNanos());
                return Decision.GO_ON;
            });
            // Half of one token is no token: there is one retry by time alone, and no other.
            lab.layers(RetryPolicy.of(r -> r.jitter(Jitter.NONE).budget(b -> b.maxTokens(1))), breaker);
            assertThat(lab.run(way, Step.error(new IOException("ill"))).end().attempts())
                    .isOne();
            held.set(10);
            assertThat(lab.run(way, Step.error(new IOException("ill")), Step.value("served"))
                            .end()
                            .what())
                    .isEqualTo("served from LIVE");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whenTheFirstAttemptOpensTheBreakerTheCallerGetsTheLastRealErrorAndTheObserverTheRejection(Way way) {
        try (Lab lab = new Lab()) {
            List<String> rejections = new ArrayList<>();
            lab.building(builder -> builder.observer(new CallObserver() {
                @Override
                public void rejected(String pipeline, String operation, String policy, Reason reason) {
                    rejections.add(policy + " " + reason);
                }
            }));
            Probe breaker =
                    lab.probe("breaker").entering(passage -> passage.attempts() > 0 ? Decision.REJECT : Decision.GO_ON);
            lab.layers(retry(3), breaker);
            IOException real = new IOException("the last real error");
            Lab.Running running = lab.run(way, Step.error(real));
            assertThat(running.error()).isSameAs(real).hasNoCause();
            assertThat(running.error().getSuppressed())
                    .as("nothing is added to it")
                    .isEmpty();
            assertThat(running.script.started()).isOne();
            assertThat(rejections).containsExactly("breaker OTHER");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whenTheFirstAttemptsValueWasAFailureTheCallerGetsThatValueBack(Way way) {
        try (Lab lab = new Lab()) {
            lab.building(builder ->
                    builder.classifier((value, error) -> "503".equals(value) ? Verdict.FAILURE : Verdict.SUCCESS));
            Probe breaker =
                    lab.probe("breaker").entering(passage -> passage.attempts() > 0 ? Decision.REJECT : Decision.GO_ON);
            lab.layers(retry(3), breaker);
            assertThat(lab.run(way, Step.value("503")).value()).isEqualTo("503");
            assertThat(lab.discarded).as("a value that is delivered").isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whenAPermitIsHandedOverInTheMomentThatTheDeadlineWinsTheSlotHoldsTheGrantAndItComesBack(Way way) {
        try (Lab lab = new Lab()) {
            Completion turn = new Completion();
            AtomicInteger out = new AtomicInteger();
            Probe bulkhead = lab.probe("bulkhead");
            bulkhead.entering(passage -> {
                if (turn.isDone()) {
                    passage.slot(1);
                    return Decision.GO_ON;
                }
                return Decision.await(turn);
            });
            bulkhead.abandoning(passage -> out.addAndGet(turn.isDone() ? -1 : 0));
            bulkhead.ending(passage -> out.addAndGet(-(int) passage.slot()));
            lab.layers(lab.probe("outer"), bulkhead);
            lab.time.schedule(millis(5).toNanos(), () -> {
                out.incrementAndGet();
                turn.complete();
            });
            Lab.Running running = lab.run(way, call -> call.deadline(millis(5)), Step.value("never"));
            assertThat(running.end().what()).isEqualTo("rejected by call: DEADLINE_EXCEEDED");
            assertThat(out).as("permits out").hasValue(0);
            lab.assertLivesOver();
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whenNestedPipelinesRetryTheInnerOneDoesNotRetryInsideARetry(Way way) {
        assertThat(attemptsOfNestedRetries(way, retry(3))).isEqualTo(5);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whenNestedPipelinesRetryTheInnerOneRetriesInsideARetryIfAsked(Way way) {
        RetryPolicy asked = RetryPolicy.of(r -> r.maxAttempts(3)
                .initialBackoff(millis(0))
                .retryInsideRetries(true)
                .budgetEnabled(false));
        assertThat(attemptsOfNestedRetries(way, asked)).isEqualTo(9);
    }

    private static int attemptsOfNestedRetries(Way way, RetryPolicy innerRetry) {
        try (Lab outer = new Lab();
                Lab inner = new Lab(outer.time)) {
            outer.layers(retry(3));
            inner.layers(innerRetry);
            AtomicInteger attempts = new AtomicInteger();
            if (way == Way.CALL) {
                var unused = outer.time.spawn(() -> outer.pipeline()
                        .call(() -> inner.pipeline().call(() -> {
                            attempts.incrementAndGet();
                            throw new IOException("ill");
                        })));
            } else {
                var unused = outer.pipeline()
                        .callAsync(() -> inner.pipeline().callAsync(() -> {
                            attempts.incrementAndGet();
                            return CompletableFuture.failedFuture(new IOException("ill"));
                        }));
            }
            outer.time.run();
            return attempts.get();
        }
    }

    @ParameterizedTest
    @EnumSource(value = Way.class, names = "CALL")
    void whenTheCallersThreadIsInterruptedWhileItWaitsItIsRejectedNotRetriedNotCountedAndTheFlagStays(Way way) {
        try (Lab lab = new Lab()) {
            RetryPolicy eager =
                    RetryPolicy.of(r -> r.maxAttempts(3).retryRejections(true).initialBackoff(millis(0)));
            lab.layers(eager, lab.probe("breaker"), lab.probe("queue").entering(passage -> Decision.pause(10)));
            Lab.Running running = lab.giveUpAfter(5, way, Step.value("never"));
            CallRejectedException rejection = (CallRejectedException) running.error();
            assertThat(rejection.reason()).isEqualTo(Reason.INTERRUPTED);
            assertThat(running.flag()).isTrue();
            assertThat(running.script.started()).isZero();
            assertThat(lab.log).filteredOn("queue enter"::equals).hasSize(1);
            assertThat(lab.log).contains("breaker settle INTERRUPTED not started");
        }
    }

    @ParameterizedTest
    @EnumSource(value = Way.class, names = "CALL")
    void whenTheActionThrowsInterruptedExceptionThatIsNotOursItIsNotCountedAndTheFlagIsSetAgain(Way way) {
        try (Lab lab = new Lab()) {
            List<Outcome> outcomes = new ArrayList<>();
            Probe breaker = lab.probe("breaker").settling(passage -> {
                outcomes.add(passage.outcome());
                return Decision.GO_ON;
            });
            lab.layers(retry(3), breaker);
            Lab.Running running = lab.run(way, Step.error(new InterruptedException("from outside")));
            assertThat(running.error()).isInstanceOf(InterruptedException.class).hasMessage("from outside");
            assertThat(running.flag()).isTrue();
            assertThat(running.script.started()).isOne();
            assertThat(outcomes).containsExactly(Outcome.INTERRUPTED);
        }
    }

    private static final class Response implements AutoCloseable {
        final int status;
        boolean closed;

        Response(int status) {
            this.status = status;
        }

        @Override
        public void close() {
            closed = true;
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whenAnAutoCloseableValueThatCountsAsFailureIsRetriedItGoesToDiscard(Way way) {
        try (Lab lab = new Lab()) {
            lab.building(builder -> builder.classifier((value, error) ->
                    value instanceof Response response && response.status == 503 ? Verdict.FAILURE : Verdict.SUCCESS));
            lab.layers(retry(3));
            Response first = new Response(503);
            Response second = new Response(503);
            Response third = new Response(200);
            Lab.Running running = lab.run(way, Step.value(first), Step.value(second), Step.value(third));
            assertThat(running.value()).isSameAs(third);
            lab.discarded.forEach(value -> ((Response) value).close());
            assertThat(List.of(first.closed, second.closed, third.closed)).containsExactly(true, true, false);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whenTheLastAttemptsValueCountsAsFailureItIsDeliveredAndNotDiscarded(Way way) {
        try (Lab lab = new Lab()) {
            lab.building(builder -> builder.classifier((value, error) -> Verdict.FAILURE));
            lab.layers(retry(2));
            Response first = new Response(503);
            Response last = new Response(503);
            assertThat(lab.run(way, Step.value(first), Step.value(last)).value())
                    .isSameAs(last);
            assertThat(lab.discarded).containsExactly(first);
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whenTheDeadlineStrikesTheWalkUpStillPassesTheFallback(Way way) {
        try (Lab lab = new Lab()) {
            lab.layers(DeadlinePolicy.of(millis(5)), FallbackPolicy.value("fallback"), retry(3));
            assertThat(lab.run(way, Step.value("never").after(50)).end())
                    .isEqualTo(new Lab.End("fallback from FALLBACK", 1, millis(5)));
        }
    }
}
