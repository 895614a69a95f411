/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import static dev.holdfast.Call.Priority.CRITICAL;
import static dev.holdfast.Call.Priority.DEFAULT;
import static dev.holdfast.Call.Priority.SHEDDABLE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Call.Priority;
import dev.holdfast.headers.CallHeaders;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.shadow.ShadowPolicy;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Way;
import dev.holdfast.time.VirtualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is said of a call's priority, as policies see it, and how it is handed down. */
class CallPriorityTest {
    private final VirtualTime time = new VirtualTime();
    private final CallHeaders headers = CallHeaders.of(h -> h.time(time));
    private final List<Integer> ranks = new ArrayList<>();

    @AfterEach
    void close() {
        time.close();
    }

    private Policy note() {
        return new Policy("note", Policy.ENTER) {
            @Override
            public int enter(Passage passage) {
                ranks.add(passage.rank());
                return PROCEED;
            }
        };
    }

    private Pipeline pipeline(Policy... policies) {
        return Pipeline.builder("p").policies(policies).time(time).build();
    }

    private static RetryPolicy thrice() {
        return RetryPolicy.of(
                r -> r.maxAttempts(3).initialBackoff(Duration.ZERO).maxBackoff(Duration.ZERO));
    }

    /** Runs it as a blocking call, or as an asynchronous one whose action runs it; returns what it gave. */
    private <T> @Nullable T inside(Way way, Call<T> call, CheckedSupplier<T, Exception> action) {
        CompletableFuture<T> end = way == Way.CALL
                ? time.spawn(() -> call.call(attempt -> action.get()))
                : call.callAsync(attempt -> {
                    try {
                        return CompletableFuture.completedFuture(action.get());
                    } catch (Exception thrown) {
                        return CompletableFuture.failedFuture(thrown);
                    }
                });
        time.run();
        return end.isCompletedExceptionally() ? null : end.join();
    }

    private Map<String, String> written() {
        Map<String, String> map = new HashMap<>();
        headers.write(map::put);
        map.remove("Holdfast-Attempt");
        return map;
    }

    @Test
    void theConstantsAreInTheOrderOfTheirRanks() throws Exception {
        Pipeline pipeline = pipeline(note());

        for (Priority priority : Priority.values()) {
            pipeline.operation("get").unkeyed().priority(priority).call(attempt -> "a");
        }

        assertThat(Priority.values()).containsExactly(CRITICAL, DEFAULT, SHEDDABLE);
        assertThat(ranks).containsExactly(0, 1, 2);
    }

    @Test
    void isTheDefaultIfNobodySaysAnything() throws Exception {
        Pipeline pipeline = pipeline(note());

        pipeline.call(() -> "a");
        pipeline.<String>operation("get").decorate((String key) -> "a").apply("k");

        assertThat(ranks).containsExactly(1, 1);
        assertThat(Priority.current()).isEqualTo(DEFAULT);
    }

