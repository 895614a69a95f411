/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.chaos;

import dev.holdfast.spi.Policy;
import dev.holdfast.testing.PolicyContract;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.testlogs.LogsOfContract;
import java.time.Duration;

/** Chaos that makes every attempt late keeps what every policy must keep. */
@LogsOfContract
@Logs({"chaos-enabled", "chaos-outside-retry"})
class ChaosContractTest extends PolicyContract {
    @Override
    protected Policy policy() {
        return ChaosPolicy.of(c -> c.enabled(true)
                .seed(5)
                .latencyRate(1)
                .minLatency(Duration.ofNanos(1))
                .maxLatency(Duration.ofMillis(2)));
    }

    @Override
    protected void assertNothingHeld(Policy policy) {
        // It holds nothing of its own; the spies around it have looked at the life of its layer.
    }
}
