/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.guarantee;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Classifier;
import dev.holdfast.Outcome;
import dev.holdfast.Verdict;
import dev.holdfast.contract.Decision;
import dev.holdfast.contract.Lab;
import dev.holdfast.contract.Probe;
import dev.holdfast.contract.Step;
import dev.holdfast.spi.Completion;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testing.ThreadKind;
import dev.holdfast.testlogs.Logs;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Guarantee 1: whatever happens, and at whichever stage, an entered layer is settled once and ended once. */
@Logs({
    "ended of outer in '.*' threw; told once",
    "ended of middle in '.*' threw; told once",
    "ended of inner in '.*' threw; told once",
    "abandon of inner in '.*' threw; told once"
})
@ThreadKind.Each
class ExactlyOnceTest {

    /** Where a call stands 5 ms after its start; each of these waits is over after 10 ms. */
    enum Stage {
        OUTER_PAUSE,
        PAUSE,
        AWAIT,
        IN_FLIGHT,
        STUBBORN_WORK,
        RETRY_PAUSE,
        AWAIT_ON_THE_WAY_UP,
        FALLBACK_STAGE
    }

    enum Event {
        NOTHING,
        GIVEN_UP,
        DEADLINE,
        CLOSED,
        EXECUTOR_REFUSES,
        GIVEN_UP_AT_THE_END_OF_THE_WAIT
    }

    private final AtomicBoolean refuses = new AtomicBoolean();

    static Stream<Arguments> everywhere() {
        List<Arguments> all = new ArrayList<>();
        for (Way way : Way.values()) {
            for (Stage stage : Stage.values()) {
                for (Event event : Event.values()) {
                    all.add(Arguments.of(way, stage, event));
                }
            }
        }
        return all.stream();
    }

    private Executor executor(Lab lab) {
        return task -> {
            if (refuses.get()) {
                throw new RejectedExecutionException("full");
            }
            lab.time.executor().execute(task);
        };
    }

    /** Three layers, the middle one with a retry, set up to stand at this stage. */
    private static void prepare(Lab lab, Stage stage, Probe outer, Probe middle) {
        switch (stage) {
            case OUTER_PAUSE -> outer.entering(passage -> Decision.pause(10));
            case PAUSE -> middle.entering(passage -> Decision.pause(10));
            case AWAIT -> {
                Completion turn = completion(lab);
                middle.entering(passage -> turn.isDone() ? Decision.GO_ON : Decision.await(turn));
            }
            case RETRY_PAUSE ->
                middle.settling(passage -> passage.attempts() == 1 && passage.outcome() == Outcome.FAILURE
                        ? Decision.retry(10)
                        : Decision.GO_ON);
            case AWAIT_ON_THE_WAY_UP -> {
                Completion answer = completion(lab);
                middle.settling(passage -> answer.isDone() ? Decision.GO_ON : Decision.await(answer));
            }
            case FALLBACK_STAGE -> middle.settling(passage -> Decision.stage(error -> later(lab)));
            default -> {}
        }
    }

    private static Completion completion(Lab lab) {
        Completion completion = new Completion();
        lab.time.schedule(Lab.millis(10).toNanos(), completion::complete);
        return completion;
    }

    private static CompletableFuture<Object> later(Lab lab) {
        CompletableFuture<Object> later = new CompletableFuture<>();
        lab.time.schedule(Lab.millis(10).toNanos(), () -> later.complete("fallback"));
        return later;
    }

    private static Step step(Stage stage) {
        return switch (stage) {
            case IN_FLIGHT -> Step.value("done").after(10);
            case STUBBORN_WORK -> Step.value("done").after(10).stubbornly();
            case RETRY_PAUSE -> Step.error(new IOException("again"));
            default -> Step.value("done");
        };
    }

    @ParameterizedTest
    @MethodSource("everywhere")
    void layersAreSettledAndEndedOnce(Way way, Stage stage, Event event) {
        try (Lab lab = new Lab()) {
            Probe outer = lab.probe("outer");
            Probe middle = lab.probe("middle");
            Probe inner = lab.probe("inner");
            prepare(lab, stage, outer, middle);
            lab.building(builder -> builder.executor(executor(lab))).layers(outer, middle, inner);
            Lab.Running running =
                    lab.start(way, call -> event == Event.DEADLINE ? call.deadline(Lab.millis(5)) : call, step(stage));
            lab.time.schedule(Lab.millis(5).toNanos(), () -> happen(event, lab, running));
            if (event == Event.GIVEN_UP_AT_THE_END_OF_THE_WAIT) {
                lab.time.schedule(Lab.millis(10).toNanos(), running::giveUp);
            }
            lab.time.run();
            assertThat(running.isDone()).isTrue();
            lab.assertLivesOver();
            assertThatNothingIsLeftFor(lab, way, event, outer, middle);
        }
    }

    private void happen(Event event, Lab lab, Lab.Running running) {
        switch (event) {
            case GIVEN_UP -> running.giveUp();
            case CLOSED -> lab.pipeline().close();
            case EXECUTOR_REFUSES -> refuses.set(true);
            default -> {}
        }
    }

