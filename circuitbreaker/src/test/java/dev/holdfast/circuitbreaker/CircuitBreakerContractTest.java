/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.circuitbreaker.CircuitBreakerPolicy.State;
import dev.holdfast.spi.Policy;
import dev.holdfast.testing.PolicyContract;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.testlogs.LogsOfContract;

/** With thresholds so high that nothing but what the contract looks at decides. */
@LogsOfContract
@Logs("retry-inside-circuit-breaker")
class CircuitBreakerContractTest extends PolicyContract {

    @Override
    protected Policy policy() {
        return CircuitBreakerPolicy.of(b -> b.slidingWindowSize(100_000).minimumNumberOfCalls(100_000));
    }

    @Override
    protected void assertNothingHeld(Policy policy) {
        assertThat(((CircuitBreakerPolicy) policy).state()).isEqualTo(State.CLOSED);
    }
}
