/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.spi.Policy;
import dev.holdfast.testing.PolicyContract;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.testlogs.LogsOfContract;
import java.time.Duration;

/** With short holds and a wait, so that calls wait, give up and are turned away. */
@LogsOfContract
@Logs({"gate-outside-retry", "gate-inside-timeout"})
class GateContractTest extends PolicyContract {

    @Override
    protected Policy policy() {
        return GatePolicy.of(g -> g.maxHold(Duration.ofMillis(30))
                .defaultHold(Duration.ofMillis(10))
                .maxWait(Duration.ofMillis(20)));
    }

    @Override
    protected void assertNothingHeld(Policy policy) {
        assertThat(((GatePolicy) policy).waiting()).as("calls that wait").isZero();
    }
}
