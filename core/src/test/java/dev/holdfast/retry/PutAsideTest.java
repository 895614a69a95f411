/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.retry;

import static dev.holdfast.contract.Lab.millis;
import static dev.holdfast.contract.Step.error;
import static dev.holdfast.contract.Step.value;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Classifier;
import dev.holdfast.Operation;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.Reply.Source;
import dev.holdfast.Verdict;
import dev.holdfast.contract.Decision;
import dev.holdfast.contract.Lab;
import dev.holdfast.contract.Probe;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.Passage;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.testlogs.Logs;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.ToIntFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a retry puts aside while it tries again: a failed value is delivered or discarded, once; and a hold is of one pass. */
@Logs("two-retries")
@ThreadKind.Each
class PutAsideTest {
    private static final Classifier FIVES_FAIL =
            (value, error) -> value == null || value.toString().startsWith("5") ? Verdict.FAILURE : Verdict.SUCCESS;

    private final Lab lab = new Lab().building(b -> b.classifier(FIVES_FAIL));

    @AfterEach
    void close() {
        lab.close();
    }

    private static RetryPolicy retry(int attempts) {
        return RetryPolicy.of(r -> r.maxAttempts(attempts)
                .initialBackoff(millis(10))
                .maxBackoff(millis(10))
                .jitter(Jitter.NONE)
                .budgetEnabled(false));
    }

    /** Says this in its so-manieth pass, and else lets the call through. */
    private Probe saysInPass(int pass, ToIntFunction<Passage> says) {
        AtomicInteger passes = new AtomicInteger();
        return lab.probe("inner")
                .entering(p ->
                        passes.incrementAndGet() == pass ? new Decision(Decision.Kind.TURN, says) : Decision.GO_ON);
    }

    // ---- values

