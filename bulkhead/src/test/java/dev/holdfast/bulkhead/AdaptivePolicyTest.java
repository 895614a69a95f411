/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Deadline;
import dev.holdfast.Pipeline;
import dev.holdfast.Reply.Source;
import dev.holdfast.Verdict;
import dev.holdfast.bulkhead.BulkheadSettings.LimitAlgorithm;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.RecordedMeters;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Which outcomes move a limit that adapts, and that the permits follow it. */
class AdaptivePolicyTest {
    private final VirtualTime time = new VirtualTime();

    private final BulkheadPolicy bulkhead = BulkheadPolicy.of(b -> b.limit(LimitAlgorithm.AIMD)
            .maxConcurrentCalls(100)
            .initialConcurrentCalls(20)
            .maxWait(Duration.ZERO));

    private final Pipeline pipeline = Pipeline.builder("inventory")
            .policies(bulkhead, TimeoutPolicy.of(Duration.ofMillis(60)))
            .classifier((value, error) -> switch (String.valueOf(value)) {
                case "less" -> Verdict.PUSHBACK;
                case "not found" -> Verdict.IGNORED;
                case "null" -> Verdict.FAILURE;
                default -> Verdict.SUCCESS;
            })
            .time(time)
            .build();

    @AfterEach
    void close() {
        time.close();
    }

    /** Rounds of so many calls at once, each of which ends after so many ms. */
    private void rounds(int calls, long millis, String answer) {
        for (int round = 0; round < 4; round++) {
            for (int i = 0; i < calls; i++) {
                CompletableFuture<String> work = new CompletableFuture<>();
                time.schedule(Duration.ofMillis(millis).toNanos(), () -> work.complete(answer));
                assertThat(pipeline.callAsync(() -> work)).isNotNull();
            }
            time.advance(Duration.ofMillis(100));
        }
        assertThat(bulkhead.inFlight()).isZero();
    }

    @Test
    void whatIsServedLetsItGrowAndThePermitsFollow() {
        rounds(20, 50, "served");

        assertThat(bulkhead.limit()).isEqualTo(23);
        rounds(200, 50, "served");
        assertThat(bulkhead.limit()).isGreaterThan(23);
    }

    @Test
    void thePermitsFollowWithTheCallThatEndsTheWindow() {
        Pipeline untimed =
                Pipeline.builder("untimed").policies(bulkhead).time(time).build();
        List<CompletableFuture<String>> work =
                Stream.generate(CompletableFuture<String>::new).limit(20).toList();
        work.forEach(
                future -> assertThat(untimed.callAsync(() -> future)).as("runs").isNotDone());
        work.get(0).complete("served");
        time.advance(Duration.ofMillis(100));
        work.subList(1, 9).forEach(future -> future.complete("served"));
        assertThat(bulkhead.limit()).isEqualTo(20);

        work.get(9).complete("served");

        assertThat(bulkhead.limit()).isEqualTo(21);
    }

    @Test
    void aTimeoutLetsItShrink() {
        rounds(20, 80, "too late");

        assertThat(bulkhead.limit()).isEqualTo(14);
    }

    @Test
    void aPushbackLetsItShrink() {
        rounds(20, 1, "less");

        assertThat(bulkhead.limit()).isLessThan(20);
    }

    @Test
    void whatFailsOtherwiseChangesNothing() {
        rounds(20, 50, "null");

        assertThat(bulkhead.limit()).isEqualTo(20);
    }

    /** A 404 says that the dependency works, and how long it takes. */
    @Test
    void whatIsTheCallersFaultIsAnAnswer() {
        rounds(20, 50, "not found");

        assertThat(bulkhead.limit()).isGreaterThan(20);
    }

    /** Answers all by itself, as a cache does. */
    private static final class Answering extends Policy {
        Answering() {
            super("answering", ENTER);
        }

        @Override
        public int enter(Passage passage) {
            return passage.answer("known", Source.FRESH, 0);
        }
    }

    @Test
    void whatNeverReachedTheDependencyChangesNothing() {
        BulkheadPolicy small =
                BulkheadPolicy.of(b -> b.limit(LimitAlgorithm.AIMD).initialConcurrentCalls(2));
        Pipeline cached = Pipeline.builder("cached")
                .policies(small, new Answering())
                .time(time)
                .build();
        Pipeline live = Pipeline.builder("live").policies(small).time(time).build();
        for (int i = 0; i < 20; i++) {
            assertThat(cached.callAsync(() -> CompletableFuture.completedFuture("live")))
                    .isCompletedWithValue("known");
            time.advance(Duration.ofMillis(10));
        }
        assertThat(small.limit()).isEqualTo(2);

        for (int i = 0; i < 20; i++) {
            assertThat(live.callAsync(() -> CompletableFuture.completedFuture("live")))
                    .isCompletedWithValue("live");
            time.advance(Duration.ofMillis(10));
        }
        assertThat(small.limit()).isEqualTo(3);
    }

