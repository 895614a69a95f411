/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.spi.Policy;
import dev.holdfast.testing.PolicyContract;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.testlogs.LogsOfContract;
import java.time.Duration;

/** As {@link BulkheadContractTest}, where each attempt runs on a thread of its own. */
@LogsOfContract
@Logs("bulkhead-outside-retry")
class DedicatedThreadsContractTest extends PolicyContract {

    @Override
    protected Policy policy() {
        return BulkheadPolicy.of(b -> b.maxConcurrentCalls(3)
                .maxWaitingCalls(20)
                .maxWait(Duration.ofMillis(10))
                .dedicatedThreads(true));
    }

    @Override
    protected void assertNothingHeld(Policy policy) {
        BulkheadPolicy bulkhead = (BulkheadPolicy) policy;
        assertThat(bulkhead.inFlight()).as("permits out").isZero();
        assertThat(bulkhead.waiting()).as("waiting").isZero();
    }

    /** A fixed limit learns from no outcome. */
    @Override
    protected int notAskedFor() {
        return Policy.SUCCESS | Policy.FAILURE;
    }
}
