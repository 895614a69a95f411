/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.spi.Policy;
import java.time.Duration;

/**
 * Every attempt that takes any time has two others beside it. Not on virtual threads: a crowd of losers that are interrupted
 * at one instant of virtual time waits awake, and keeps its carriers from those whose turn it is.
 */
@ThreadKind.Each(ThreadKind.PLATFORM)
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
