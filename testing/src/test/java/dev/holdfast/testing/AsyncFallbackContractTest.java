/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.testlogs.LogsOfContract;
import java.util.concurrent.CompletableFuture;

@LogsOfContract
@Logs("fallback-inside-retry")
class AsyncFallbackContractTest extends PolicyContract {
    @Override
    protected Policy policy() {
        return FallbackPolicy.ofAsync(error -> CompletableFuture.supplyAsync(() -> "fallback", Runnable::run));
    }

    @Override
    protected void assertNothingHeld(Policy policy) {
        // It holds nothing of its own; the spies around it have looked at the life of its layer.
    }
}
