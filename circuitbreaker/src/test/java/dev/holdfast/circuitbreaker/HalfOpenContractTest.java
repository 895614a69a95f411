/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.spi.Policy;
import dev.holdfast.testing.PolicyContract;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.testlogs.LogsOfContract;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import java.time.Duration;

/** Half-open from the start, with so many probes that it stays so: each probe must be there again when a test is over. */
@LogsOfContract
@Logs("retry-inside-circuit-breaker")
class HalfOpenContractTest extends PolicyContract {
    private static final int PROBES = 1_000;

    @Override
    protected Policy policy() {
        // A probe that hangs is not replaced within the contract's hour.
        CircuitBreakerPolicy policy = CircuitBreakerPolicy.of(b -> b.slidingWindowSize(PROBES)
                .minimumNumberOfCalls(PROBES)
                .permittedNumberOfCallsInHalfOpenState(PROBES)
                .probeLease(Duration.ofDays(1)));
        policy.asResilience4j().transitionToOpenState();
        policy.asResilience4j().transitionToHalfOpenState();
        return policy;
    }

    /** A trial call is over with its result. Its work may go on. */
    @Override
    protected boolean givesBackInSettle() {
        return true;
    }

    @Override
    protected void assertNothingHeld(Policy policy) {
        CircuitBreaker engine = ((CircuitBreakerPolicy) policy).asResilience4j();
        if (engine.getState() != State.HALF_OPEN) {
            return;
        }
        int counted = engine.getMetrics().getNumberOfBufferedCalls();
        int free = 0;
        while (engine.tryAcquirePermission()) {
            free++;
        }
        for (int i = 0; i < free; i++) {
            engine.releasePermission();
        }
        assertThat(free + counted).isEqualTo(PROBES);
    }
}
