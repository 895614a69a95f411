/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.spi.Policy;
import dev.holdfast.testing.PolicyContract;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.testlogs.LogsOfContract;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/** With a store that has few permits and often none, so that calls wait, give up and are turned away all the time. */
@LogsOfContract
@Logs("throttle-outside-retry")
class SharedThrottleContractTest extends PolicyContract {
    private static final long MILLI = 1_000_000;
    private static final int BATCH = 4;

    @Override
    protected Policy policy() {
        AtomicInteger asked = new AtomicInteger();
        PermitStore store = new AnswersAtOnce((answer, most) -> {
            if (asked.getAndIncrement() % 3 == 2) {
                answer.taken(0, MILLI);
            } else {
                answer.taken(Math.min(most, 2), MILLI / 2);
            }
        });
        return new SharedThrottlePolicy(
                store,
                SharedThrottleSettings.of(s -> s.key("contract")
                        .limit(500)
                        .burst(20)
                        .replicas(2)
                        .batch(BATCH)
                        .maxWait(Duration.ofMillis(20))));
    }

    @Override
    protected void assertNothingHeld(Policy policy) {
        SharedThrottlePolicy throttle = (SharedThrottlePolicy) policy;
        assertThat(throttle.waiting()).as("waiting").isZero();
        assertThat(throttle.available()).as("permits at hand").isBetween(0, BATCH);
    }
}
