/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.spi.Policy;
import dev.holdfast.testing.PolicyContract;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.testlogs.LogsOfContract;

@LogsOfContract
@Logs("stale-cache-inside-retry")
class StaleCacheContractTest extends PolicyContract {

    @Override
    protected Policy policy() {
        return StaleCachePolicy.ofDefaults();
    }

    /** A load is over with its answer. Its work may go on. */
    @Override
    protected boolean givesBackInSettle() {
        return true;
    }

    @Override
    protected void assertNothingHeld(Policy policy) {
        assertThat(((StaleCachePolicy) policy).underWay()).isZero();
    }
}
