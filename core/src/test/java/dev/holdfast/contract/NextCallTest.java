/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import static dev.holdfast.contract.Lab.millis;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Call;
import dev.holdfast.Classifier;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.Reply;
import dev.holdfast.Reply.Source;
import dev.holdfast.Verdict;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.Passage;
import dev.holdfast.testing.ThreadKind;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** One call of a thread after the other, each with the same object: nothing of the first is found by the second. */
@ThreadKind.Each
class NextCallTest {
    private final Lab lab = new Lab();
    private final List<String> heard = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void close() {
        lab.close();
    }

    private static String all(Passage p) {
        return p.outcome() + " attempts " + p.attempts() + " started " + p.started() + " ran " + p.actionNanos()
                + " cut short " + p.cutShort() + " personal " + p.personal() + " held " + p.heldRetry() + " refusal "
                + p.refusal() + " expired " + p.expired() + " overdue "
                + p.beside().overdue() + " source " + p.source();
    }

    /** On one thread. */
    private void inTurn(List<Callable<Object>> calls) {
        var unused = lab.time.spawn(() -> {
            for (Callable<Object> call : calls) {
                try {
                    heard.add("got " + call.call());
                } catch (Exception thrown) {
                    heard.add("got " + thrown.getClass().getSimpleName());
                }
            }
            return null;
        });
        lab.time.run();
    }

    @Test
    void callThatIsTurnedAwayKnowsNothingOfTheOneBefore() {
        AtomicInteger calls = new AtomicInteger();
        lab.layers(
                lab.probe("outer").settling(p -> {
                    heard.add(all(p));
                    return Decision.GO_ON;
                }),
                RetryPolicy.of(r -> r.maxAttempts(2).initialBackoff(millis(1)).jitter(Jitter.NONE)),
                lab.probe("gate")
                        .entering(p ->
                                calls.incrementAndGet() > 1 ? Decision.fail(new IOException("away")) : Decision.GO_ON)
                        .settling(p -> {
                            p.holdRetry(7);
                            return Decision.GO_ON;
                        }));
        Call<Object> call = lab.operation().unkeyed();
        inTurn(List.of(
                () -> call.deadline(millis(5)).call(attempt -> {
                    lab.time.sleep(millis(50));
                    return "never";
                }),
                () -> call.call(attempt -> "never")));
        assertThat(heard)
                .containsExactly(
                        "TIMEOUT attempts 1 started true ran 5000000 cut short true personal true held 7 refusal "
                                + "DEADLINE expired false overdue false source LIVE",
                        "got CallTimeoutException",
                        "IGNORED attempts 0 started false ran 0 cut short false personal false held 0 refusal null "
                                + "expired false overdue false source LIVE",
                        "got IOException");
    }

    @Test
    void callAfterOneThatWasGivenUpForTimeIsRetried() {
        lab.layers(
                RetryPolicy.of(r -> r.maxAttempts(2).initialBackoff(millis(1)).jitter(Jitter.NONE)));
        Call<Object> call = lab.operation().unkeyed();
        inTurn(List.of(
                () -> call.deadline(millis(5)).call(attempt -> {
                    lab.time.sleep(millis(50));
                    return "never";
                }),
                () -> call.call(attempt -> {
                    if (attempt.number() == 1) {
                        throw new IOException("ill");
                    }
                    return "of attempt " + attempt.number();
                })));
        assertThat(heard).containsExactly("got CallTimeoutException", "got of attempt 2");
    }

    @Test
    void replyAfterOneFromMemoryHasNoAge() {
        AtomicInteger calls = new AtomicInteger();
        lab.layers(lab.probe("memory")
                .entering(p -> calls.incrementAndGet() == 1
                        ? new Decision(
                                Decision.Kind.TURN,
                                q -> q.answer(
                                        "old",
                                        Source.FRESH,
                                        Duration.ofMinutes(3).toNanos()))
                        : Decision.GO_ON));
        Call<Object> call = lab.operation().unkeyed();
        inTurn(List.of(() -> text(call.reply(attempt -> "never")), () -> text(call.reply(attempt -> "new"))));
        assertThat(heard).containsExactly("got old FRESH PT3M", "got new LIVE PT0S");
    }

    private static String text(Reply<Object> reply) {
        return reply.value() + " " + reply.source() + " " + reply.age();
    }

