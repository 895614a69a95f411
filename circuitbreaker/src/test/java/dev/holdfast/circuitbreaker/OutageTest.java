/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.circuitbreaker.CircuitBreakerPolicy.State;
import dev.holdfast.testcalls.Way;
import java.io.IOException;
import java.time.Duration;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The defaults in an outage in which nothing comes back, under 160 calls a second. */
class OutageTest {
    private static final int SEEDS = 8;

    /** A dependency that fails each call within 5 ms, or answers within 20 ms, and its callers. */
    private static final class Outage implements AutoCloseable {
        final CircuitBreakerPolicy policy = CircuitBreakerPolicy.ofDefaults();
        final Rig rig = new Rig(Way.CALL_ASYNC, policy);
        private final SplittableRandom random;
        private boolean ill;
        private int attempts;
        private long answeredAt = -1;

        Outage(long seed) {
            random = new SplittableRandom(seed);
            arrive();
            rig.advance(Duration.ofMillis(1_000 + random.nextInt(500)));
            assertThat(policy.state()).isEqualTo(State.CLOSED);
        }

        private void arrive() {
            CompletableFuture<?> unused = rig.call().callAsync(attempt -> asked());
            rig.time.schedule((long) (-Math.log(1 - random.nextDouble()) * 1e9 / 160), this::arrive);
        }

        private CompletableFuture<Object> asked() {
            attempts++;
            boolean fails = ill;
            CompletableFuture<Object> answer = new CompletableFuture<>();
            rig.time.schedule(fails ? 5_000_000 : 20_000_000, () -> {
                if (fails) {
                    answer.completeExceptionally(new IOException("down"));
                } else {
                    answeredAt = answeredAt < 0 ? rig.time.nanos() : answeredAt;
                    answer.complete("well");
                }
            });
            return answer;
        }

        void begin() {
            ill = true;
        }

        int attemptsWithin(Duration duration) {
            attempts = 0;
            rig.changes.clear();
            rig.advance(duration);
            return attempts;
        }

        /** How long it takes until the first answer. */
        Duration recovery() {
            ill = false;
            answeredAt = -1;
            long end = rig.time.nanos();
            rig.advance(Duration.ofSeconds(4));
            assertThat(policy.state()).isEqualTo(State.CLOSED);
            return Duration.ofNanos(answeredAt - end);
        }

        @Override
        public void close() {
            rig.close();
        }
    }

    @Test
    void minuteOfItIsQuietAndTheNextIsQuieter() {
        for (int seed = 0; seed < SEEDS; seed++) {
            try (Outage outage = new Outage(seed)) {
                outage.begin();
                // 200 ms each time, and always five probes, made 505 changes and 1,306 attempts of it.
                assertThat(outage.attemptsWithin(Duration.ofMinutes(1))).isBetween(50, 205);
                assertThat(outage.rig.changes).hasSizeBetween(50, 150);
                // And of this one 508 and 1,270.
                assertThat(outage.attemptsWithin(Duration.ofMinutes(1))).isBetween(50, 70);
                assertThat(outage.rig.changes).hasSizeBetween(50, 65);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4, 10, 60, 600})
    void recoveryTakesNoMoreThanAboutATwentiethOfItAndTheFirstWait(int seconds) {
        for (int seed = 0; seed < SEEDS; seed++) {
            try (Outage outage = new Outage(seed)) {
                outage.begin();
                rigged(outage, seconds);
                Duration most = Duration.ofMillis(Math.min(2_000, 100 + seconds * 50L));
                // A call must come, and be answered.
                assertThat(outage.recovery()).isLessThan(most.plusMillis(100));
            }
        }
    }

    private static void rigged(Outage outage, int seconds) {
        int unused = outage.attemptsWithin(Duration.ofSeconds(seconds));
    }

    @Test
    void afterItTheWaitIsShortAgain() {
        try (Outage outage = new Outage(1)) {
            outage.begin();
            rigged(outage, 120);
            assertThat(outage.recovery()).isPositive();
            outage.begin();
            rigged(outage, 1);
            assertThat(outage.recovery()).isLessThan(Duration.ofMillis(250));
        }
    }

    @Test
    void probesAreFewerTheMoreOfThemFailAndNeverNone() {
        for (int permitted = 1; permitted <= 1_000; permitted++) {
            int most = permitted;
            CircuitBreakerSettings settings =
                    CircuitBreakerSettings.of(b -> b.permittedNumberOfCallsInHalfOpenState(most));
            assertThat(settings.rules().probes(0)).isEqualTo(permitted);
            assertThat(settings.rules().probes(1)).isEqualTo(permitted);
            for (int opening = 2; opening < 20; opening++) {
                assertThat(settings.rules().probes(opening))
                        .isLessThanOrEqualTo(settings.rules().probes(opening - 1))
                        .isGreaterThanOrEqualTo(Math.min(permitted, 2));
            }
            assertThat(settings.rules().probes(Integer.MAX_VALUE)).isEqualTo(Math.min(permitted, 2));
        }
        CircuitBreakerSettings usual = CircuitBreakerSettings.builder().build();
        assertThat(new int[] {
                    usual.rules().probes(1),
                    usual.rules().probes(2),
                    usual.rules().probes(3)
                })
                .containsExactly(5, 3, 2);
    }
}
