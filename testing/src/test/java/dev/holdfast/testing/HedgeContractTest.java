/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.testlogs.LogsOfContract;
import java.time.Duration;

/** A hedge that never comes to it. */
@LogsOfContract
@Logs({"hedge-inside-timeout", "hedge-outside-retry", "hedge-after-timeout"})
class HedgeContractTest extends PolicyContract {
    @Override
    protected Policy policy() {
        return HedgePolicy.of(h -> h.delay(Duration.ofMinutes(30)));
    }

    @Override
    protected void assertNothingHeld(Policy policy) {}
}
