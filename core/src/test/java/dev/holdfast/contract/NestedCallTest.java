/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.testing.ThreadKind;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Calls inside calls, and calls one after the other on one thread: none finds anything of another's. */
@ThreadKind.Each
class NestedCallTest {
    private final Lab lab = new Lab();

    @AfterEach
    void close() {
        lab.close();
    }

    private Pipeline pipeline(String name, Policy... layers) {
        return Pipeline.builder(name).policies(layers).time(lab.time).build();
    }

    private Probe numbered(String name, long number) {
        return lab.probe(name)
                .entering(passage -> {
                    passage.slot(number);
                    return Decision.GO_ON;
                })
                .settling(passage -> {
                    lab.log.add(name + " found " + passage.slot());
                    return Decision.GO_ON;
                });
    }

    @Test
    void callInsideACallHasSlotsOfItsOwn() throws Exception {
        Pipeline inner = pipeline("inner", numbered("inner", 7));
        Pipeline outer = pipeline("outer", numbered("outer", 1));
        String value = outer.<String, Exception>call(() -> inner.<String, Exception>call(() -> "inner") + " outer");
        assertThat(value).isEqualTo("inner outer");
        assertThat(lab.log).contains("inner found 7", "outer found 1");
        lab.assertLivesOver();
    }

    @Test
    void callInsideACallOfTheSamePipelineHasSlotsOfItsOwn() throws Exception {
        long[] next = {0};
        Probe layer = lab.probe("layer");
        layer.entering(passage -> {
            passage.slot(++next[0]);
            return Decision.GO_ON;
        });
        layer.settling(passage -> {
            lab.log.add("found " + passage.slot());
            return Decision.GO_ON;
        });
        Pipeline pipeline = pipeline("same", layer);
        pipeline.<String, Exception>call(() -> pipeline.call(() -> pipeline.call(() -> "deep")));
        assertThat(lab.log).containsSubsequence("found 3", "found 2", "found 1");
        lab.assertLivesOver();
    }

    @Test
    void innerFailureThatTheOuterActionHandlesIsNoneOfTheOuterCall() throws Exception {
        Pipeline inner = pipeline("inner", lab.probe("inner"));
        Pipeline outer = pipeline("outer", lab.probe("outer"));
        String value = outer.<String, Exception>call(() -> {
            Throwable failed = catchThrowable(() -> inner.call(() -> {
                throw new IOException("inner");
            }));
            return failed.getMessage() + " handled";
        });
        assertThat(value).isEqualTo("inner handled");
        assertThat(lab.log).contains("inner settle FAILURE", "outer settle SUCCESS");
    }

    @Test
    void callAfterAFailedOneOnTheSameThreadFindsNothingOfIt() throws Exception {
        List<Object> seen = new ArrayList<>();
        Probe layer = lab.probe("layer");
        layer.settling(passage -> {
            seen.add(passage.outcome());
            seen.add(passage.error());
            seen.add(passage.value());
            seen.add(passage.retryAfter());
            seen.add(passage.attempts());
            seen.add(passage.heldRetry());
            passage.holdRetry(99);
            return Decision.GO_ON;
        });
        Pipeline pipeline = pipeline("after", layer);
        IOException failed = new IOException("failed");
        assertThat(catchThrowable(() -> pipeline.call(() -> {
                    throw failed;
                })))
                .isSameAs(failed);
        seen.clear();
        pipeline.<String, Exception>call(() -> "well");
        assertThat(seen).containsExactly(dev.holdfast.Outcome.SUCCESS, null, "well", -1L, 1, 0L);
    }

    @Test
    void callOfALongerPipelineAfterAShorterOneFits() throws Exception {
        Pipeline shorter = pipeline("shorter", numbered("a", 1));
        Pipeline longer = pipeline("longer", numbered("b", 2), numbered("c", 3), numbered("d", 4));
        shorter.<String, Exception>call(() -> "x");
        longer.<String, Exception>call(() -> shorter.<String, Exception>call(() -> "x"));
        shorter.<String, Exception>call(() -> longer.<String, Exception>call(() -> "x"));
        assertThat(lab.log)
                .filteredOn(line -> line.contains("found"))
                .containsExactly(
                        "a found 1",
                        "a found 1",
                        "d found 4",
                        "c found 3",
                        "b found 2",
                        "d found 4",
                        "c found 3",
                        "b found 2",
                        "a found 1");
        lab.assertLivesOver();
    }

