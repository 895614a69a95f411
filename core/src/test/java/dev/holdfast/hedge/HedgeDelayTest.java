/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.hedge;

import static dev.holdfast.contract.Lab.millis;
import static dev.holdfast.contract.Step.error;
import static dev.holdfast.contract.Step.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.Pipeline;
import dev.holdfast.contract.Lab;
import dev.holdfast.contract.Step;
import dev.holdfast.retry.RetryBudget;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings;
import dev.holdfast.spi.InvalidSettingsException;
import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.Way;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** When there is another attempt, and what it is paid from. */
class HedgeDelayTest {
    private static final Step SLOW = value("slow").after(10_000);
    private static final Step FAST = value("fast").after(1);

    private final Lab lab = new Lab();

    @AfterEach
    void close() {
        lab.close();
    }

    private Number meter(String name) {
        return Objects.requireNonNull(lab.pipeline().snapshot().numbers().get(name), name);
    }

    @Test
    void aMeasuredDelayIsShownAmongTheSettings() {
        assertThat(HedgeSettings.builder().build().asMap()).containsEntry("delay", "measured");
        Duration fixed = Duration.ofMillis(50);
        assertThat(HedgeSettings.of(s -> s.delay(fixed)).asMap()).containsEntry("delay", fixed);
    }

