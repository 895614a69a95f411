/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.testlogs.LogsOfContract;
import java.time.Duration;

/** Every attempt that takes any time has two others beside it. */
@LogsOfContract
@Logs({"hedge-inside-timeout", "hedge-outside-retry"})
class StrikingHedgeContractTest extends PolicyContract {
    @Override
    protected Policy policy() {
        return HedgePolicy.of(h -> h.delay(Duration.ofMillis(1)).maxHedges(2).budgetEnabled(false));
    }

    @Override
    protected int attemptsOfAHealthyCall() {
        return 3;
    }

    @Override
    protected void assertNothingHeld(Policy policy) {}
}
