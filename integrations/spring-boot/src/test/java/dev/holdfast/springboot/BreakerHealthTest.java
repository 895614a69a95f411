/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.config.Holdfast;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The health of breakers that open and close by themselves. */
@Logs("was closed and is open")
class BreakerHealthTest {
    private static final Duration WAIT = Duration.ofMillis(100);

    private final VirtualTime time = new VirtualTime();
    private final Holdfast holdfast =
            Holdfast.builder().time(time).load("test", new ByteArrayInputStream("""
                    pipelines:
                      shops: { circuit-breaker: { wait-duration-in-open-state: 100ms } }
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
        assertThat(health.states()).isEqualTo(Map.of("shops", "open"));
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
}
