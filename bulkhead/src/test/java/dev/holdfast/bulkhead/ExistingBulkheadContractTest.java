/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.spi.Policy;
import dev.holdfast.testcalls.RecordedMeters;
import dev.holdfast.testing.PolicyContract;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.testlogs.LogsOfContract;
import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import java.time.Duration;

@LogsOfContract
@Logs("bulkhead-outside-retry")
class ExistingBulkheadContractTest extends PolicyContract {

    @Override
    protected Policy policy() {
        return BulkheadPolicy.of(Bulkhead.of(
                "theirs",
                BulkheadConfig.custom()
                        .maxConcurrentCalls(3)
                        .maxWaitDuration(Duration.ZERO)
                        .build()));
    }

    @Override
    protected void assertNothingHeld(Policy policy) {
        RecordedMeters meters = new RecordedMeters();
        policy.meters(meters);
        assertThat(meters.values()).containsEntry("bulkhead.in.flight", 0.0).containsEntry("bulkhead.written.off", 0.0);
    }
}
