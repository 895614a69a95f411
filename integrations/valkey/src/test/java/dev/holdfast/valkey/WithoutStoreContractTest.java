/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.spi.Policy;
import dev.holdfast.testing.PolicyContract;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.testlogs.LogsOfContract;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/** With a store that often fails, so that calls go by the share of the process, and by that and the store after it. */
@LogsOfContract
@Logs("throttle-outside-retry")
class WithoutStoreContractTest extends PolicyContract {
    private static final int LIMIT = 500;

    @Override
    protected Policy policy() {
        AtomicInteger asked = new AtomicInteger();
        PermitStore store = new AnswersAtOnce((answer, most) -> {
            if (asked.getAndIncrement() % 4 != 3) {
                answer.failed(new IllegalStateException("refused"));
            } else {
                answer.taken(most, 0);
            }
        });
        return new SharedThrottlePolicy(
                store,
                SharedThrottleSettings.of(
                        s -> s.key("contract").limit(LIMIT).burst(4).replicas(1).maxWait(Duration.ofMillis(20))));
    }

    /** Who reserved a place of the share has either used it, and then it is past but for the burst, or given it back. */
    @Override
    protected void assertNothingHeld(Policy policy) {
        SharedThrottlePolicy throttle = (SharedThrottlePolicy) policy;
        assertThat(throttle.waiting()).as("waiting").isZero();
        assertThat(throttle.untilShareIsFree())
                .as("nanoseconds until the share has a place")
                .isLessThanOrEqualTo(Duration.ofSeconds(1).toNanos() / LIMIT);
    }
}
