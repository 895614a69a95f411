/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.spi.Policy;
import dev.holdfast.testing.PolicyContract;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.testlogs.LogsOfContract;
import java.time.Duration;

/** With a low rate and a wait, so that calls wait, give up and are turned away all the time. */
@LogsOfContract
@Logs("throttle-outside-retry")
class ThrottleContractTest extends PolicyContract {
    private static final int LIMIT = 500;

    @Override
    protected Policy policy() {
        return ThrottlePolicy.of(t -> t.limit(LIMIT).burst(2).maxWait(Duration.ofMillis(20)));
    }

    /** Who reserved a place has either used it, and then it is past but for the burst, or given it back. */
    @Override
    protected void assertNothingHeld(Policy policy) {
        assertThat(((ThrottlePolicy) policy).untilFree())
                .as("nanoseconds until a call can start")
                .isLessThanOrEqualTo(Duration.ofSeconds(1).toNanos() / LIMIT);
    }
}
