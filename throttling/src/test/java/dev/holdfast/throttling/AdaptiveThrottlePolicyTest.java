/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling;

import static java.time.Duration.ZERO;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.Call.Priority;
import dev.holdfast.CallRejectedException;
import dev.holdfast.Classifier;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.Verdict;
import dev.holdfast.spi.InvalidSettingsException;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.RecordedMeters;
import dev.holdfast.testcalls.Running;
import dev.holdfast.testcalls.Way;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The dependency of these tests answers with verdicts, and the classifier believes them. */
class AdaptiveThrottlePolicyTest {
    private static final Classifier AS_IT_SAYS =
            (value, error) -> value instanceof Verdict verdict ? verdict : Verdict.SUCCESS;

    private static final Pattern SHARE =
            Pattern.compile("adaptive throttle of 'inventory' rejects (\\d+) % of the sheddable calls"
                    + " and retries, since (\\d+) of (\\d+) were accepted in 30s");

    private final VirtualTime time = new VirtualTime();
    private int sent;

    @AfterEach
    void close() {
        time.close();
    }

    private Pipeline pipeline(Policy... policies) {
        return Pipeline.builder("inventory")
                .policies(policies)
                .classifier(AS_IT_SAYS)
                .time(time)
                .build();
    }

    /** A call of which each attempt takes so long. */
    private Running<Verdict> call(Way way, Pipeline pipeline, Priority priority, Duration work, Verdict answer) {
        if (way == Way.CALL_ASYNC) {
            return Running.async(pipeline.<Verdict>operation("work")
                    .unkeyed()
                    .priority(priority)
                    .callAsync(attempt -> {
                        sent++;
                        CompletableFuture<Verdict> end = new CompletableFuture<>();
                        if (work.isZero()) {
                            end.complete(answer);
                        } else {
                            time.schedule(work.toNanos(), () -> end.complete(answer));
                        }
                        return end;
                    }));
        }
        return Running.blocking(
                time,
                () -> pipeline.<Verdict>operation("work")
                        .unkeyed()
                        .priority(priority)
                        .call(attempt -> {
                            sent++;
                            time.sleep(work);
                            return answer;
                        }));
    }

    /** So many calls, one after the other, one each 10 ms. Returns how many were sent. */
    private int calls(Way way, Pipeline pipeline, Priority priority, int count, Verdict answer) {
        int before = sent;
        for (int i = 0; i < count; i++) {
            assertThat(call(way, pipeline, priority, ZERO, answer)).isNotNull();
            time.advance(ofMillis(10));
        }
        return sent - before;
    }

