/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.testlogs.LogsOfContract;
import java.time.Duration;

@LogsOfContract
@Logs("deadline-not-outermost")
class DeadlineContractTest extends PolicyContract {
    @Override
    protected Policy policy() {
        return DeadlinePolicy.of(Duration.ofMillis(30));
    }

    @Override
    protected void assertNothingHeld(Policy policy) {
        // It holds nothing of its own; the spies around it have looked at the life of its layer.
    }
}