    @Test
    void outcomeThatIsSharedInPlaceOfAnOldAnswerHasNoAge() {
        lab.layers(
                lab.probe("sharing")
                        .settling(p -> new Decision(
                                Decision.Kind.TURN, q -> q.share(p.outcome(), "shared", null, Source.LIVE))),
                lab.probe("memory")
                        .entering(p -> new Decision(
                                Decision.Kind.TURN,
                                q -> q.answer(
                                        "old",
                                        Source.FRESH,
                                        Duration.ofMinutes(3).toNanos()))));
        inTurn(List.of(() -> text(lab.operation().unkeyed().reply(attempt -> "never"))));
        assertThat(heard).containsExactly("got shared LIVE PT0S");
    }

    @Test
    void waitOfTheCallBeforeMakesNoLayerOfTheNextOneBeAskedAgain() {
        AtomicInteger entries = new AtomicInteger();
        lab.layers(
                lab.probe("outer"),
                lab.probe("pausing").entering(p -> entries.incrementAndGet() == 1 ? Decision.pause(5) : Decision.GO_ON),
                lab.probe("inner").entering(p -> entries.get() == 1 ? Decision.REJECT : Decision.GO_ON));
        Call<Object> call = lab.operation().unkeyed();
        inTurn(List.of(() -> call.call(attempt -> "never"), () -> call.call(attempt -> "well")));
        assertThat(heard).containsExactly("got CallRejectedException", "got well");
        assertThat(lab.log).doesNotContain("outer still admits", "pausing still admits");
    }

    /** What a fallback calls is no attempt; what the next call's action calls is one. */
    @Test
    void callAfterOneThatWasAnsweredByAFallbackHasAttemptsAgain() {
        List<Integer> outer = Collections.synchronizedList(new ArrayList<>());
        try (Pipeline nested = Pipeline.builder("nested")
                .policies(lab.probe("nested").entering(p -> {
                    outer.add(p.outerAttempt());
                    return Decision.GO_ON;
                }))
                .time(lab.time)
                .build()) {
            lab.layers(FallbackPolicy.of(error -> nested.call(() -> "fallback")));
            Call<Object> call = lab.operation().unkeyed();
            inTurn(List.of(
                    () -> call.call(attempt -> {
                        throw new IOException("ill");
                    }),
                    () -> call.call(attempt -> nested.call(() -> "well"))));
        }
        assertThat(heard).containsExactly("got fallback", "got well");
        assertThat(outer).containsExactly(0, 1);
    }

    @Test
    void callInsideAnUnkeyedCallInsideOneOfItsKeyIsRecursive() {
        List<Boolean> recursive = Collections.synchronizedList(new ArrayList<>());
        lab.layers(lab.probe("asking").entering(p -> {
            recursive.add(Probe.recursive(p));
            return Decision.GO_ON;
        }));
        try (Pipeline between = Pipeline.builder("between")
                .time(lab.time)
                .executor(lab.time.executor())
                .build()) {
            Operation<Object> asked = lab.operation();
            inTurn(List.of(
                    () -> asked.key("k")
                            .call(attempt -> between.call(() -> asked.key("k").call(inner -> "blocking"))),
                    () -> asked.key("k")
                            .callAsync(attempt -> between.callAsync(() -> asked.key("k")
                                    .callAsync(inner -> CompletableFuture.completedFuture("asynchronous"))))
                            .get()));
        }
        assertThat(heard).containsExactly("got blocking", "got asynchronous");
        assertThat(recursive).containsExactly(false, true, false, true);
    }

    /** What a policy fails on the way up is an error without a source, whatever there was before it. */
    @Test
    void errorThatReplacesAnOldAnswerIsLive() {
        Classifier all = (value, error) -> Verdict.SUCCESS;
        lab.building(b -> b.classifier(all));
        lab.layers(
                lab.probe("outer").settling(p -> {
                    heard.add(p.outcome() + " " + p.source());
                    return Decision.answer("instead");
                }),
                lab.probe("strict").settling(p -> Decision.fail(new IllegalStateException("too old"))),
                lab.probe("memory")
                        .entering(p -> new Decision(
                                Decision.Kind.TURN,
                                q -> q.answer(
                                        "old",
                                        Source.FRESH,
                                        Duration.ofMinutes(3).toNanos()))));
        inTurn(List.of(() -> text(lab.operation().unkeyed().reply(attempt -> "never"))));
        assertThat(heard).containsExactly("IGNORED LIVE", "got instead FALLBACK PT0S");
        // What a policy answers with stays the policy's.
        assertThat(lab.discarded).isEmpty();
    }
}
