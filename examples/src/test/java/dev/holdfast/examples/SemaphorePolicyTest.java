/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.spi.Policy;
import dev.holdfast.testing.PolicyContract;
import dev.holdfast.testlogs.LogsOfContract;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;

@LogsOfContract
class SemaphorePolicyTest extends PolicyContract {
    /** Of the contract, 10,000 calls are inside at once. */
    private static final int ENOUGH = 20_000;

    private final Semaphore permits = new Semaphore(ENOUGH);

    @Override
    protected Policy policy() {
        return new SemaphorePolicy(permits);
    }

    @Override
    protected void assertNothingHeld(Policy policy) {
        assertThat(permits.availablePermits()).isEqualTo(ENOUGH);
    }

    @Test
    void whoIsInterruptedInTheWaitGivesNothingBack() {
        Semaphore none = new Semaphore(0);
        try (Pipeline pipeline = Pipeline.of("shop", new SemaphorePolicy(none))) {
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> pipeline.call(() -> "12"))
                    .isInstanceOfSatisfying(
                            CallRejectedException.class,
                            rejected -> assertThat(rejected.reason()).isEqualTo(Reason.INTERRUPTED));
            assertThat(Thread.interrupted()).isTrue();
        }
        assertThat(none.availablePermits()).isZero();
    }
}