    private int calls(Way way, Pipeline pipeline, int count, Verdict answer) {
        return calls(way, pipeline, Priority.DEFAULT, count, answer);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void nothingIsRejectedAsLongAsHalfOfTheCallsAreAccepted(Way way) {
        AdaptiveThrottlePolicy throttle = AdaptiveThrottlePolicy.ofDefaults();
        Pipeline pipeline = pipeline(throttle);
        for (int i = 0; i < 500; i++) {
            assertThat(calls(way, pipeline, 1, Verdict.SUCCESS)).isOne();
            assertThat(calls(way, pipeline, 1, Verdict.PUSHBACK)).isOne();
        }
        assertThat(throttle.rejected()).isZero();
        assertThat(throttle.rejectedShare()).isZero();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whileNothingIsAcceptedATenthIsSent(Way way) {
        AdaptiveThrottlePolicy throttle = AdaptiveThrottlePolicy.ofDefaults();
        Pipeline pipeline = pipeline(throttle);
        calls(way, pipeline, 2_000, Verdict.FAILURE);

        assertThat(calls(way, pipeline, 2_000, Verdict.FAILURE)).isBetween(150, 250);
        assertThat(throttle.rejectedShare()).isEqualTo(0.9);
        assertThat(throttle.remembers()).isEqualTo(ofSeconds(30).toNanos());
    }

    /** The dependency accepts a call each 40 ms: about two calls are sent for each of them. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void twiceAsManyCallsAreSentAsAreAccepted(Way way) {
        Pipeline pipeline = pipeline(AdaptiveThrottlePolicy.ofDefaults());
        int accepted = 0;
        long free = time.nanos();
        for (int i = 0; i < 8_000; i++) {
            boolean isFree = time.nanos() >= free;
            int before = sent;
            calls(way, pipeline, 1, isFree ? Verdict.SUCCESS : Verdict.PUSHBACK);
            if (isFree && sent > before) {
                free = time.nanos() + ofMillis(30).toNanos();
                accepted++;
            }
            if (i == 4_000) {
                sent = 0;
                accepted = 0;
            }
        }
        assertThat(sent / (double) accepted).isBetween(1.7, 2.3);
    }

    /** The formula's own behaviour: rejections make the share of the accepted calls no larger. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void aTenthIsSentIfTwoOfFiveAreAcceptedHoweverFewAreSent(Way way) {
        Pipeline pipeline = pipeline(AdaptiveThrottlePolicy.ofDefaults());
        for (int i = 0; i < 12_000; i++) {
            if (i == 10_000) {
                sent = 0;
            }
            calls(way, pipeline, 1, sent % 5 < 2 ? Verdict.SUCCESS : Verdict.PUSHBACK);
        }
        assertThat(sent).isBetween(150, 250);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aDependencyThatIsWellAgainHasAllCallsAfterAFewWindows(Way way) {
        AdaptiveThrottlePolicy throttle = AdaptiveThrottlePolicy.ofDefaults();
        Pipeline pipeline = pipeline(throttle);
        calls(way, pipeline, 6_000, Verdict.FAILURE);

        int atFirst = calls(way, pipeline, 1_000, Verdict.SUCCESS);
        calls(way, pipeline, 9_000, Verdict.SUCCESS);
        assertThat(atFirst).isBetween(60, 300);
        assertThat(calls(way, pipeline, 1_000, Verdict.SUCCESS)).isEqualTo(1_000);
        assertThat(throttle.rejectedShare()).isZero();
        assertThat(throttle.remembers()).isZero();
    }

    /** The page's table, in windows: of calls of one rank alone, and of each rank if half of the calls have it. */
    @ParameterizedTest
    @CsvSource({
        "1.1, 12.6, 23.6, 3.6, 4.5",
        "1.2, 6.6, 12.6, 2.8, 3.7",
        "1.5, 3.2, 5.5, 1.7, 2.4",
        "2, 1.9, 3.2, 1.2, 1.7",
        "3, 1.2, 1.9, 0.8, 1.2"
    })
    void afterATotalOutageEveryCallIsSentAgainAsThePageSays(
            double multiplier, double usual, double sheddable, double usualOfBoth, double sheddableOfBoth) {
        double[] alone = windowsUntilTheLastRejection(multiplier, Priority.DEFAULT, Priority.DEFAULT);
        double[] shed = windowsUntilTheLastRejection(multiplier, Priority.SHEDDABLE, Priority.SHEDDABLE);
        double[] both = windowsUntilTheLastRejection(multiplier, Priority.SHEDDABLE, Priority.DEFAULT);

        assertThat(List.of(alone[0], shed[1], both[0], both[1]))
                .usingElementComparator((one, other) -> Math.abs(one - other) <= 0.05 ? 0 : 1)
                .containsExactly(usual, sheddable, usualOfBoth, sheddableOfBoth);
    }

    /** The calls have the two priorities by turns. Those of the default priority, and the sheddable ones. */
    private static double[] windowsUntilTheLastRejection(double multiplier, Priority... priorities) {
        double[] slowest = new double[2];
        for (int seed = 1; seed <= 3; seed++) {
            try (VirtualTime seeded = VirtualTime.seeded(seed)) {
                Pipeline pipeline = Pipeline.builder("inventory")
                        .policies(AdaptiveThrottlePolicy.of(t -> t.multiplier(multiplier)))
                        .classifier(AS_IT_SAYS)
                        .time(seeded)
                        .build();
                for (int i = 0; i < 84_000; i++) {
                    double windows = (i - 9_000) / 3_000.0;
                    Verdict answer = windows >= -2 && windows < 0 ? Verdict.FAILURE : Verdict.SUCCESS;
                    Priority priority = priorities[i % 2];
                    seeded.schedule(ofMillis(10).toNanos() * i, () -> {
                        boolean rejected = pipeline.<Verdict>unkeyed()
                                .priority(priority)
                                .callAsync(attempt -> CompletableFuture.completedFuture(answer))
                                .isCompletedExceptionally();
                        if (rejected && windows > 0) {
                            int kind = priority == Priority.DEFAULT ? 0 : 1;
                            slowest[kind] = Math.max(slowest[kind], windows);
                        }
                    });
                }
                seeded.run();
            }
        }
        return slowest;
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void afterAQuietWindowNothingIsKnown(Way way) {
        AdaptiveThrottlePolicy throttle = AdaptiveThrottlePolicy.ofDefaults();
        Pipeline pipeline = pipeline(throttle);
        calls(way, pipeline, 1_000, Verdict.FAILURE);
        assertThat(throttle.rejectedShare()).isPositive();

        time.advance(ofSeconds(31));

        assertThat(throttle.rejectedShare()).isZero();
        assertThat(calls(way, pipeline, 1, Verdict.SUCCESS)).isOne();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void oneFailureOfAFewCallsRejectsLittle(Way way) {
        AdaptiveThrottlePolicy throttle = AdaptiveThrottlePolicy.ofDefaults();
        calls(way, pipeline(throttle), 1, Verdict.FAILURE);

        assertThat(throttle.rejectedShare()).isEqualTo(1 / 9.0);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whatTheClassifierIgnoresIsAccepted(Way way) {
        AdaptiveThrottlePolicy throttle = AdaptiveThrottlePolicy.ofDefaults();
        calls(way, pipeline(throttle), 1_000, Verdict.IGNORED);

        assertThat(throttle.rejectedShare()).isZero();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void attemptsThatTimeOutAreNotAccepted(Way way) {
        AdaptiveThrottlePolicy throttle = AdaptiveThrottlePolicy.ofDefaults();
        Pipeline pipeline = pipeline(throttle, TimeoutPolicy.of(ofMillis(5)));
        for (int i = 0; i < 8; i++) {
            assertThat(call(way, pipeline, Priority.DEFAULT, ofMillis(50), Verdict.SUCCESS))
                    .isNotNull();
        }
        time.run();

        assertThat(throttle.rejectedShare()).isEqualTo(0.5);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void callsThatAreGivenUpAndRejectionsFurtherInAreNotCounted(Way way) {
        AdaptiveThrottlePolicy throttle = AdaptiveThrottlePolicy.ofDefaults();
        Pipeline pipeline = pipeline(
                throttle,
                ThrottlePolicy.of(t -> t.limit(2).per(Duration.ofDays(1)).burst(2)));
        Running<Verdict> givenUp = call(way, pipeline, Priority.DEFAULT, ofMillis(50), Verdict.SUCCESS);
        time.advance(ofMillis(1));
        for (int i = 0; i < 20; i++) {
            assertThat(call(way, pipeline, Priority.DEFAULT, ofMillis(50), Verdict.SUCCESS))
                    .isNotNull();
        }
        givenUp.giveUp().run();
        time.run();

        assertThat(sent).isEqualTo(2);
        assertThat(throttle.rejectedShare()).isZero();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void sheddableCallsAreRejectedFirstAndThatCostsTheOthersNothing(Way way) {
        AdaptiveThrottlePolicy throttle = AdaptiveThrottlePolicy.ofDefaults();
        Pipeline pipeline = pipeline(throttle);
        int usual = 0;
        int sheddable = 0;
        for (int i = 0; i < 1_000; i++) {
            usual += calls(way, pipeline, Priority.CRITICAL, 1, answerOfADependencyThatAccepts(55));
            for (int k = 0; k < 9; k++) {
                sheddable += calls(way, pipeline, Priority.SHEDDABLE, 1, answerOfADependencyThatAccepts(55));
            }
        }

        assertThat(usual).isEqualTo(1_000);
        assertThat(sheddable).isBetween(800, 4_000);
        assertThat(throttle.rejectedShare()).isZero();
        assertThat(throttle.rejected()).isEqualTo(10_000 - usual - sheddable);
    }

    /** Of what is sent, so many of a hundred, evenly. */
    private Verdict answerOfADependencyThatAccepts(int percent) {
        return (sent + 1) * percent / 100 > sent * percent / 100 ? Verdict.SUCCESS : Verdict.PUSHBACK;
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aRejectionSaysWhy(Way way) {
        AdaptiveThrottlePolicy throttle = AdaptiveThrottlePolicy.ofDefaults();
        Pipeline pipeline = pipeline(throttle);
        calls(way, pipeline, 100, Verdict.FAILURE);
        Throwable rejection = null;
        while (rejection == null) {
            Running<Verdict> call = call(way, pipeline, Priority.DEFAULT, ZERO, Verdict.FAILURE);
            time.advance(ofMillis(10));
            rejection = call.result().isCompletedExceptionally() ? call.error() : null;
        }

        assertThat(rejection)
                .isInstanceOfSatisfying(CallRejectedException.class, rejected -> {
                    assertThat(rejected.reason()).isEqualTo(Reason.THROTTLED);
                    assertThat(rejected.policy()).isEqualTo("adaptive-throttle");
                    assertThat(rejected.retryAfterNanos()).isEqualTo(-1);
                })
                .hasMessageMatching("adaptive throttle of 'inventory' rejects 90 % of the calls, since 0 of 10\\d were"
                        + " accepted in 30s");
        RecordedMeters meters = new RecordedMeters();
        throttle.meters(meters);
        assertThat(meters.values())
                .containsEntry("adaptivethrottle.share", 0.9)
                .containsEntry("adaptivethrottle.rejected", (double) throttle.rejected());
    }

    /** Those of its kind that were rejected before count for its share. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void aRejectionOfASheddableCallSaysWhatItsShareIsComputedFrom(Way way) {
        Pipeline pipeline = pipeline(AdaptiveThrottlePolicy.ofDefaults());
        calls(way, pipeline, Priority.CRITICAL, 60, Verdict.SUCCESS);
        calls(way, pipeline, Priority.CRITICAL, 40, Verdict.FAILURE);
        int rejected = 0;
        while (rejected < 300) {
            Running<Verdict> call = call(way, pipeline, Priority.SHEDDABLE, ZERO, Verdict.FAILURE);
            time.advance(ZERO);
            if (call.result().isCompletedExceptionally()) {
                rejected++;
                Matcher said = SHARE.matcher(String.valueOf(call.error().getMessage()));
                assertThat(said.matches()).as(call.error().getMessage()).isTrue();
                int accepted = Integer.parseInt(said.group(2));
                int requests = Integer.parseInt(said.group(3));
                double share = Math.min(0.9, (requests - 1.5 * accepted) / (requests + 8));
                assertThat(Double.parseDouble(said.group(1))).isCloseTo(100 * share, within(0.501));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aReplacedOneGoesOnUnlessItsWindowDiffers(Way way) {
        AdaptiveThrottlePolicy throttle = AdaptiveThrottlePolicy.ofDefaults();
        Pipeline pipeline = pipeline(throttle);
        calls(way, pipeline, 1_000, Verdict.FAILURE);
        long rejected = throttle.rejected();

        AdaptiveThrottlePolicy milder = AdaptiveThrottlePolicy.of(t -> t.maxRejected(0.5));
        pipeline.replace(milder);
        assertThat(milder.rejectedShare()).isEqualTo(0.5);
        assertThat(milder.rejected()).isEqualTo(rejected);

        AdaptiveThrottlePolicy shorter = AdaptiveThrottlePolicy.of(t -> t.window(ofSeconds(10)));
        pipeline.replace(shorter);
        assertThat(shorter.rejectedShare()).isZero();
        assertThat(shorter.rejected()).isEqualTo(rejected);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void withAMostOfZeroNothingIsRejected(Way way) {
        Pipeline pipeline = pipeline(AdaptiveThrottlePolicy.of(t -> t.maxRejected(0)));

        assertThat(calls(way, pipeline, 1_000, Verdict.FAILURE)).isEqualTo(1_000);
    }

    private static void assertRefused(Consumer<AdaptiveThrottlePolicy.Settings.Builder> changes, String message) {
        assertThatThrownBy(() -> AdaptiveThrottlePolicy.of(changes))
                .isInstanceOf(InvalidSettingsException.class)
                .hasMessageContaining(message);
    }

    @Test
    void settingsOutOfRangeAreRefusedAndNamed() {
        assertRefused(t -> t.multiplier(0.9), "multiplier is 0.9 but must be 1.1 to 100");
        assertRefused(t -> t.multiplier(1), "multiplier is 1.0 but must be 1.1 to 100");
        assertRefused(t -> t.multiplier(Double.NaN), "multiplier is NaN");
        assertRefused(t -> t.window(ofMillis(999)), "window is 999ms but must be 1s to 1h");
        assertRefused(t -> t.maxRejected(1), "maxRejected is 1.0 but must be 0 to 0.99");
        assertRefused(t -> t.padding(0), "padding is 0 but must be 1 to 1,000,000");
    }

    @ParameterizedTest
    @CsvSource({"1.1, 1s, 0, 1", "100, 1h, 0.99, 1000000"})
    void bothEndsOfTheRangesAreAllowed(double multiplier, String window, double most, int padding) {
        Duration time = window.equals("1s") ? ofSeconds(1) : Duration.ofHours(1);
        AdaptiveThrottlePolicy.Settings settings = AdaptiveThrottlePolicy.Settings.builder()
                .multiplier(multiplier)
                .window(time)
                .maxRejected(most)
                .padding(padding)
                .build();

        assertThat(AdaptiveThrottlePolicy.of(settings).settings().window()).isEqualTo(time);
    }
}
