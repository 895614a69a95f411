/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.spi.Policy;
import dev.holdfast.testing.PolicyContract;
import dev.holdfast.testlogs.LogsOfContract;

@LogsOfContract
class AtMostPolicyTest extends PolicyContract {
    @Override
    protected Policy policy() {
        return new AtMostPolicy(10);
    }

    @Override
    protected void assertNothingHeld(Policy policy) {
        assertThat(((AtMostPolicy) policy).running()).isZero();
    }
}