    @ParameterizedTest
    @EnumSource(
            value = LimitAlgorithm.class,
            names = {"FIXED", "LOSSES"},
            mode = EnumSource.Mode.EXCLUDE)
    void aLimitThatAdaptsIsSeenAndCannotBeSet(LimitAlgorithm algorithm) {
        BulkheadPolicy bulkhead =
                BulkheadPolicy.of(b -> b.limit(algorithm).maxConcurrentCalls(50).initialConcurrentCalls(12));
        RecordedMeters meters = new RecordedMeters();
        bulkhead.meters(meters);

        assertThat(bulkhead.limit()).isEqualTo(12);
        assertThat(meters.values()).containsEntry("bulkhead.limit", 12.0);
        assertThat(bulkhead.asResilience4j().getMetrics().getMaxAllowedConcurrentCalls())
                .isEqualTo(12);
        assertThatThrownBy(() -> bulkhead.resize(5))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("the limit of this bulkhead adapts by " + algorithm + " and cannot be set");
    }

    private CompletableFuture<String> answerIn50Millis() {
        CompletableFuture<String> work = new CompletableFuture<>();
        time.schedule(Duration.ofMillis(50).toNanos(), () -> work.complete("served"));
        return work;
    }

    /** Half a minute of honest calls for a dependency that answers in 50 ms, and four times as many others. */
    private void besideHonestCalls(Pipeline pipeline, Runnable hurried) {
        for (int i = 0; i < 6_000; i++) {
            assertThat(pipeline.callAsync(this::answerIn50Millis)).isNotNull();
            for (int other = 0; other < 4; other++) {
                hurried.run();
            }
            time.advance(Duration.ofMillis(5));
        }
    }

    private static BulkheadPolicy adapting(LimitAlgorithm algorithm) {
        return BulkheadPolicy.of(b -> b.limit(algorithm).maxConcurrentCalls(100).initialConcurrentCalls(40));
    }

    @ParameterizedTest
    @EnumSource(value = LimitAlgorithm.class, names = "FIXED", mode = EnumSource.Mode.EXCLUDE)
    void shortDeadlinesOfCallersSayNothingOfTheDependency(LimitAlgorithm algorithm) {
        BulkheadPolicy adaptive = adapting(algorithm);
        Pipeline own = Pipeline.builder("own").policies(adaptive).time(time).build();

        besideHonestCalls(
                own,
                () -> assertThat(own.<String>operation("hurried")
                                .unkeyed()
                                .deadline(Duration.ofMillis(5))
                                .callAsync(attempt -> answerIn50Millis()))
                        .isNotNull());

        assertThat(adaptive.limit()).isGreaterThanOrEqualTo(40);
    }

    @ParameterizedTest
    @EnumSource(value = LimitAlgorithm.class, names = "FIXED", mode = EnumSource.Mode.EXCLUDE)
    void deadlinesThatAreInheritedSayNothingOfTheDependency(LimitAlgorithm algorithm) {
        BulkheadPolicy adaptive = adapting(algorithm);
        Pipeline inner = Pipeline.builder("inner")
                .policies(adaptive, TimeoutPolicy.of(Duration.ofMillis(250)))
                .time(time)
                .build();

        besideHonestCalls(
                inner,
                () -> assertThat(Deadline.within(
                                time, Duration.ofMillis(3), () -> inner.callAsync(this::answerIn50Millis)))
                        .isNotNull());

        assertThat(adaptive.limit()).isGreaterThanOrEqualTo(40);
    }

    @ParameterizedTest
    @EnumSource(value = LimitAlgorithm.class, names = "FIXED", mode = EnumSource.Mode.EXCLUDE)
    void deadlinesThatADependencyOutlivesSaySomethingOfIt(LimitAlgorithm algorithm) {
        BulkheadPolicy adaptive = adapting(algorithm);
        Pipeline own = Pipeline.builder("own").policies(adaptive).time(time).build();
        besideHonestCalls(own, () -> {});
        int before = adaptive.limit();

        for (int i = 0; i < 4_000; i++) {
            assertThat(own.<String>operation("hangs")
                            .unkeyed()
                            .deadline(Duration.ofMillis(200))
                            .callAsync(attempt -> new CompletableFuture<String>()))
                    .isNotNull();
            time.advance(Duration.ofMillis(5));
        }

        assertThat(adaptive.limit()).isLessThan(before / 2);
    }

    /** In an overload the answers get longer, up to the deadline of the calls: none that it ends is longer than they are. */
    @Test
    void deadlinesThatEndTwiceTheUsualTimeAreLossesAlsoWhereAnswersComeAsLate() {
        BulkheadPolicy adaptive = adapting(LimitAlgorithm.LOSSES);
        Pipeline own = Pipeline.builder("own")
                .policies(adaptive, TimeoutPolicy.of(Duration.ofSeconds(3)))
                .time(time)
                .build();
        besideHonestCalls(own, () -> {});
        int before = adaptive.limit();

        for (int i = 0; i < 3_000; i++) {
            long millis = i < 1_000 ? 50 + i * 140 / 1_000 : i % 3 == 0 ? 190 : 400;
            assertThat(own.<String>operation("queues")
                            .unkeyed()
                            .deadline(Duration.ofMillis(200))
                            .callAsync(attempt -> {
                                CompletableFuture<String> answer = new CompletableFuture<>();
                                time.schedule(millis * 1_000_000, () -> answer.complete("late"));
                                return answer;
                            }))
                    .isNotNull();
            time.advance(Duration.ofMillis(5));
        }

        assertThat(adaptive.limit()).isLessThan(before / 2);
    }

    @Test
    void aFixedLimitListensToNoOutcome() {
        assertThat(BulkheadPolicy.of(b -> b.limit(LimitAlgorithm.FIXED)).hears())
                .isLessThan(BulkheadPolicy.of(b -> b.limit(LimitAlgorithm.AIMD)).hears());
    }
}
