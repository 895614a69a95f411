/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.config.Holdfast;
import dev.holdfast.internal.AroundPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The health of breakers that open and close by themselves. */
@Logs({"was closed and is open", "was closed and is forced_open"})
class BreakerHealthTest {
    private static final Duration WAIT = Duration.ofMillis(100);

    private final VirtualTime time = new VirtualTime();
    private final Holdfast holdfast =
            Holdfast.builder().time(time).load("test", new ByteArrayInputStream("""
                    pipelines:
                      shops: { circuit-breaker: { wait-duration-in-open-state: 100ms } }
                      twice:
                        circuit-breaker:
                        retry:
                        order: [circuit-breaker, retry, circuit-breaker]
                        silence: [two-circuit-breakers, retry-inside-circuit-breaker]
                      none: { timeout: 1s }
                    """.getBytes(StandardCharsets.UTF_8)));
    private final Pipeline shops = holdfast.pipeline("shops");
    private final BreakerHealth health = new BreakerHealth(holdfast, Set.of("shops"));

    @AfterEach
    void close() {
        holdfast.close();
        time.close();
    }

    private void fail() {
        assertThatThrownBy(() -> shops.run(() -> {
                    throw new IllegalStateException("ill");
                }))
                .isInstanceOf(IllegalStateException.class);
    }

    private void open() {
        for (int call = 0; call < 20; call++) {
            fail();
        }
    }

    @Test
    void aServiceWithoutCallsComesUpWhenTheWaitOfItsBreakerIsOver() {
        open();
        assertThat(health.isDown()).isTrue();
        time.advance(WAIT);
        assertThat(health.isDown()).as("at the last nanosecond of the wait").isTrue();
        time.advance(Duration.ofNanos(1));
        assertThat(health.isDown()).as("the next call is a probe").isFalse();
        assertThat(health.states()).isEqualTo(Map.of("shops", "open", "twice", "closed, closed"));
    }

    @Test
    @Logs({"was open and is half_open", "was half_open and is open"})
    void itGoesDownAgainIfItsProbesFail() {
        open();
        time.advance(WAIT.multipliedBy(2));
        for (int probe = 0; probe < 5 && !health.isDown(); probe++) {
            fail();
        }
        assertThat(health.isDown()).isTrue();
    }

    @Test
    void aPipelineWithTwoBreakersShowsBothInItsOrder() {
        BreakerHealth twice = new BreakerHealth(holdfast, Set.of("twice"));
        Policy outer = AroundPolicy.behind(holdfast.pipeline("twice").policies().get(0));
        ((CircuitBreakerPolicy) outer).asResilience4j().transitionToForcedOpenState();
        assertThat(twice.states()).isEqualTo(Map.of("shops", "closed", "twice", "forced_open, closed"));
        assertThat(twice.isDown()).as("its outer breaker rejects every call").isTrue();
    }

    /** A name has only the beginning of a long key. */
    @Test
    void instancesWithLongKeysThatBeginAlikeAreAllShown() {
        String tenant = "urn:tenant:" + "x".repeat(100);
        holdfast.pipeline("shops", tenant + "1").run(() -> {});
        holdfast.pipeline("shops", tenant + "2")
                .policy(CircuitBreakerPolicy.class)
                .asResilience4j()
                .transitionToForcedOpenState();
        assertThat(health.states().entrySet().stream()
                        .filter(one -> one.getKey().startsWith("shops/"))
                        .flatMap(one -> Stream.of(one.getValue().toString().split(", "))))
                .containsExactlyInAnyOrder("closed", "forced_open");
    }

    @Test
    void aBreakerInShadowIsNeverDown() {
        try (Holdfast shadows =
                Holdfast.builder().load("test", new ByteArrayInputStream("""
                pipelines:
                  tried: { circuit-breaker: { mode: shadow } }
                  both: { circuit-breaker: { shadow: { failure-rate-threshold: 10 } } }
                  none: { timeout: 1s }
                """.getBytes(StandardCharsets.UTF_8)))) {
            Policy tried = shadows.pipeline("tried").policies().get(0);
            ((CircuitBreakerPolicy) AroundPolicy.innermost(tried))
                    .asResilience4j()
                    .transitionToForcedOpenState();
            assertThat(new BreakerHealth(shadows, Set.of("tried")).isDown()).isFalse();
            assertThat(BreakerHealth.isInShadow(shadows, "tried")).isTrue();
            assertThat(BreakerHealth.isInShadow(shadows, "both")).isFalse();
            assertThat(BreakerHealth.isInShadow(shadows, "none")).isFalse();
        }
    }

    @Test
    void aPipelineWithoutABreakerIsRefused() {
        assertThatThrownBy(() -> new BreakerHealth(holdfast, Set.of("none")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the pipeline 'none' has no circuit-breaker, and so is never open; expected one that has");
        assertThatThrownBy(() -> new BreakerHealth(holdfast, Set.of("nobody")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("no pipeline 'nobody'");
    }
}
