/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RatiosTest {

    @Test
    void fileHasTheFieldsOfEachRatio(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("ratios.json");

        new Ratios(List.of(
                        figure(Scenario.FOUR, Library.HOLDFAST, 2, 50, 0),
                        figure(Scenario.FOUR, Library.RESILIENCE4J_SYNCHRONIZED, 2, 200, 120)))
                .writeTo(file);

        JsonNode ratios = JsonMapper.builder().build().readTree(file.toFile());
        assertThat(ratios.isArray()).isTrue();
        assertThat(ratios).hasSize(1);
        JsonNode ratio = ratios.get(0);
        assertThat(names(ratio))
                .containsExactly("case", "threads", "ours_ns", "ours_bytes", "peer", "peer_ns", "peer_bytes", "ratio");
        assertThat(ratio.get("case").textValue()).isEqualTo("four policies (retry, breaker, throttle, bulkhead)");
        assertThat(ratio.get("threads").intValue()).isEqualTo(2);
        assertThat(ratio.get("ours_ns").doubleValue()).isEqualTo(50);
        assertThat(ratio.get("ours_bytes").doubleValue()).isEqualTo(0);
        assertThat(ratio.get("peer").textValue()).isEqualTo("resilience4j, synchronized window");
        assertThat(ratio.get("peer_ns").doubleValue()).isEqualTo(200);
        assertThat(ratio.get("peer_bytes").doubleValue()).isEqualTo(120);
        assertThat(ratio.get("ratio").doubleValue()).isEqualTo(0.25);
    }

    @Test
    void fasterVariantIsThePeerWhicheverItIs() {
        List<Ratio> ratios = new Ratios(List.of(
                        figure(Scenario.FOUR, Library.HOLDFAST, 1, 60, 0),
                        figure(Scenario.FOUR, Library.RESILIENCE4J_SYNCHRONIZED, 1, 130, 120),
                        figure(Scenario.FOUR, Library.RESILIENCE4J_LOCK_FREE, 1, 120, 328),
                        figure(Scenario.FOUR, Library.HOLDFAST, 8, 80, 0),
                        figure(Scenario.FOUR, Library.RESILIENCE4J_SYNCHRONIZED, 8, 800, 120),
                        figure(Scenario.FOUR, Library.RESILIENCE4J_LOCK_FREE, 8, 1_600, 328)))
                .all();

        assertThat(ratios).extracting(Ratio::threads).containsExactly(1, 8);
        assertThat(ratios)
                .extracting(Ratio::peer)
                .containsExactly("resilience4j, lock-free window", "resilience4j, synchronized window");
        assertThat(ratios).extracting(Ratio::peerBytes).containsExactly(328.0, 120.0);
        assertThat(ratios).extracting(Ratio::ratio).containsExactly(0.5, 0.1);
    }

    @Test
    void everyPeerHasItsOwnRatioAndNoneOfAnotherCase() {
        List<Ratio> ratios = new Ratios(List.of(
                        figure(Scenario.BULKHEAD, Library.VEGAS, 1, 80, 56),
                        figure(Scenario.BULKHEAD, Library.GRADIENT2, 1, 160, 80),
                        figure(Scenario.BULKHEAD, Library.RESILIENCE4J, 1, 20, 0),
                        figure(Scenario.BULKHEAD, Library.HOLDFAST, 1, 40, 0),
                        figure(Scenario.THROTTLE, Library.GUAVA, 1, 40, 0)))
                .all();

        assertThat(ratios).extracting(Ratio::scenario).containsOnly("bulkhead alone");
        assertThat(ratios)
                .extracting(Ratio::peer)
                .containsExactly(
                        "resilience4j",
                        "concurrency-limits SimpleLimiter with Vegas",
                        "concurrency-limits SimpleLimiter with Gradient2");
        assertThat(ratios).extracting(Ratio::ratio).containsExactly(2.0, 0.5, 0.25);
    }

    @Test
    void tableHasARowForEachRatio() {
        Ratios ratios = new Ratios(List.of(
                figure(Scenario.OPEN_BREAKER, Library.HOLDFAST, 1, 25, 48),
                figure(Scenario.OPEN_BREAKER, Library.FAILSAFE, 1, 100, 400)));

        assertThat(ratios.markdown().lines().skip(2))
                .containsExactly("| open breaker, rejected call | 1 | 25.0 | 48 | Failsafe | 100.0 | 400 | 0.25 |");
    }

    private static Figure figure(Scenario scenario, Library library, int threads, double nanos, double bytes) {
        return new Figure(scenario, library, threads, nanos, bytes);
    }

    private static List<String> names(JsonNode object) {
        List<String> names = new ArrayList<>();
        object.fieldNames().forEachRemaining(names::add);
        return names;
    }
}
