/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.spi.InvalidSettingsException;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class StaleCacheSettingsTest {

    @Test
    void defaultsSendEveryCallToTheDependency() {
        assertThat(StaleCacheSettings.builder().build())
                .hasToString("StaleCacheSettings[fresh=0s, staleWhileRevalidate=0s, staleIfError=10m,"
                        + " keepIfIgnored=false, freshIfIgnored=0s, refreshAhead=0.0, maxEntries=10000, maxFollowers=1000,"
                        + " maxFollowersIfSlow=100, refreshTimeout=10s, refreshBackoff=1s]");
    }

    @Test
    void aMeasuredTimeIsShownAmongTheSettings() {
        assertThat(StaleCacheSettings.builder().build().asMap()).containsEntry("stale-if-slow", "measured");
        assertThat(Pipeline.builder("a")
                        .policies(StaleCachePolicy.ofDefaults())
                        .build()
                        .snapshot()
                        .toJson())
                .contains("\"stale-if-slow\": \"measured\"");
        assertThat(StaleCacheSettings.of(s -> s.staleIfSlow(Duration.ZERO)).asMap())
                .containsEntry("stale-if-slow", Duration.ZERO);
    }

    static Stream<Arguments> wrong() {
        return Stream.of(
                wrong(b -> b.fresh(Duration.ofSeconds(-1)), "fresh is -1s but must be 0s to 365d"),
                wrong(
                        b -> b.staleWhileRevalidate(Duration.ofDays(366)),
                        "staleWhileRevalidate is 366d but must be 0s to 365d"),
                wrong(b -> b.staleIfError(Duration.ofDays(400)), "staleIfError is 400d but must be 0s to 365d"),
                wrong(b -> b.maxEntries(0), "maxEntries is 0 but must be 1 to 10,000,000"),
                wrong(b -> b.maxWeight(0), "maxWeight is 0 but must be 1 to 1,000,000,000,000"),
                wrong(
                        b -> b.maxValueWeight(2_000_000_000_000L),
                        "maxValueWeight is 2000000000000 but must be 1 to 1,000,000,000,000"),
                wrong(
                        b -> b.maxWeight(10).maxValueWeight(11),
                        "maxValueWeight is 11 but must be at most maxWeight, which is 10"),
                wrong(b -> b.refreshAhead(1), "refreshAhead is 1.0 but must be 0 to 0.9"),
                wrong(b -> b.refreshAhead(Double.NaN), "refreshAhead is NaN but must be 0 to 0.9"),
                wrong(b -> b.freshIfIgnored(Duration.ofDays(366)), "freshIfIgnored is 366d but must be 0s to 365d"),
                wrong(
                        b -> b.freshIfIgnored(Duration.ofSeconds(1)).keepIfIgnored(true),
                        "freshIfIgnored is 1s but must be 0s where keepIfIgnored is true"),
                wrong(b -> b.staleIfSlow(Duration.ofNanos(1)), "staleIfSlow is 1ns but must be 0s, or 1ms to 1h"),
                wrong(b -> b.staleIfSlow(Duration.ofHours(2)), "staleIfSlow is 2h but must be 0s, or 1ms to 1h"),
                wrong(b -> b.maxFollowers(-1), "maxFollowers is -1 but must be 0 to 1,000,000"),
                wrong(b -> b.maxFollowersIfSlow(-1), "maxFollowersIfSlow is -1 but must be 0 to 1,000,000"),
                wrong(b -> b.refreshTimeout(Duration.ZERO), "refreshTimeout is 0s but must be 1ms to 1h"),
                wrong(b -> b.refreshBackoff(Duration.ofHours(2)), "refreshBackoff is 2h but must be 1ms to 1h"));
    }

    private static Arguments wrong(Consumer<StaleCacheSettings.Builder> options, String message) {
        return Arguments.of(options, "stale-cache: " + message);
    }

    @ParameterizedTest
    @MethodSource("wrong")
    void valueOutOfRangeIsRefusedWithOptionValueAndRange(Consumer<StaleCacheSettings.Builder> options, String message) {
        assertThatThrownBy(() -> StaleCacheSettings.of(options))
                .isInstanceOf(InvalidSettingsException.class)
                .hasMessage(message);
    }

    @Test
    void whatABuilderIsToldLaterChangesNoSettings() {
        StaleCacheSettings.Builder builder = StaleCacheSettings.builder();
        StaleCacheSettings settings = builder.build();

        builder.maxEntries(3);
        settings.toBuilder().keepIfIgnored(true);

        assertThat(settings)
                .usingRecursiveComparison()
                .isEqualTo(StaleCacheSettings.builder().build());
    }

    @Test
    void builderOfSettingsHoldsTheirValues() {
        StaleCacheSettings settings = StaleCacheSettings.of(b -> b.fresh(Duration.ofSeconds(5))
                .staleWhileRevalidate(Duration.ofSeconds(30))
                .staleIfError(Duration.ofHours(1))
                .staleIfSlow(Duration.ofMillis(300))
                .freshIfIgnored(Duration.ofSeconds(20))
                .refreshAhead(0.25)
                .freshness(value -> null)
                .maxEntries(7)
                .maxWeight(1_000_000)
                .maxValueWeight(1_000)
                .weigher(value -> 1)
                .maxFollowers(8)
                .maxFollowersIfSlow(3)
                .refreshTimeout(Duration.ofSeconds(2))
                .refreshBackoff(Duration.ofMillis(200)));
        assertThat(settings.toBuilder().build())
                .hasToString("StaleCacheSettings[fresh=5s, staleWhileRevalidate=30s, staleIfError=1h,"
                        + " staleIfSlow=300ms, keepIfIgnored=false, freshIfIgnored=20s, refreshAhead=0.25, freshness=given,"
                        + " maxEntries=7, maxWeight=1000000, maxValueWeight=1000, weigher=given, maxFollowers=8,"
                        + " maxFollowersIfSlow=3, refreshTimeout=2s, refreshBackoff=200ms]");
        assertThat(settings.fresh()).isEqualTo(Duration.ofSeconds(5));
        assertThat(settings.maxEntries()).isEqualTo(7);
        assertThat(settings.maxWeight()).hasValue(1_000_000);
        assertThat(settings.maxValueWeight()).hasValue(1_000);
        assertThat(settings.freshIfIgnored()).isEqualTo(Duration.ofSeconds(20));
        assertThat(settings.refreshAhead()).isEqualTo(0.25);
        assertThat(settings.staleIfSlow()).contains(Duration.ofMillis(300));
        assertThat(StaleCacheSettings.builder().build().toBuilder().build().staleIfSlow())
                .isEmpty();
    }
}
