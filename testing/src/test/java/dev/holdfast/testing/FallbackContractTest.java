/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.testlogs.LogsOfContract;

@LogsOfContract
@Logs("fallback-inside-retry")
class FallbackContractTest extends PolicyContract {
    @Override
    protected Policy policy() {
        return FallbackPolicy.value("fallback");
    }

    @Override
    protected void assertNothingHeld(Policy policy) {
        // It holds nothing of its own; the spies around it have looked at the life of its layer.
    }
}
