/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.interplay;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Classifier;
import dev.holdfast.Pipeline;
import dev.holdfast.Verdict;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.bulkhead.BulkheadSettings;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testcalls.Work;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.throttling.ThrottlePolicy;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.function.IntFunction;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What traffic says of settings, with the numbers that it rests on. */
@Logs(value = "pipeline 'stock': (burst-of-one|timeout-not-below-deadline|[a-z-]+: )", sometimes = true)
class AdviceTest {

    /** A pipeline and its traffic. */
    private static final class Traffic implements AutoCloseable {
        final VirtualTime time = new VirtualTime();
        final Pipeline pipeline;
        private final Way way;

        Traffic(Way way, Policy... policies) {
            this(way, UnaryOperator.identity(), policies);
        }

        Traffic(Way way, UnaryOperator<Pipeline.Builder> more, Policy... policies) {
            this.way = way;
            pipeline = more.apply(Pipeline.builder("stock").policies(policies))
                    .time(time)
                    .advised()
                    .build();
        }

        void calls(int number, Duration apart, IntFunction<Work> work) {
            for (int i = 0; i < number; i++) {
                int call = i;
                time.schedule(i * apart.toNanos(), () -> {
                    var unused = work.apply(call)
                            .start(way, time, pipeline.<Object>operation("get").unkeyed());
                });
            }
            time.run();
        }

        List<String> advice() {
            return pipeline.advice().stream().map(Object::toString).toList();
        }

        @Override
        public void close() {
            pipeline.close();
            time.close();
        }
    }

    private static Work takes(int millis) {
        return Work.value("it").taking(ofMillis(millis));
    }

    @ParameterizedTest
    @EnumSource
    void aTimeoutThatCutsOffAnswers(Way way) {
        try (Traffic traffic = new Traffic(way, TimeoutPolicy.of(ofMillis(250)))) {
            traffic.calls(2_000, ofMillis(1), call -> takes(call % 50 == 0 ? 300 : 100));

            assertThat(traffic.advice())
                    .containsExactly(
                            "timeout-cuts-off: the timeout of 250ms ended 2.0 % of 2,000 attempts, and half of the answers came"
                                    + " within 101ms; make it longer if the dependency answers late; leave it if the dependency hangs");
            assertThat(traffic.pipeline.advice().get(0).samples()).isEqualTo(2_000);
            assertThat(traffic.pipeline.snapshot().advice()).isEqualTo(traffic.pipeline.advice());
        }
    }

    /** As an HTTP client that returns 503 and 404. */
    private static Pipeline.Builder classified(Pipeline.Builder builder) {
        return builder.classifier((value, error) -> "ill".equals(value)
                ? Verdict.FAILURE
                : "absent".equals(value) ? Verdict.IGNORED : Classifier.DEFAULT.classify(value, error));
    }

    @ParameterizedTest
    @EnumSource
    void aTimeoutIsMeasuredByAllAttempts(Way way) {
        try (Traffic traffic = new Traffic(way, AdviceTest::classified, TimeoutPolicy.of(ofMillis(250)))) {
            traffic.calls(
                    4_000,
                    ofMillis(1),
                    call -> call % 400 == 0
                            ? takes(300)
                            : Work.value(call % 2 == 0 ? "it" : "absent").taking(ofMillis(100)));
            assertThat(traffic.advice()).isEmpty();

            traffic.calls(1_000, ofMillis(1), call -> takes(call % 20 == 0 ? 300 : 100));
            assertThat(traffic.advice())
                    .singleElement()
                    .asString()
                    .startsWith("timeout-cuts-off: the timeout of 250ms ended 1.2 % of 5,000 attempts, ");
        }
    }

