/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.holdfast.bulkhead.BulkheadSettings.LimitAlgorithm;
import dev.holdfast.bulkhead.BulkheadSettings.QueueOrder;
import dev.holdfast.spi.InvalidSettingsException;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class BulkheadSettingsTest {

    @Test
    void defaultsAreWhatThePageSays() {
        String queue = "maxWaitingCalls=100, maxWait=100ms, queueOrder=FIFO, lease=1m";
        assertThat(BulkheadSettings.builder().build())
                .hasToString("maxConcurrentCalls=200, limit=LOSSES, minConcurrentCalls=1, initialConcurrentCalls=10, "
                        + queue);
        assertThat(BulkheadSettings.of(b -> b.limit(LimitAlgorithm.FIXED)))
                .hasToString("maxConcurrentCalls=25, " + queue);
    }

    @Test
    void aMaximumAloneIsAFixedLimit() {
        assertThat(BulkheadSettings.of(b -> b.maxConcurrentCalls(50)).limit()).isEqualTo(LimitAlgorithm.FIXED);
        assertThat(BulkheadSettings.of(b -> b.maxConcurrentCalls(50).minConcurrentCalls(2))
                        .limit())
                .isEqualTo(LimitAlgorithm.LOSSES);
        assertThat(BulkheadSettings.of(b -> b.maxConcurrentCalls(50).initialConcurrentCalls(2))
                        .limit())
                .isEqualTo(LimitAlgorithm.LOSSES);
        BulkheadSettings both =
                BulkheadSettings.of(b -> b.maxConcurrentCalls(50).limit(LimitAlgorithm.LOSSES));
        assertThat(both.limit()).isEqualTo(LimitAlgorithm.LOSSES);
        assertThat(both.initialConcurrentCalls()).isEqualTo(50);
        assertThat(both.toBuilder().build()).usingRecursiveComparison().isEqualTo(both);
    }

    @Test
    void everyOptionSurvivesToBuilder() {
        BulkheadSettings settings = BulkheadSettings.of(b -> b.maxConcurrentCalls(3)
                .maxWaitingCalls(4)
                .limit(LimitAlgorithm.VEGAS)
                .minConcurrentCalls(2)
                .initialConcurrentCalls(3)
                .maxWait(Duration.ofSeconds(5))
                .queueOrder(QueueOrder.CODEL)
                .codelTarget(Duration.ofMillis(7))
                .codelInterval(Duration.ofMillis(8))
                .lease(Duration.ofMinutes(6))
                .dedicatedThreads(true));

        assertThat(settings.toBuilder().build()).usingRecursiveComparison().isEqualTo(settings);
        assertThat(settings.maxConcurrentCalls()).isEqualTo(3);
        assertThat(settings.maxWaitingCalls()).isEqualTo(4);
        assertThat(settings.limit()).isEqualTo(LimitAlgorithm.VEGAS);
        assertThat(settings.minConcurrentCalls()).isEqualTo(2);
        assertThat(settings.initialConcurrentCalls()).isEqualTo(3);
        assertThat(settings.queueOrder()).isEqualTo(QueueOrder.CODEL);
        assertThat(settings.codelTarget()).isEqualTo(Duration.ofMillis(7));
        assertThat(settings.codelInterval()).isEqualTo(Duration.ofMillis(8));
        assertThat(settings.maxWait()).isEqualTo(Duration.ofSeconds(5));
        assertThat(settings.lease()).isEqualTo(Duration.ofMinutes(6));
        assertThat(settings.dedicatedThreads()).isTrue();
    }

    @Test
    void whatABuilderIsToldLaterChangesNoSettings() {
        BulkheadSettings.Builder builder = BulkheadSettings.builder();
        BulkheadSettings settings = builder.build();

        builder.maxConcurrentCalls(3);
        settings.toBuilder().maxWaitingCalls(4);

        assertThat(settings)
                .usingRecursiveComparison()
                .isEqualTo(BulkheadSettings.builder().build());
    }

    @Test
    void anInitialLimitThatWasNotSetFollowsFloorAndCeiling() {
        BulkheadSettings settings =
                BulkheadSettings.of(b -> b.limit(LimitAlgorithm.VEGAS).maxConcurrentCalls(100));

        assertThat(settings.initialConcurrentCalls()).isEqualTo(20);
        assertThat(settings.toBuilder().limit(LimitAlgorithm.LOSSES).build().initialConcurrentCalls())
                .isEqualTo(100);
        assertThat(BulkheadSettings.of(b -> b.limit(LimitAlgorithm.LOSSES)).initialConcurrentCalls())
                .isEqualTo(10);
        assertThat(settings.toBuilder().maxConcurrentCalls(8).build().initialConcurrentCalls())
                .isEqualTo(8);
        assertThat(settings.toBuilder().minConcurrentCalls(30).build().initialConcurrentCalls())
                .isEqualTo(30);
    }

    @Test
    void aConfigOfResilience4jIsTakenOverOptionByOption() {
        BulkheadSettings settings = BulkheadSettings.from(BulkheadConfig.custom()
                .maxConcurrentCalls(9)
                .maxWaitDuration(Duration.ofMillis(40))
                .fairCallHandlingStrategyEnabled(false)
                .writableStackTraceEnabled(true)
                .build());

        assertThat(settings)
                .hasToString("maxConcurrentCalls=9, maxWaitingCalls=1000000, maxWait=40ms, queueOrder=FIFO, lease=1m");
        assertThat(settings.warnings())
                .containsExactly(
                        "resilience4j-unused-option: maxWaitDuration of resilience4j's config lets any number of calls"
                                + " wait; here no more than 1,000,000 do",
                        "resilience4j-unused-option: fairCallHandlingEnabled of resilience4j's config is false; here calls"
                                + " are served in the order in which they came");
        assertThat(BulkheadPolicy.of(settings).warnings()).isEqualTo(settings.warnings());
        assertThat(settings.toBuilder().build().warnings()).isEqualTo(settings.warnings());
    }

    @Test
    void aConfigThatIsKeptAsItIsMeantGivesNoWarning() {
        BulkheadSettings settings = BulkheadSettings.from(BulkheadConfig.ofDefaults());

        assertThat(settings)
                .hasToString("maxConcurrentCalls=25, maxWaitingCalls=0, maxWait=0s, queueOrder=FIFO, lease=1m");
        assertThat(settings.warnings()).isEmpty();
    }

    @Test
    void aConfigThatLetsNothingThroughIsAnErrorByName() {
        BulkheadConfig none = BulkheadConfig.custom().maxConcurrentCalls(0).build();

        assertThatExceptionOfType(InvalidSettingsException.class)
                .isThrownBy(() -> BulkheadSettings.from(none))
                .withMessageContaining("maxConcurrentCalls is 0 but must be 1 to 1,000,000");
    }

    static Stream<Arguments> outOfRange() {
        return Stream.of(
                refused(b -> b.minConcurrentCalls(0), "minConcurrentCalls is 0 but must be 1 to 1,000,000"),
                refused(
                        b -> b.limit(LimitAlgorithm.AIMD).minConcurrentCalls(26),
                        "minConcurrentCalls is 26 but must be at most maxConcurrentCalls, which is 25"),
                refused(b -> b.initialConcurrentCalls(0), "initialConcurrentCalls is 0 but must be 1 to 1,000,000"),
                refused(
                        b -> b.limit(LimitAlgorithm.AIMD).initialConcurrentCalls(26),
                        "initialConcurrentCalls is 26 but must be at most maxConcurrentCalls, which is 25"),
                refused(b -> b.codelTarget(Duration.ofDays(2)), "codelTarget is 2d but must be 0s to 1d"),
                refused(b -> b.codelInterval(Duration.ZERO), "codelInterval is 0s but must be 1ms to 1d"),
                refused(b -> b.maxConcurrentCalls(0), "maxConcurrentCalls is 0 but must be 1 to 1,000,000"),
                refused(b -> b.maxConcurrentCalls(1_000_001), "maxConcurrentCalls is 1000001"),
                refused(b -> b.maxWaitingCalls(-1), "maxWaitingCalls is -1 but must be 0 to 1,000,000"),
                refused(b -> b.maxWaitingCalls(1_000_001), "maxWaitingCalls is 1000001"),
                refused(b -> b.maxWait(Duration.ofMillis(-1)), "maxWait is -1ms but must be 0s to 1d"),
                refused(b -> b.maxWait(Duration.ofDays(2)), "maxWait is 2d"),
                refused(b -> b.lease(Duration.ZERO), "lease is 0s but must be 1ms to 1d"),
                refused(b -> b.lease(Duration.ofSeconds(Long.MAX_VALUE)), "lease is "));
    }

    private static Arguments refused(Consumer<BulkheadSettings.Builder> change, String message) {
        return Arguments.of(change, message);
    }

    @ParameterizedTest
    @MethodSource("outOfRange")
    void aValueOutOfRangeIsRefusedByName(Consumer<BulkheadSettings.Builder> change, String message) {
        assertThatExceptionOfType(InvalidSettingsException.class)
                .isThrownBy(() -> BulkheadSettings.of(change))
                .withMessageContaining("bulkhead: ")
                .withMessageContaining(message);
    }

    @Test
    void everyProblemIsToldAtOnce() {
        assertThatExceptionOfType(InvalidSettingsException.class)
                .isThrownBy(() -> BulkheadSettings.of(
                        b -> b.maxConcurrentCalls(0).maxWaitingCalls(-1).lease(Duration.ZERO)))
                .satisfies(thrown -> assertThat(thrown.problems()).hasSize(3));
    }

    @Test
    void theEndsOfTheRangesAreValid() {
        BulkheadSettings.of(b -> b.maxConcurrentCalls(1)
                .maxWaitingCalls(0)
                .maxWait(Duration.ZERO)
                .lease(Duration.ofMillis(1)));
        BulkheadSettings most = BulkheadSettings.of(b -> b.maxConcurrentCalls(1_000_000)
                .maxWaitingCalls(1_000_000)
                .maxWait(Duration.ofDays(1))
                .lease(Duration.ofDays(1)));

        assertThat(most.maxConcurrentCalls()).isEqualTo(1_000_000);
    }
}