    @ParameterizedTest
    @EnumSource(Way.class)
    void failedValueIsDiscardedOnceIfTheCallIsGivenUpWhileItWaitsToTryAgain(Way way) {
        lab.layers(lab.probe("outer"), retry(3));
        Lab.Running running = lab.giveUpAfter(5, way, value("500"), value("never"));
        assertThat(running.script.started()).isOne();
        assertThat(running.value()).isNull();
        assertThat(lab.discarded).containsExactly("500");
        lab.assertLivesOver();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void failedValueIsDeliveredIfThereIsNoTimeToTryAgain(Way way) {
        lab.layers(retry(3));
        Lab.Running running = lab.run(way, call -> call.deadline(millis(5)), value("500"), value("never"));
        assertThat(running.value()).isEqualTo("500");
        assertThat(lab.discarded).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void failedValueIsDiscardedOnceIfALayerFurtherInAnswersInPlaceOfTheNextAttempt(Way way) {
        lab.layers(retry(3), saysInPass(2, p -> p.answer("from memory", Source.FALLBACK, 0)));
        Lab.Running running = lab.run(way, value("500"), value("never"));
        assertThat(running.end()).isEqualTo(new Lab.End("from memory from FALLBACK", 1, millis(10)));
        assertThat(lab.discarded).containsExactly("500");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void failedValueIsDiscardedOnceAndOneThatWasSharedIsNot(Way way) {
        lab.layers(retry(3), saysInPass(2, p -> p.share(Outcome.FAILURE, "501", null, Source.LIVE)));
        Lab.Running running = lab.run(way, value("500"), value("200"));
        assertThat(running.value()).isEqualTo("200");
        assertThat(running.script.started()).isEqualTo(2);
        assertThat(lab.discarded).containsExactly("500");
        lab.assertLivesOver();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void valueThatIsStillTheLastIsDeliveredIfAnotherTryCameToTheSameOne(Way way) {
        lab.layers(retry(2), saysInPass(2, p -> p.share(Outcome.FAILURE, "500", null, Source.LIVE)));
        assertThat(lab.run(way, value("500"), value("never")).value()).isEqualTo("500");
        assertThat(lab.discarded).isEmpty();
    }

    // ---- holds

    private List<Long> waitsOf(Way way, Probe... inner) {
        List<Long> starts = Collections.synchronizedList(new ArrayList<>());
        Probe clock = lab.probe("clock").entering(p -> {
            starts.add(p.now());
            return Decision.GO_ON;
        });
        if (inner.length == 1) {
            lab.layers(retry(3), clock, inner[0]);
        } else {
            lab.layers(retry(3), clock, inner[0], inner[1]);
        }
        lab.run(way, error(new IOException("ill")));
        List<Long> waits = new ArrayList<>();
        for (int i = 1; i < starts.size(); i++) {
            waits.add((starts.get(i) - starts.get(i - 1)) / 1_000_000);
        }
        return waits;
    }

    private Probe holds(String name, long... millis) {
        AtomicInteger passes = new AtomicInteger();
        return lab.probe(name).settling(p -> {
            p.holdRetry(Duration.ofMillis(millis[passes.getAndIncrement()]).toNanos());
            return Decision.GO_ON;
        });
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void holdOfOnePassDoesNotHoldUpTheRetryAfterTheNext(Way way) {
        assertThat(waitsOf(way, holds("breaker", 70, 0, 0))).containsExactly(70L, 10L);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void longestHoldOfAPassCountsWhoeverSaysIt(Way way) {
        assertThat(waitsOf(way, holds("outer", 40, 70, 0), holds("inner", 70, 40, 0)))
                .containsExactly(70L, 70L);
    }

    // ---- what a pass finds

    /** On the way in there is no outcome yet. */
    private static String found(Passage p) {
        return p.outcome() + " " + p.value() + " " + p.error() + " " + p.retryAfter() + " " + p.source() + " "
                + p.heldRetry() + " " + p.refusal();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void noPassFindsTheOutcomeOfAnEarlierOneOrOfAnEarlierCallOfItsThread(Way way) {
        List<String> found = Collections.synchronizedList(new ArrayList<>());
        List<String> left = Collections.synchronizedList(new ArrayList<>());
        Classifier busy = (value, error) -> Verdict.pushback(Duration.ofMillis(30));
        lab.building(b -> b.classifier(busy));
        lab.layers(
                retry(2),
                lab.probe("inner")
                        .entering(p -> {
                            found.add(found(p));
                            return Decision.GO_ON;
                        })
                        .settling(p -> {
                            left.add(found(p));
                            p.holdRetry(5);
                            return Decision.GO_ON;
                        }));
        if (way == Way.CALL) {
            var unused = lab.time.spawn(() -> {
                for (int i = 0; i < 2; i++) {
                    lab.operation().unkeyed().call(attempt -> "busy");
                }
                return null;
            });
            lab.time.run();
        } else {
            lab.run(way, value("busy"));
            lab.run(way, value("busy"));
        }
        assertThat(found).hasSize(4).containsOnly("SUCCESS null null -1 LIVE 0 null");
        assertThat(left).hasSize(4).containsOnly("PUSHBACK busy null 30000000 LIVE 0 null");
    }

    // ---- rejections further in

    @ParameterizedTest
    @EnumSource(Way.class)
    void rejectionOfANestedPipelineTellsWhenItIsWorthTryingAgain(Way way) {
        List<Long> told = new ArrayList<>();
        lab.layers(lab.probe("outer").settling(p -> {
            told.add(p.retryAfter());
            return Decision.GO_ON;
        }));
        CallRejectedException nested = rejection(lab, Duration.ofMillis(70));
        assertThat(lab.run(way, error(nested)).error()).isSameAs(nested);
        assertThat(told).containsExactly(Duration.ofMillis(70).toNanos());
    }

    /** That one was an attempt, which the tries after it were not. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void attemptThatANestedPipelineTurnedAwayIsTheLastRealTryOfTwoRetriesAroundIt(Way way) {
        CallRejectedException nested = rejection(lab, Duration.ofMillis(1));
        AtomicInteger tries = new AtomicInteger();
        Probe gate = lab.probe("gate").entering(p -> tries.incrementAndGet() > 1 ? Decision.REJECT : Decision.GO_ON);
        RetryPolicy inner =
                RetryPolicy.of(r -> r.maxAttempts(2).initialBackoff(millis(1)).retryRejections(true));
        RetryPolicy outer =
                RetryPolicy.of(r -> r.maxAttempts(3).initialBackoff(millis(1)).retryRejections(true));
        lab.layers(outer, lab.probe("between"), inner, gate);
        Lab.Running running = lab.run(way, error(nested));
        assertThat(tries).hasValueGreaterThan(2);
        assertThat(running.script.started()).isOne();
        assertThat(running.error()).isSameAs(nested);
        lab.assertLivesOver();
    }

    private static CallRejectedException rejection(Lab lab, Duration retryAfter) {
        Probe open = lab.probe("open")
                .entering(p -> new Decision(
                        Decision.Kind.TURN, q -> q.reject(Reason.CIRCUIT_OPEN, retryAfter.toNanos(), "open")));
        try (Pipeline pipeline =
                Pipeline.builder("nested").policies(open).time(lab.time).build()) {
            Operation<String> operation = pipeline.operation("x");
            return org.assertj.core.api.Assertions.catchThrowableOfType(
                    CallRejectedException.class, () -> operation.unkeyed().call(attempt -> "never"));
        }
    }
}
