/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.spi.Policy;
import dev.holdfast.testing.PolicyContract;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.testlogs.LogsOfContract;
import java.time.Duration;

/** So sensitive that it rejects in many of the contract's cases. */
@LogsOfContract
@Logs("adaptive-throttle-outside-retry")
class AdaptiveThrottleContractTest extends PolicyContract {

    @Override
    protected Policy policy() {
        return AdaptiveThrottlePolicy.of(
                t -> t.multiplier(1.1).padding(1).maxRejected(0.5).window(Duration.ofSeconds(1)));
    }

    /** It holds nothing of a call; what it has counted is in range. */
    @Override
    protected void assertNothingHeld(Policy policy) {
        assertThat(((AdaptiveThrottlePolicy) policy).rejectedShare()).isBetween(0.0, 0.5);
    }
}