    @ParameterizedTest
    @EnumSource
    void aDeadlineALittleShorterThanTheTimeoutIsNotTakenForIt(Way way) {
        try (Traffic traffic = new Traffic(way, DeadlinePolicy.of(ofMillis(246)), TimeoutPolicy.of(ofMillis(250)))) {
            traffic.calls(2_000, ofMillis(1), call -> takes(call % 50 == 0 ? 300 : 100));

            assertThat(traffic.advice()).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatTheTimeoutBeforeAReplacementEndsIsNotTakenForThePresentOne(Way way) {
        try (Traffic traffic = new Traffic(way, TimeoutPolicy.of(ofSeconds(1)))) {
            traffic.time.schedule(
                    ofMillis(50).toNanos(), () -> traffic.pipeline.replace(TimeoutPolicy.of(ofMillis(250))));
            traffic.calls(2_000, ofMillis(1), call -> takes(call < 40 ? 5_000 : 100));

            assertThat(traffic.advice()).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aTimeOfAnswersIsNeverTooShort(Way way) {
        try (Traffic traffic = new Traffic(way, TimeoutPolicy.of(ofSeconds(3)))) {
            traffic.calls(1_000, ofMillis(1), call -> Work.value("it").taking(Duration.ofNanos(1_900_000)));

            assertThat(traffic.advice())
                    .singleElement()
                    .asString()
                    .startsWith("timeout-far-too-long: 99.9 % of 1,000 answers came within 2ms, ")
                    .endsWith("; make it shorter, such as 5900us");
        }
    }

    @ParameterizedTest
    @EnumSource
    void aTimeoutThatIsFarTooLong(Way way) {
        try (Traffic traffic = new Traffic(way, TimeoutPolicy.of(ofSeconds(3)))) {
            traffic.calls(1_000, ofMillis(1), call -> takes(20));

            assertThat(traffic.advice())
                    .containsExactly(
                            "timeout-far-too-long: 99.9 % of 1,000 answers came within 21ms, and the timeout is 3s: a call that"
                                    + " hangs holds its thread and its permit so long; make it shorter, such as 63ms");
        }
    }

    @ParameterizedTest
    @EnumSource
    void aBulkheadThatIsHardlyUsed(Way way) {
        try (Traffic traffic = new Traffic(way, BulkheadPolicy.of(b -> b.maxConcurrentCalls(25)))) {
            traffic.calls(16_000, ofMillis(10), call -> takes(15));

            assertThat(traffic.advice())
                    .containsExactly(
                            "bulkhead-hardly-used: 25 permits, and never more than 2 in use in 1,000 looks: a dependency that hangs"
                                    + " may take 25 threads before the bulkhead turns a call away; make it smaller, such as 6");
        }
    }

    @Test
    void permitsAreSeenInUseAlsoInBurstsOf16() {
        try (Traffic traffic = new Traffic(Way.CALL_ASYNC, BulkheadPolicy.of(b -> b.maxConcurrentCalls(20)))) {
            for (int burst = 0; burst < 1_100; burst++) {
                traffic.calls(16, Duration.ZERO, call -> takes(15));
            }

            assertThat(traffic.advice()).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aBulkheadThatWasResizedIsMeasuredAnew(Way way) {
        try (Traffic traffic = new Traffic(way, BulkheadPolicy.of(b -> b.maxConcurrentCalls(25)))) {
            traffic.calls(16_000, ofMillis(10), call -> takes(15));
            BulkheadPolicy bulkhead = traffic.pipeline.policy(BulkheadPolicy.class);
            bulkhead.resize(2);
            assertThat(traffic.advice()).isEmpty();
            bulkhead.resize(40);
            assertThat(traffic.advice()).isEmpty();
            traffic.calls(15_982, ofMillis(10), call -> takes(35));
            assertThat(traffic.advice()).isEmpty();
            traffic.calls(16, ofMillis(10), call -> takes(35));

            assertThat(traffic.advice())
                    .singleElement()
                    .asString()
                    .startsWith("bulkhead-hardly-used: 40 permits, and never more than 4 in use in 1,000 looks: ");
        }
    }

    @Test
    void whatWasTurnedAwayUnderAnotherLimitSaysNothing() {
        try (Traffic traffic = new Traffic(
                Way.CALL_ASYNC, BulkheadPolicy.of(b -> b.maxConcurrentCalls(2).maxWait(Duration.ZERO)))) {
            traffic.calls(2_000, ofMillis(10), call -> takes(29));
            assertThat(traffic.advice()).hasSize(1);
            traffic.pipeline.policy(BulkheadPolicy.class).resize(20);
            traffic.calls(2_000, ofMillis(10), call -> takes(29));

            assertThat(traffic.advice()).isEmpty();
        }
    }

    @Test
    @Logs("pipeline 'stock': timeout-far-too-long: ")
    void anHourWithoutCallsEndsWhenItIsAskedFor() {
        try (Traffic traffic = new Traffic(Way.CALL_ASYNC, TimeoutPolicy.of(ofSeconds(3)))) {
            traffic.calls(1_000, ofMillis(1), call -> takes(20));
            traffic.time.advance(Duration.ofHours(1));
            assertThat(traffic.advice()).hasSize(1);
            traffic.time.advance(Duration.ofHours(1));

            assertThat(traffic.advice()).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource
    void limitsThatTurnAwayGoodCalls(Way way) {
        try (Traffic traffic =
                new Traffic(way, BulkheadPolicy.of(b -> b.maxConcurrentCalls(2).maxWait(Duration.ZERO)))) {
            traffic.calls(2_000, ofMillis(10), call -> takes(29));

            assertThat(traffic.advice())
                    .singleElement()
                    .asString()
                    .startsWith("bulkhead-too-small: the bulkhead turned away 33.3 % of"
                            + " 2,000 tries, and 100.0 % of the attempts succeeded; ");
        }
        try (Traffic traffic = new Traffic(
                way,
                ThrottlePolicy.of(t -> t.limit(50).per(ofSeconds(1)).burst(1).maxWait(ofMillis(1))))) {
            traffic.calls(2_000, ofMillis(10), call -> Work.value("it"));

            assertThat(traffic.advice())
                    .singleElement()
                    .asString()
                    .startsWith("throttle-too-low: the throttle turned away ");
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatALimitTurnsAwayIsComparedWithAllTries(Way way) {
        try (Traffic traffic = new Traffic(
                way,
                BulkheadPolicy.of(
                        b -> b.maxConcurrentCalls(1).maxWait(Duration.ZERO).maxWaitingCalls(0)),
                ThrottlePolicy.of(t ->
                        t.limit(1_050).per(Duration.ofHours(1)).burst(1_050).maxWait(Duration.ZERO)))) {
            // One of ten runs, and the bulkhead turns nine away; in the end the throttle turns 60 away.
            traffic.calls(
                    10_560, Duration.ofNanos(100_000), call -> Work.value("it").taking(Duration.ofNanos(950_000)));

            assertThat(traffic.advice())
                    .singleElement()
                    .asString()
                    .startsWith("bulkhead-too-small: the bulkhead turned away 89.5 % of 10,560 tries,"
                            + " and 100.0 % of the attempts succeeded; ");
        }
    }

    @ParameterizedTest
    @EnumSource
    void retriesInVain(Way way) {
        try (Traffic traffic =
                new Traffic(way, RetryPolicy.of(r -> r.maxAttempts(2).budgetEnabled(false)))) {
            traffic.calls(1_200, ofMillis(10), call -> Work.error(new IOException("ill")));

            assertThat(traffic.advice())
                    .containsExactly(
                            "retries-in-vain: of 1,200 calls with more than one attempt 0 ended with an answer that is SUCCESS or"
                                    + " IGNORED; let the classifier call IGNORED what another attempt does not change, or make the waits longer");
        }
    }

    @ParameterizedTest
    @EnumSource
    void retriesThatGetAnAnswerWhichIsIgnoredAreNotInVain(Way way) {
        try (Traffic traffic = new Traffic(
                way,
                AdviceTest::classified,
                RetryPolicy.of(r -> r.maxAttempts(2).budgetEnabled(false)))) {
            traffic.calls(
                    1_200,
                    ofMillis(10),
                    call -> Work.reading(Stream.of("ill", "absent").iterator()::next));

            assertThat(traffic.advice()).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aStaleCacheWhoseCallsHaveNoKey(Way way) {
        try (Traffic traffic = new Traffic(way, StaleCachePolicy.ofDefaults())) {
            traffic.calls(999, ofMillis(1), call -> takes(2));
            assertThat(traffic.advice()).isEmpty();

            traffic.calls(1, ofMillis(1), call -> takes(2));
            assertThat(traffic.advice())
                    .containsExactly(
                            "stale-cache-without-keys: none of 1,000 calls had a key, so the stale cache was never used; decorate a"
                                    + " function, whose argument is the key, or call an operation with key(...)");

            // One call with a key is enough: then calls without one may be meant.
            traffic.time.schedule(0, () -> {
                var unused = takes(2).start(
                                way,
                                traffic.time,
                                traffic.pipeline.<Object>operation("get").key("sku-1"));
            });
            traffic.time.run();
            assertThat(traffic.advice()).isEmpty();
        }
    }

    @Test
    void nothingIsSaidOfFewSamplesAndOfGoodSettings() {
        try (Traffic traffic = new Traffic(Way.CALL_ASYNC, TimeoutPolicy.of(ofSeconds(3)))) {
            traffic.calls(999, ofMillis(1), call -> takes(20));

            assertThat(traffic.advice()).isEmpty();
        }
        try (Traffic traffic = new Traffic(
                Way.CALL_ASYNC,
                RetryPolicy.ofDefaults(),
                ThrottlePolicy.of(t -> t.limit(200)),
                BulkheadPolicy.of(b -> b.maxConcurrentCalls(8)),
                TimeoutPolicy.of(ofMillis(60)))) {
            traffic.calls(40_000, ofMillis(10), call -> takes(20));

            assertThat(traffic.advice()).isEmpty();
        }
    }

    @Test
    void isSilencedByItsName() {
        try (VirtualTime time = new VirtualTime();
                Pipeline pipeline = Pipeline.builder("stock")
                        .policies(TimeoutPolicy.of(ofSeconds(3)))
                        .time(time)
                        .advised()
                        .silence("timeout-far-too-long")
                        .build()) {
            for (int i = 0; i < 1_000; i++) {
                pipeline.run(() -> {});
            }

            assertThat(pipeline.advice()).isEmpty();
        }
    }

    @Test
    @Logs("pipeline 'stock': timeout-far-too-long: 99.9 % of 4,0")
    void restsOnTheLastWholeHourAndIsLoggedAtItsEnd() {
        try (Traffic traffic = new Traffic(Way.CALL_ASYNC, TimeoutPolicy.of(ofSeconds(3)))) {
            traffic.calls(4_100, ofMillis(900), call -> takes(20));
            traffic.calls(2_000, ofMillis(900), call -> takes(1_000));

            assertThat(traffic.advice()).singleElement().asString().startsWith("timeout-far-too-long: 99.9 % of 4,0");
        }
    }

    @Test
    void otherPoliciesBeginAnew() {
        try (Traffic traffic = new Traffic(Way.CALL_ASYNC, TimeoutPolicy.of(ofSeconds(3)))) {
            traffic.calls(1_000, ofMillis(1), call -> takes(20));
            traffic.pipeline.replace(TimeoutPolicy.of(ofSeconds(2)));

            assertThat(traffic.advice()).isEmpty();
        }
    }

    @Test
    void aPipelineThatIsNotAskedMeasuresNothing() {
        try (Pipeline pipeline = Pipeline.of("stock", TimeoutPolicy.of(ofSeconds(3)))) {
            for (int i = 0; i < 1_000; i++) {
                pipeline.run(() -> {});
            }

            assertThat(pipeline.advice()).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aDeadlineThatEndsAttemptsIsNotTakenForTheTimeout(Way way) {
        try (Traffic traffic = new Traffic(way, DeadlinePolicy.of(ofMillis(20)), TimeoutPolicy.of(ofMillis(100)))) {
            traffic.calls(2_000, ofMillis(1), call -> takes(call % 50 == 0 ? 300 : 15));

            assertThat(traffic.advice()).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aLimitThatAdaptsAndAttemptsOfAHedgeAreNotAdvisedOf(Way way) {
        try (Traffic traffic = new Traffic(
                way,
                BulkheadPolicy.of(
                        b -> b.limit(BulkheadSettings.LimitAlgorithm.AIMD).maxConcurrentCalls(200)))) {
            traffic.calls(16_000, ofMillis(10), call -> takes(15));

            assertThat(traffic.advice()).isEmpty();
        }
        try (Traffic traffic =
                new Traffic(way, HedgePolicy.of(h -> h.delay(ofMillis(5)).budgetEnabled(false)))) {
            traffic.calls(
                    1_500,
                    ofMillis(30),
                    call -> Work.error(new IOException("ill")).taking(ofMillis(10)));

            assertThat(traffic.advice()).isEmpty();
        }
    }

    @Test
    void rejectionsBesideWhichNothingEndedSayNothing() {
        try (Traffic traffic = new Traffic(
                Way.CALL_ASYNC, BulkheadPolicy.of(b -> b.maxConcurrentCalls(1).maxWait(Duration.ZERO)))) {
            traffic.calls(2_000, ofMillis(1), call -> takes(60_000));

            assertThat(traffic.advice()).isEmpty();
        }
    }

    @Test
    void anHourEndsWhereOnlyRejectionsCome() {
        try (Traffic traffic = new Traffic(
                Way.CALL_ASYNC,
                ThrottlePolicy.of(t -> t.limit(1).per(Duration.ofDays(1)).burst(1)))) {
            traffic.calls(1_200, Duration.ofMinutes(1), call -> Work.value("it"));

            assertThat(traffic.advice()).isEmpty();
        }
    }
}
