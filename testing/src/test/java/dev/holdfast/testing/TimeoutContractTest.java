/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.testlogs.LogsOfContract;
import dev.holdfast.timeout.TimeoutPolicy;
import java.time.Duration;

@LogsOfContract
@Logs("timeout-outside-retry")
class TimeoutContractTest extends PolicyContract {
    @Override
    protected Policy policy() {
        return TimeoutPolicy.of(Duration.ofMillis(10));
    }

    @Override
    protected void assertNothingHeld(Policy policy) {
        // It holds nothing of its own; the spies around it have looked at the life of its layer.
    }
}
