/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.spi.Policy;
import dev.holdfast.testlogs.LogsOfContract;

@LogsOfContract
class PermitsContractTest extends PolicyContract {
    @Override
    protected Policy policy() {
        return new PermitsPolicy(10, 1_000);
    }

    @Override
    protected void assertNothingHeld(Policy policy) {
        PermitsPolicy permits = (PermitsPolicy) policy;
        assertThat(permits.out()).isZero();
        assertThat(permits.waiting()).isZero();
        assertThat(permits.most()).isBetween(0, 10);
    }
}
