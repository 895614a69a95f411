/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.spi.Policy;
import java.time.Duration;

/** A hedge that never comes to it. */
class HedgeContractTest extends PolicyContract {
    @Override
    protected Policy policy() {
        return HedgePolicy.of(h -> h.delay(Duration.ofMinutes(30)));
    }

    @Override
    protected void assertNothingHeld(Policy policy) {}
}