    /** Attempts of 1 to 100 ms, which have a 95th percentile of 95 ms. */
    private void measure(Way way) {
        for (int i = 1; i <= 100; i++) {
            lab.run(way, value(i).after(i));
        }
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theDelayIsTheMeasuredPercentile(Way way) {
        lab.layers(HedgePolicy.of(h -> h.initialDelay(millis(200)).window(Duration.ofMinutes(1))));
        measure(way);
        assertThat(meter("hedge.started")).isEqualTo(0L);
        lab.time.advance(Duration.ofSeconds(1));
        Lab.Running running = lab.run(way, SLOW, FAST);
        assertThat(running.after().toNanos() / 1e6 - 1).isBetween(95.0, 98.0);
        assertThat(meter("hedge.delay.seconds").doubleValue()).isBetween(0.095, 0.098);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void untilEnoughIsMeasuredItIsTheInitialOne(Way way) {
        lab.layers(HedgePolicy.of(h -> h.initialDelay(millis(200)).minimumCalls(101)));
        measure(way);
        lab.time.advance(Duration.ofSeconds(1));
        assertThat(lab.run(way, SLOW, FAST).after()).isEqualTo(millis(201));
        assertThat(meter("hedge.delay.seconds").doubleValue()).isCloseTo(0.2, within(1e-9));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void failuresAreNotMeasured(Way way) {
        lab.layers(HedgePolicy.of(h -> h.initialDelay(millis(200)).minimumCalls(100)));
        for (int i = 0; i < 200; i++) {
            lab.run(way, error(new IOException("refused")));
        }
        measure(way);
        lab.time.advance(Duration.ofSeconds(1));
        assertThat(lab.run(way, SLOW, FAST).after().toMillis()).isBetween(96L, 99L);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void anAttemptThatWasOvertakenCountsAsSlowAndNotAsFast(Way way) {
        lab.layers(HedgePolicy.of(h -> h.percentile(50)
                .initialDelay(millis(20))
                .minimumCalls(20)
                .window(Duration.ofHours(1))
                .budgetEnabled(false)));
        for (int i = 0; i < 40; i++) {
            lab.run(way, SLOW, FAST);
        }
        lab.time.advance(Duration.ofMinutes(2));
        // Lost attempts are known to have taken 21 ms or more. The 1 ms of the hedges is no one's answer time.
        assertThat(lab.run(way, SLOW, FAST).after().toNanos() / 1e6).isBetween(22.0, 23.0);
    }

    /** Hedges of which one takes 15 ms, while no attempt of the calls' own takes less than 50. */
    private void assertDelayStays(Way way, Step own, Policy... inside) {
        List<Policy> layers = new ArrayList<>();
        layers.add(HedgePolicy.of(h -> h.initialDelay(millis(40))
                .minimumCalls(5)
                .window(Duration.ofSeconds(1))
                .budgetEnabled(false)));
        layers.addAll(List.of(inside));
        lab.layers(layers.toArray(new Policy[0]));
        for (int i = 0; i < 40; i++) {
            assertThat(lab.run(way, own, value("hedge").after(15)).after()).isEqualTo(millis(55));
        }
        assertThat(meter("hedge.started")).isEqualTo(40L);
        assertThat(meter("hedge.delay.seconds").doubleValue()).isCloseTo(0.04, within(1e-9));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void timeOfAHedgeIsNotMeasuredWhenTheCallsOwnAttemptHasFailedBefore(Way way) {
        assertDelayStays(way, error(new IOException("down")).after(50));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    @Logs("hedge-outside-retry")
    void timeOfAHedgeIsNotMeasuredWhenItEndsThePauseOfARetry(Way way) {
        assertDelayStays(
                way,
                error(new IOException("down")).after(50),
                RetryPolicy.of(r -> r.initialBackoff(millis(500))
                        .jitter(RetrySettings.Jitter.NONE)
                        .budgetEnabled(false)));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void ofAnAttemptThatATimeoutEndedItsOwnTimeIsMeasuredThoughAHedgeAnswers(Way way) {
        lab.layers(
                HedgePolicy.of(h -> h.initialDelay(millis(40))
                        .minimumCalls(5)
                        .window(Duration.ofMinutes(1))
                        .budgetEnabled(false)),
                TimeoutPolicy.of(millis(50)));
        for (int i = 0; i < 5; i++) {
            assertThat(lab.run(way, SLOW, value("hedge").after(15)).after()).isEqualTo(millis(55));
        }
        lab.time.advance(Duration.ofSeconds(2));
        lab.run(way, FAST);
        assertThat(meter("hedge.delay.seconds").doubleValue()).isBetween(0.05, 0.052);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aServiceThatGetsSlowerIsHedgedLater(Way way) {
        lab.layers(HedgePolicy.of(h -> h.window(Duration.ofSeconds(10)).minimumCalls(10)));
        measure(way);
        lab.time.advance(Duration.ofSeconds(1));
        for (int i = 0; i < 200; i++) {
            lab.run(way, value(i).after(200 + i % 10));
        }
        assertThat(meter("hedge.delay.seconds").doubleValue()).isBetween(0.2, 0.22);
        assertThat(meter("hedge.started").longValue())
                .as("what the budget allowed")
                .isBetween(1L, 30L);
        assertThat(meter("hedge.refused").longValue()).isPositive();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aHedgeIsPaidFromTheRetrysBudget(Way way) {
        RetryPolicy retry = RetryPolicy.ofDefaults();
        HedgePolicy hedge = HedgePolicy.of(h -> h.delay(millis(20)));
        lab.layers(retry, hedge);
        RetryBudget budget = retry.budget().orElseThrow();
        assertThat(hedge.budget()).containsSame(budget);
        lab.run(way, SLOW, FAST);
        // One for the hedge; the call's success is put in once, and by the retry.
        assertThat(budget.tokens()).isEqualTo(9.1, within(1e-9));
        while (budget.failed(lab.time.nanos(), 1)) {
            // An outage.
        }
        assertThat(lab.run(way, value("slow").after(100), FAST).end())
                .isEqualTo(new Lab.End("slow from LIVE", 1, millis(100)));
        assertThat(meter("hedge.started")).isEqualTo(1L);
        assertThat(meter("hedge.refused")).isEqualTo(1L);
        assertThat(meter("hedge.won")).isEqualTo(1L);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void anOutageThatFewCallsSeeHasNoHedges(Way way) {
        RetryPolicy retry = RetryPolicy.of(r -> r.maxAttempts(2));
        lab.layers(retry, HedgePolicy.of(h -> h.delay(millis(20))));
        Step ill = error(new IOException("ill"));
        lab.run(way, ill, ill);
        lab.run(way, ill, ill);
        lab.time.advance(Duration.ofSeconds(2));
        assertThat(retry.budget().orElseThrow().allows(lab.time.nanos())).isTrue();
        lab.run(way, error(new IOException("ill")).after(50), FAST);
        assertThat(meter("hedge.started")).isEqualTo(0L);
        assertThat(meter("hedge.refused")).isEqualTo(1L);
        lab.run(way, FAST);
        lab.run(way, SLOW, FAST);
        assertThat(meter("hedge.started")).as("it is over").isEqualTo(1L);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void withoutARetryItHasABudgetOfItsOwnWhichItsCallsFillAndDrain(Way way) {
        HedgePolicy hedge = HedgePolicy.of(h -> h.delay(millis(20)));
        lab.layers(hedge);
        RetryBudget budget = hedge.budget().orElseThrow();
        lab.run(way, SLOW, FAST);
        assertThat(budget.tokens()).isEqualTo(9.1, within(1e-9));
        lab.run(way, error(new IOException("ill")));
        assertThat(budget.tokens()).isEqualTo(8.1, within(1e-9));
        lab.run(way, SLOW, FAST);
        assertThat(budget.tokens()).isEqualTo(7.2, within(1e-9));
        // A hedge that fails has been paid for.
        lab.run(way, value("first").after(40), error(new IOException("second")).after(10));
        assertThat(budget.tokens()).isEqualTo(6.3, within(1e-9));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whenAllCallsAreSlowTheBudgetAllowsOneInTen(Way way) {
        lab.layers(HedgePolicy.of(h -> h.delay(millis(20))));
        int attempts = 0;
        for (int i = 0; i < 500; i++) {
            attempts += lab.run(way, value("slow").after(40)).end().attempts();
        }
        assertThat(attempts).isBetween(540, 560);
    }

    @Test
    void aGivenBudgetWinsAndItIsFilledByTheRetryOnlyIfThatHasIt() {
        RetryBudget shared = RetryBudget.ofDefaults();
        HedgePolicy hedge = HedgePolicy.of(h -> h.delay(millis(20)).budget(shared));
        lab.layers(RetryPolicy.ofDefaults(), hedge);
        assertThat(hedge.budget()).containsSame(shared);
        lab.run(Way.CALL, SLOW, FAST);
        assertThat(shared.tokens()).isEqualTo(9.1, within(1e-9));

        HedgePolicy other = HedgePolicy.of(h -> h.delay(millis(20)).budget(shared));
        try (Lab second = new Lab()) {
            second.layers(RetryPolicy.of(r -> r.budget(shared)), other);
            second.run(Way.CALL, SLOW, FAST);
        }
        assertThat(shared.tokens()).isEqualTo(8.2, within(1e-9));
    }

    @Test
    void withoutABudgetEverySlowCallIsHedged() {
        HedgePolicy hedge = HedgePolicy.of(h -> h.delay(millis(20)).budgetEnabled(false));
        lab.layers(RetryPolicy.ofDefaults(), hedge);
        for (int i = 0; i < 100; i++) {
            assertThat(lab.run(Way.CALL_ASYNC, SLOW, FAST).value()).isEqualTo("fast");
        }
        assertThat(hedge.budget()).isEmpty();
    }

    @Test
    void everySettingThatCannotBeIsNamed() {
        assertThatThrownBy(() -> HedgeSettings.of(h -> h.delay(Duration.ZERO)
                        .percentile(100)
                        .window(Duration.ofMillis(1))
                        .minimumCalls(0)
                        .initialDelay(Duration.ofDays(1))
                        .maxHedges(11)))
                .isInstanceOf(InvalidSettingsException.class)
                .hasMessage("hedge: delay is 0s but must be 1ms to 1h; percentile is 100.0 but must be 50 to 99.9;"
                        + " window is 1ms but must be 1s to 1h; minimumCalls is 0 but must be 1 to 1,000,000;"
                        + " initialDelay is 1d but must be 1ms to 1h; maxHedges is 11 but must be 1 to 10");
    }

    @Test
    void settingsAreCarriedOver() {
        HedgeSettings settings = HedgeSettings.of(h -> h.delay(millis(5))
                .percentile(90)
                .window(Duration.ofSeconds(7))
                .minimumCalls(8)
                .initialDelay(millis(9))
                .maxHedges(2));
        HedgeSettings copy = HedgePolicy.of(settings.toBuilder().build()).settings();
        assertThat(copy).usingRecursiveComparison().isEqualTo(settings);
        assertThat(copy.delay()).contains(millis(5));
        assertThat(copy.percentile()).isEqualTo(90);
        assertThat(copy.window()).isEqualTo(Duration.ofSeconds(7));
        assertThat(copy.minimumCalls()).isEqualTo(8);
        assertThat(copy.initialDelay()).isEqualTo(millis(9));
        assertThat(copy.maxHedges()).isEqualTo(2);
        assertThat(HedgePolicy.ofDefaults().settings().delay()).isEmpty();
        assertThat(HedgePolicy.ofDefaults().settings().percentile()).isEqualTo(95);
    }

    @Test
    void onePolicyGoesByOneSourceOfTime() {
        HedgePolicy hedge = HedgePolicy.ofDefaults();
        lab.layers(hedge);
        try (VirtualTime other = new VirtualTime()) {
            assertThatThrownBy(() -> Pipeline.builder("other")
                            .policies(hedge)
                            .time(other)
                            .build())
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("another TimeSource");
        }
    }
}
