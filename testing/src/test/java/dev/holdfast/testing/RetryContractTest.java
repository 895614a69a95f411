/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.testlogs.LogsOfContract;
import java.time.Duration;

@LogsOfContract
@Logs({"two-retries", "timeout-outside-retry"})
class RetryContractTest extends PolicyContract {
    @Override
    protected Policy policy() {
        return RetryPolicy.of(
                r -> r.maxAttempts(3).initialBackoff(Duration.ofMillis(1)).seed(1));
    }

    @Override
    protected void assertNothingHeld(Policy policy) {
        // It holds nothing of its own; the spies around it have looked at the life of its layer.
    }
}
