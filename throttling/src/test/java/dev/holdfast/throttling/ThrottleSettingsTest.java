/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.spi.InvalidSettingsException;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class ThrottleSettingsTest {

    @Test
    void defaultsAreWhatThePageSays() {
        assertThat(ThrottleSettings.builder().build()).hasToString("limit=50, per=1s, burst=5, maxWait=0s");
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "4, 4", "5, 5", "10, 5", "50, 5", "59, 5", "60, 6", "200, 20", "1000000000, 100000000"})
    void theBurstIsATenthOfTheLimitAndAtLeastFiveOrTheLimitUnlessSet(int limit, int burst) {
        assertThat(ThrottleSettings.of(t -> t.limit(limit)).burst()).isEqualTo(burst);
    }

    @Test
    void everyOptionSurvivesToBuilder() {
        ThrottleSettings settings = ThrottleSettings.of(
                t -> t.limit(30).per(Duration.ofMinutes(2)).burst(7).maxWait(Duration.ofSeconds(3)));

        assertThat(settings.toBuilder().build()).usingRecursiveComparison().isEqualTo(settings);
        assertThat(settings).hasToString("limit=30, per=2m, burst=7, maxWait=3s");
    }

    @Test
    void whatABuilderIsToldLaterChangesNoSettings() {
        ThrottleSettings.Builder builder = ThrottleSettings.builder();
        ThrottleSettings settings = builder.build();

        builder.limit(3);
        settings.toBuilder().burst(1);

        assertThat(settings)
                .usingRecursiveComparison()
                .isEqualTo(ThrottleSettings.builder().build());
    }

    @Test
    void aBurstThatWasNotSetFollowsTheLimit() {
        ThrottleSettings settings = ThrottleSettings.of(t -> t.limit(200));

        assertThat(settings.toBuilder().limit(10).build().burst()).isEqualTo(5);
    }

    static Stream<Arguments> outOfRange() {
        return Stream.of(
                refused(t -> t.limit(0), "limit is 0 but must be 1 to 1,000,000,000"),
                refused(t -> t.limit(1_000_000_001), "limit is 1000000001"),
                refused(
                        t -> t.limit(1_000_001).per(Duration.ofMillis(1)),
                        "limit is 1000001 but must be at most one for each nanosecond of per"),
                refused(t -> t.per(Duration.ofNanos(999_999)), "per is 999999ns but must be 1ms to 1d"),
                refused(t -> t.per(Duration.ofSeconds(Long.MAX_VALUE)), "per is "),
                refused(t -> t.burst(0), "burst is 0 but must be 1 to 1,000,000,000"),
                refused(t -> t.burst(51), "burst is 51 but must be at most limit, which is 50"),
                refused(t -> t.maxWait(Duration.ofMillis(-1)), "maxWait is -1ms but must be 0s to 1h"),
                refused(t -> t.maxWait(Duration.ofHours(2)), "maxWait is 2h"));
    }

    private static Arguments refused(Consumer<ThrottleSettings.Builder> change, String message) {
        return Arguments.of(change, message);
    }

    @ParameterizedTest
    @MethodSource("outOfRange")
    void aValueOutOfRangeIsRefusedByName(Consumer<ThrottleSettings.Builder> change, String message) {
        assertThatExceptionOfType(InvalidSettingsException.class)
                .isThrownBy(() -> ThrottleSettings.of(change))
                .withMessageContaining("throttle: ")
                .withMessageContaining(message);
    }

    @Test
    void aTimeThatIsTooShortIsOneProblem() {
        assertThatExceptionOfType(InvalidSettingsException.class)
                .isThrownBy(() -> ThrottleSettings.of(t -> t.per(Duration.ZERO)))
                .withMessage("throttle: per is 0s but must be 1ms to 1d");
    }

    @Test
    void theEndsOfTheRangesAreValid() {
        ThrottleSettings.of(t -> t.limit(1).per(Duration.ofMillis(1)).burst(1).maxWait(Duration.ZERO));
        ThrottleSettings most = ThrottleSettings.of(t -> t.limit(1_000_000_000)
                .per(Duration.ofDays(1))
                .burst(1_000_000_000)
                .maxWait(Duration.ofHours(1)));

        assertThat(most.burst()).isEqualTo(1_000_000_000);
    }

    @Test
    void aConfigOfResilience4jBecomesARateWithABurstOfOneCycle() {
        ThrottleSettings settings = ThrottleSettings.from(RateLimiterConfig.custom()
                .limitForPeriod(20)
                .limitRefreshPeriod(Duration.ofSeconds(2))
                .timeoutDuration(Duration.ofMillis(30))
                .build());

        assertThat(settings).hasToString("limit=20, per=2s, burst=20, maxWait=30ms");
        assertThat(settings.warnings()).isEmpty();
    }

    @Test
    void theShortCyclesOfResilience4jsDefaultBecomeAMillisecond() {
        ThrottleSettings settings = ThrottleSettings.from(RateLimiterConfig.ofDefaults());

        assertThat(settings).hasToString("limit=100000, per=1ms, burst=50, maxWait=5s");
        assertThat(settings.warnings()).as("nobody has set anything").isEmpty();
    }

    @Test
    void aCycleThatDoesNotDivideAMillisecondKeepsItsRate() {
        ThrottleSettings settings = ThrottleSettings.from(RateLimiterConfig.custom()
                .limitForPeriod(7)
                .limitRefreshPeriod(Duration.ofNanos(300_001))
                .build());

        assertThat(settings.limit()).isEqualTo(28);
        assertThat(settings.per()).isEqualTo(Duration.ofNanos(1_200_004));
        assertThat(settings.burst()).isEqualTo(7);
    }

    @Test
    void aPredicateThatDrainsPermissionsIsWarnedOfByName() {
        ThrottleSettings settings = ThrottleSettings.from(RateLimiterConfig.custom()
                .limitRefreshPeriod(Duration.ofSeconds(1))
                .drainPermissionsOnResult(result -> true)
                .build());

        assertThat(settings.warnings())
                .containsExactly(
                        "resilience4j-predicates: drainPermissionsOnResult of resilience4j's config is not asked;"
                                + " results change no permissions");
        assertThat(ThrottlePolicy.of(settings).warnings()).isEqualTo(settings.warnings());
        assertThat(settings.toBuilder().build().warnings()).isEqualTo(settings.warnings());
    }

    @Test
    void whatIsOutOfRangeHereIsAnErrorByName() {
        RateLimiterConfig patient =
                RateLimiterConfig.custom().timeoutDuration(Duration.ofHours(2)).build();
        RateLimiterConfig fast = RateLimiterConfig.custom()
                .limitForPeriod(2)
                .limitRefreshPeriod(Duration.ofNanos(1))
                .build();

        assertThatThrownBy(() -> ThrottleSettings.from(patient))
                .isInstanceOf(InvalidSettingsException.class)
                .hasMessageContaining("maxWait");
        assertThatThrownBy(() -> ThrottleSettings.from(fast))
                .isInstanceOf(InvalidSettingsException.class)
                .hasMessageContaining("limit");
    }
}
