/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.PipelineSnapshot.PolicySnapshot;
import dev.holdfast.PipelineSnapshot.StateChange;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PipelineSnapshotTest {
    private final VirtualTime time = new VirtualTime();

    private Pipeline pipeline(Policy... policies) {
        return Pipeline.builder("stock").policies(policies).time(time).build();
    }

    @Test
    void hasTheOrderTheSettingsAndTheNumbers() {
        try (Pipeline pipeline =
                pipeline(RetryPolicy.of(r -> r.maxAttempts(4)), TimeoutPolicy.of(Duration.ofMillis(250)))) {
            PipelineSnapshot snapshot = pipeline.snapshot();

            assertThat(snapshot.name()).isEqualTo("stock");
            assertThat(snapshot.policies()).extracting(PolicySnapshot::name).containsExactly("retry", "timeout");
            assertThat(snapshot.policies().get(0).settings())
                    .containsEntry("max-attempts", 4)
                    .containsEntry("backoff.multiplier", 2.0);
            assertThat(snapshot.policies().get(1).settings()).isEqualTo(Map.of("limit", Duration.ofMillis(250)));
            assertThat(snapshot.policies().get(0).numbers()).containsKey("retry.budget.tokens");
            assertThat(snapshot.warnings()).isEqualTo(pipeline.warnings());
        }
    }

    @Test
    @Logs("broken threw when a snapshot was made")
    void leavesOutWhatAPolicyThrowsAt() {
        Policy broken = new Policy("broken", 0) {
            @Override
            public Map<String, Object> settingsMap() {
                throw new IllegalStateException("no settings");
            }

            @Override
            public void meters(Meters meters) {
                meters.gauge("good", "What can be read", () -> 1);
                throw new IllegalStateException("no meters");
            }
        };
        try (Pipeline pipeline = pipeline(broken, TimeoutPolicy.of(Duration.ofMillis(250)))) {
            List<PolicySnapshot> policies = pipeline.snapshot().policies();
            assertThat(policies).extracting(PolicySnapshot::name).containsExactly("broken", "timeout");
            assertThat(policies.get(1).settings()).isNotEmpty();
        }
    }

    /** Changes its state with each call. */
    private static final class Restless extends Policy {
        private int calls;

        Restless() {
            super("restless", ENTER);
        }

        @Override
        public int enter(Passage passage) {
            calls++;
            passage.stateChanged("s" + (calls - 1), "s" + calls, calls + " calls");
            return PROCEED;
        }

        @Override
        public void meters(Meters meters) {
            meters.gauge("restless.calls", "Calls.", "kind", "all", () -> Double.NaN);
        }
    }

    @Test
    void hasTheLastTwentyChangesTheLatestFirst() {
        try (Pipeline pipeline = pipeline(new Restless())) {
            for (int i = 0; i < 25; i++) {
                time.advance(Duration.ofSeconds(1));
                pipeline.call(() -> "it");
            }

            List<StateChange> changes = pipeline.snapshot().changes();
            assertThat(changes).hasSize(20);
            assertThat(changes.get(0))
                    .isEqualTo(
                            new StateChange(Instant.ofEpochMilli(time.millis()), "restless", "s24", "s25", "25 calls"));
            assertThat(changes.get(19).to()).isEqualTo("s6");
        }
    }

    @Test
    void changesOutliveAReplacementOfThePolicies() {
        try (Pipeline pipeline = pipeline(new Restless())) {
            pipeline.call(() -> "it");
            pipeline.replace(TimeoutPolicy.of(Duration.ofSeconds(1)));

            assertThat(pipeline.snapshot().changes()).hasSize(1);
            assertThat(pipeline.snapshot().policies())
                    .extracting(PolicySnapshot::name)
                    .containsExactly("timeout");
        }
    }

    @Test
    void numbersOfTheSecondPolicyOfAKindAreNumbered() {
        try (Pipeline pipeline = pipeline(new Restless(), new Restless())) {
            assertThat(pipeline.snapshot().numbers().keySet())
                    .containsExactly("restless.calls{kind=all}", "restless.calls.2{kind=all}");
            assertThat(pipeline.snapshot().get("restless.calls.2{kind=all}")).isEqualTo(Double.NaN);
            assertThat(pipeline.snapshot().get("restless.calls.3{kind=all}")).isNull();
        }
    }

    @Test
    void jsonCanBeEncodedWhateverTheNameIs() {
        try (Pipeline pipeline = Pipeline.builder("a\ud800b\udc00 \ud83d\ude00").build()) {
            String json = pipeline.snapshot().toJson();

            assertThat(StandardCharsets.UTF_8.newEncoder().canEncode(json)).isTrue();
            assertThat(json).contains("\"name\": \"a\\ud800b\\udc00 \ud83d\ude00\"");
        }
    }

    @Test
    void asJsonItIsWhatAnyReaderReads() {
        try (Pipeline pipeline = pipeline(new Restless(), TimeoutPolicy.of(Duration.ofMillis(250)))) {
            pipeline.call(() -> "it");

            assertThat(pipeline.snapshot().toJson().replaceAll("\"at\": \"[^\"]+\"", "\"at\": \"then\""))
                    .isEqualTo("""
                            {
                              "at": "then",
                              "name": "stock",
                              "policies": [
                                {
                                  "name": "restless",
                                  "settings": {},
                                  "numbers": {
                                    "restless.calls{kind=all}": null
                                  }
                                },
                                {
                                  "name": "timeout",
                                  "settings": {
                                    "limit": "250ms"
                                  },
                                  "numbers": {}
                                }
                              ],
                              "changes": [
                                {
                                  "at": "then",
                                  "policy": "restless",
                                  "from": "s0",
                                  "to": "s1",
                                  "cause": "1 calls"
                                }
                              ],
                              "warnings": [],
                              "advice": []
                            }
                            """);
        }
    }
}