    /** Nothing of the last call is found by the next, which may use the same call object. */
    private void assertThatNothingIsLeftFor(Lab lab, Way way, Event event, Probe outer, Probe middle) {
        outer.tame();
        middle.tame();
        refuses.set(false);
        lab.log.clear();
        Lab.Running next = lab.run(way, Step.value("next"));
        if (event == Event.CLOSED) {
            assertThat(next.end().what()).isEqualTo("rejected by pipeline: CLOSED");
            assertThat(lab.log).isEmpty();
        } else {
            assertThat(next.end().what()).isEqualTo("next from LIVE");
            assertThat(next.flag()).isFalse();
            assertThat(lab.log)
                    .containsExactly(
                            "outer enter",
                            "middle enter",
                            "inner enter",
                            "inner settle SUCCESS",
                            "inner ended",
                            "middle settle SUCCESS",
                            "middle ended",
                            "outer settle SUCCESS",
                            "outer ended");
        }
        lab.assertLivesOver();
    }

    enum Thrower {
        OUTER_ENTER,
        OUTER_SETTLE,
        OUTER_ENDED,
        MIDDLE_ENTER,
        MIDDLE_SETTLE,
        MIDDLE_ENDED,
        MIDDLE_STILL_ADMITS,
        INNER_ENTER,
        INNER_SETTLE,
        INNER_ENDED,
        CLASSIFIER,
        ACTION
    }

    static Stream<Arguments> everyThrower() {
        return Stream.of(Way.values())
                .flatMap(way -> Stream.of(Thrower.values())
                        .flatMap(thrower -> Stream.<Throwable>of(
                                        new IllegalStateException("thrown"),
                                        new AssertionError("thrown"),
                                        new StackOverflowError("thrown"))
                                .map(thrown -> Arguments.of(way, thrower, thrown))));
    }

    @ParameterizedTest
    @MethodSource("everyThrower")
    void whateverThrowsTheOtherLayersAreSettledAndEndedOnce(Way way, Thrower thrower, Throwable thrown) {
        try (Lab lab = new Lab()) {
            Probe outer = lab.probe("outer");
            Probe middle = lab.probe("middle");
            Probe inner = lab.probe("inner").entering(passage -> Decision.pause(1));
            arm(thrower, thrown, outer, middle, inner);
            Classifier classifier = (value, error) -> thrower == Thrower.CLASSIFIER ? fail(thrown) : Verdict.SUCCESS;
            lab.building(builder -> builder.classifier(classifier)).layers(outer, middle, inner);
            Lab.Running running = lab.run(
                    way,
                    thrower == Thrower.ACTION
                            ? Step.error(thrown)
                            : Step.value("done").after(1));
            boolean afterTheFact = thrower.name().endsWith("ENDED");
            assertThat(running.error()).isSameAs(afterTheFact ? null : thrown);
            lab.assertLivesOver();
        }
    }

    private static void arm(Thrower thrower, Throwable thrown, Probe outer, Probe middle, Probe inner) {
        switch (thrower) {
            case OUTER_ENTER -> outer.entering(passage -> fail(thrown));
            case OUTER_SETTLE -> outer.settling(passage -> fail(thrown));
            case OUTER_ENDED -> outer.ending(passage -> fail(thrown));
            case MIDDLE_ENTER -> middle.entering(passage -> fail(thrown));
            case MIDDLE_SETTLE -> middle.settling(passage -> fail(thrown));
            case MIDDLE_ENDED -> middle.ending(passage -> fail(thrown));
            case MIDDLE_STILL_ADMITS -> middle.admitting(passage -> fail(thrown));
            case INNER_ENTER -> inner.entering(passage -> fail(thrown));
            case INNER_SETTLE -> inner.settling(passage -> fail(thrown));
            case INNER_ENDED -> inner.ending(passage -> fail(thrown));
            default -> {}
        }
    }

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // throws anything from anywhere
    private static <R, E extends Throwable> R fail(Throwable thrown) throws E {
        throw (E) thrown;
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void abandonThatThrowsKeepsTheOuterLayersSettled(Way way) {
        try (Lab lab = new Lab()) {
            Probe outer = lab.probe("outer");
            Probe inner = lab.probe("inner").entering(passage -> Decision.pause(10));
            inner.abandoning(passage -> fail(new AssertionError("abandon")));
            lab.layers(outer, inner);
            lab.giveUpAfter(5, way, Step.value("never"));
            assertThat(lab.log)
                    .containsExactly(
                            "outer enter",
                            "inner enter",
                            "inner abandon",
                            way == Way.CALL
                                    ? "outer settle INTERRUPTED not started"
                                    : "outer settle CANCELLED not started",
                            "outer ended");
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void everyRetryEntersAnewAndSettlesEachEntryOnce(Way way) {
        try (Lab lab = new Lab()) {
            Probe retrying = lab.probe("retrying")
                    .settling(passage -> passage.outcome() == Outcome.FAILURE
                            ? Decision.retry(passage.attempts() - 1)
                            : Decision.GO_ON);
            lab.layers(lab.probe("outer"), retrying, lab.probe("inner"));
            IOException again = new IOException("again");
            Lab.Running running = lab.run(way, Step.error(again), Step.error(again), Step.value("third"));
            assertThat(running.end()).isEqualTo(new Lab.End("third from LIVE", 3, Lab.millis(1)));
            assertThat(lab.log)
                    .containsExactly(
                            "outer enter",
                            "retrying enter",
                            "inner enter",
                            "inner settle FAILURE",
                            "inner ended",
                            "retrying settle FAILURE",
                            "inner enter",
                            "inner settle FAILURE",
                            "inner ended",
                            "retrying settle FAILURE",
                            "inner enter",
                            "outer still admits",
                            "inner settle SUCCESS",
                            "inner ended",
                            "retrying settle SUCCESS",
                            "retrying ended",
                            "outer settle SUCCESS",
                            "outer ended");
            lab.assertLivesOver();
        }
    }
}