    @Test
    void theOperationSaysItForItsCallsAndFunctions() throws Exception {
        Operation<String> banner = pipeline(note()).operation("banner", o -> o.priority(SHEDDABLE));

        banner.unkeyed().call(attempt -> "a");
        banner.decorate((String key) -> "a").apply("k");
        banner.key("k")
                .weight(2)
                .discard(value -> {})
                .deadline(Duration.ofSeconds(1))
                .call(attempt -> "a");
        banner.unkeyed().priority(CRITICAL).call(attempt -> "a");

        assertThat(ranks).containsExactly(2, 2, 2, 0);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aRetryComesOneLater(Way way) {
        Call<String> call = pipeline(thrice(), ShadowPolicy.of(note()), note())
                .<String>operation("get")
                .unkeyed()
                .priority(CRITICAL);

        inside(way, call, () -> {
            throw new IOException();
        });

        assertThat(ranks).containsExactly(0, 0, 1, 1, 1, 1);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aRetryOfASheddableCallComesLast(Way way) {
        Call<String> call =
                pipeline(thrice(), note()).<String>operation("get").unkeyed().priority(SHEDDABLE);

        inside(way, call, () -> {
            throw new IOException();
        });

        assertThat(ranks).containsExactly(2, Passage.LAST_RANK, Passage.LAST_RANK);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aHedgeComesLast(Way way) {
        Pipeline pipeline = pipeline(HedgePolicy.of(h -> h.delay(Duration.ofMillis(10))), note());
        Call<String> call = pipeline.<String>operation("get").unkeyed().priority(CRITICAL);

        CompletableFuture<String> end = way == Way.CALL
                ? time.spawn(() -> call.call(attempt -> {
                    time.sleep(Duration.ofMillis(50));
                    return "a";
                }))
                : call.callAsync(attempt -> {
                    CompletableFuture<String> later = new CompletableFuture<>();
                    time.schedule(Duration.ofMillis(50).toNanos(), () -> later.complete("a"));
                    return later;
                });
        time.run();

        assertThat(end).isCompletedWithValue("a");
        assertThat(ranks).containsExactly(0, Passage.LAST_RANK);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callsInsideACallHaveItsPriority(Way way) {
        Pipeline inner = pipeline(note());
        Call<Priority> outer = pipeline().<Priority>operation("get").unkeyed().priority(SHEDDABLE);

        Priority inside = inside(way, outer, () -> {
            inner.call(() -> "a");
            return Priority.current();
        });

        assertThat(inside).isEqualTo(SHEDDABLE);
        assertThat(ranks).containsExactly(2);
        assertThat(Priority.current()).isEqualTo(DEFAULT);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whatIsInsideCanOnlyBeLessImportant(Way way) {
        Operation<String> inner = pipeline(note()).operation("get");
        Call<String> outer = pipeline().<String>operation("get").unkeyed().priority(SHEDDABLE);
        Call<String> usual = pipeline().<String>operation("get").unkeyed().priority(DEFAULT);
        Call<String> silent = pipeline().<String>operation("get").unkeyed();

        for (Call<String> around : List.of(outer, usual, silent)) {
            inside(way, around, () -> inner.unkeyed().priority(CRITICAL).call(attempt -> "a"));
            inside(way, around, () -> CRITICAL.around(() -> inner.unkeyed().call(attempt -> "a")));
            inside(way, around, () -> inner.unkeyed().priority(SHEDDABLE).call(attempt -> "a"));
        }

        assertThat(ranks).containsExactly(2, 2, 2, 1, 1, 2, 0, 0, 2);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aCallInsideASecondAttemptComesOneLater(Way way) {
        Pipeline inner = pipeline(note());

        inside(way, pipeline(thrice()).<String>operation("get").unkeyed(), () -> {
            inner.call(() -> "a");
            throw new IOException();
        });

        assertThat(ranks).containsExactly(1, 2, 2);
    }

    @Test
    void aroundBindsItToTheThreadAndNestsAndEndsWithAnException() {
        Pipeline pipeline = pipeline(note());

        CRITICAL.around(() -> {
            pipeline.call(() -> "a");
            SHEDDABLE.around(() -> pipeline.call(() -> "a"));
            pipeline.call(() -> "a");
        });
        assertThatThrownBy(() -> SHEDDABLE.around(() -> {
                    throw new IOException("broken");
                }))
                .hasMessage("broken");
        pipeline.call(() -> "a");

        assertThat(ranks).containsExactly(0, 2, 0, 1);
    }

    @Test
    void aDeadlineInsideKeepsIt() throws Exception {
        Pipeline pipeline = pipeline(note());

        SHEDDABLE.around(() -> Deadline.within(time, Duration.ofSeconds(1), () -> pipeline.call(() -> "a")));
        Deadline.within(
                time,
                Duration.ofSeconds(1),
                () -> SHEDDABLE.around(() -> {
                    assertThat(Deadline.remaining()).contains(Duration.ofSeconds(1));
                    return pipeline.call(() -> "a");
                }));

        assertThat(ranks).containsExactly(2, 2);
    }

    @Test
    void goesToOtherThreadsWithTheDeadline() {
        Pipeline pipeline = pipeline(note());
        List<Runnable> tasks = new ArrayList<>();

        SHEDDABLE.around(() -> Deadline.propagating(tasks::add).execute(() -> pipeline.call(() -> "a")));
        Deadline.propagating(tasks::add).execute(() -> pipeline.call(() -> "a"));
        SHEDDABLE.around(() -> tasks.get(1).run());
        tasks.get(0).run();

        assertThat(ranks).endsWith(2);
        assertThat(Priority.current()).isEqualTo(DEFAULT);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theContinuationOfASuspendedCallKeepsIt(Way way) {
        Policy waits = new Policy("waits", Policy.ENTER) {
            @Override
            public int enter(Passage passage) {
                if (passage.slot() == 1) {
                    return PROCEED;
                }
                passage.slot(1);
                return passage.pause(Duration.ofSeconds(1).toNanos());
            }
        };
        Call<Priority> call =
                pipeline(waits, note()).<Priority>operation("get").unkeyed().priority(CRITICAL);

        assertThat(inside(way, call, Priority::current)).isEqualTo(CRITICAL);
        assertThat(ranks).containsExactly(0);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void isWrittenIntoTheHeadersOfARequestIfAnybodySaidIt(Way way) {
        Operation<Map<String, String>> get = pipeline().operation("get");

        assertThat(inside(way, get.unkeyed(), this::written)).isEmpty();
        assertThat(inside(way, get.unkeyed().priority(DEFAULT), this::written))
                .isEqualTo(Map.of("Holdfast-Priority", "default"));
        assertThat(SHEDDABLE.around(() -> written())).isEqualTo(Map.of("Holdfast-Priority", "sheddable"));
        assertThat(inside(way, get.unkeyed().priority(CRITICAL), this::written))
                .isEqualTo(Map.of("Holdfast-Priority", "critical"));
    }

    @ParameterizedTest
    @CsvSource({"critical,0", "default,1", "sheddable,2", "' SHEDDABLE ',2", "Critical,0"})
    void aReceivedPriorityHoldsForTheCallsOfTheRequest(String value, int rank) {
        Pipeline pipeline = pipeline(note());

        headers.receive(Map.of("Holdfast-Priority", value)::get, () -> pipeline.call(() -> "a"));

        assertThat(ranks).containsExactly(rank);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "urgent", "0", "critical,sheddable", "ſheddable"})
    void aMalformedPriorityChangesNothing(String value) {
        Pipeline pipeline = pipeline(note());

        headers.receive(Map.of("Holdfast-Priority", value)::get, () -> pipeline.call(() -> "a"));
        SHEDDABLE.around(
                () -> headers.receive(Map.of("Holdfast-Priority", value)::get, () -> pipeline.call(() -> "a")));

        assertThat(ranks).containsExactly(1, 2);
    }

    @Test
    void aRequestThatIsARetryComesOneLater() {
        Pipeline pipeline = pipeline(note());
        Map<String, String> second = Map.of("Holdfast-Attempt", "2", "Holdfast-Priority", "critical");

        headers.receive(second::get, () -> pipeline.call(() -> "a"));

        assertThat(ranks).containsExactly(1);
    }

    @Test
    void aHeaderWithoutANameIsNeitherWrittenNorRead() {
        Pipeline pipeline = pipeline(note());
        CallHeaders silent = CallHeaders.of(h -> h.time(time).priority(null));
        Map<String, String> map = new HashMap<>();

        SHEDDABLE.around(() -> silent.write(map::put));
        silent.receive(Map.of("Holdfast-Priority", "sheddable")::get, () -> pipeline.call(() -> "a"));

        assertThat(map).isEmpty();
        assertThat(ranks).containsExactly(1);
    }
}