    @Test
    void innerCallKnowsTheOuterAttemptsNumber() throws Exception {
        List<Integer> outerAttempts = new ArrayList<>();
        Probe counting = lab.probe("counting").entering(passage -> {
            outerAttempts.add(passage.outerAttempt());
            return Decision.GO_ON;
        });
        Probe retrying =
                lab.probe("retrying").settling(passage -> passage.attempts() < 3 ? Decision.retry(0) : Decision.GO_ON);
        Pipeline inner = pipeline("inner", counting);
        Pipeline outer = pipeline("outer", retrying);
        inner.<String, Exception>call(() -> "alone");
        outer.<String, Exception>call(() -> inner.call(() -> "blocking"));
        CompletableFuture<String> async =
                outer.callAsync(() -> inner.callAsync(() -> CompletableFuture.completedFuture("async")));
        lab.time.run();
        assertThat(async).isCompletedWithValue("async");
        inner.<String, Exception>call(() -> "alone again");
        assertThat(outerAttempts).containsExactly(0, 1, 2, 3, 1, 2, 3, 0);
    }

    @Test
    void forkAskedForByAnEnterThatThrewIsNeverStarted() throws Exception {
        List<String> ran = new ArrayList<>();
        boolean[] broken = {true};
        Policy forking = new Policy("forking", Policy.ENTER) {
            @Override
            public int enter(dev.holdfast.spi.Passage passage) {
                if (broken[0]) {
                    passage.beside().fork("background", Long.MAX_VALUE);
                    throw new IllegalStateException("broken");
                }
                return PROCEED;
            }
        };
        Pipeline pipeline = pipeline("forks", forking);
        var decorated = pipeline.<String>operation("x").<String, RuntimeException>decorate(key -> {
            ran.add(key);
            return key;
        });
        assertThat(catchThrowable(() -> decorated.apply("first"))).hasMessage("broken");
        broken[0] = false;
        assertThat(decorated.apply("second")).isEqualTo("second");
        lab.time.run();
        assertThat(ran).containsExactly("second");
    }

    @Test
    void callThatOutlivesTheCallAroundItStillKnowsItsKey() {
        List<Boolean> recursive = new ArrayList<>();
        Probe layer = lab.probe("layer").settling(passage -> {
            recursive.add(Probe.recursive(passage));
            return Decision.GO_ON;
        });
        Pipeline pipeline = pipeline("same", layer);
        Operation<Object> operation = pipeline.operation("item");
        CompletableFuture<Object> work = new CompletableFuture<>();
        List<CompletableFuture<Object>> started = new ArrayList<>();
        operation.key("a").call(around -> {
            started.add(operation.key("a").callAsync(attempt -> work));
            started.add(operation.key("b").callAsync(attempt -> work));
            return "outer";
        });
        pipeline.call(() -> "another call with the same call object");
        work.complete("late");
        assertThat(started).allSatisfy(call -> assertThat(call).isCompletedWithValue("late"));
        assertThat(recursive).containsExactlyInAnyOrder(false, false, true, false);
    }

    @Test
    void hedgeKnowsTheKeysAroundItsCall() {
        List<Boolean> recursive = new ArrayList<>();
        Probe layer = lab.probe("layer").settling(passage -> {
            recursive.add(Probe.recursive(passage));
            return Decision.GO_ON;
        });
        Operation<Object> item = pipeline("same", layer).operation("item");
        Operation<Object> hedged =
                pipeline("hedged", HedgePolicy.of(h -> h.delay(Lab.millis(20)))).operation("hedged");
        var answer = lab.time.spawn(() -> item.key("a")
                .call(around -> hedged.unkeyed().call(attempt -> {
                    if (attempt.number() == 1) {
                        lab.time.sleep(Lab.millis(100));
                    }
                    return item.key("a").call(inside -> "of attempt " + attempt.number());
                })));
        lab.time.run();
        assertThat(answer).isCompletedWithValue("of attempt 2");
        assertThat(recursive).containsExactly(true, false);
    }
}
