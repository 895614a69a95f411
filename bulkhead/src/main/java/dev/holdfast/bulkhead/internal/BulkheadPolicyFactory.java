/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal;

import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.bulkhead.BulkheadSettings;
import dev.holdfast.bulkhead.BulkheadSettings.LimitAlgorithm;
import dev.holdfast.bulkhead.BulkheadSettings.QueueOrder;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import dev.holdfast.spi.PolicyFactory.Option;
import java.util.List;

/** Makes a bulkhead from the section {@code bulkhead} of a file; found by {@link java.util.ServiceLoader}. */
public final class BulkheadPolicyFactory implements PolicyFactory<BulkheadSettings.Builder> {

    @Override
    public String key() {
        return "bulkhead";
    }

    @Override
    public BulkheadSettings.Builder builder() {
        return BulkheadSettings.builder();
    }

    @Override
    public List<Option<BulkheadSettings.Builder, ?>> options() {
        return List.of(
                Option.integer("max-concurrent-calls", BulkheadSettings.Builder::maxConcurrentCalls),
                Option.choice("limit", LimitAlgorithm.class, BulkheadSettings.Builder::limit),
                Option.integer("min-concurrent-calls", BulkheadSettings.Builder::minConcurrentCalls),
                Option.integer("initial-concurrent-calls", BulkheadSettings.Builder::initialConcurrentCalls),
                Option.integer("max-waiting-calls", BulkheadSettings.Builder::maxWaitingCalls),
                Option.duration("max-wait", BulkheadSettings.Builder::maxWait),
                Option.choice("queue-order", QueueOrder.class, BulkheadSettings.Builder::queueOrder),
                Option.duration("codel-target", BulkheadSettings.Builder::codelTarget),
                Option.duration("codel-interval", BulkheadSettings.Builder::codelInterval),
                Option.duration("lease", BulkheadSettings.Builder::lease),
                Option.flag("dedicated-threads", BulkheadSettings.Builder::dedicatedThreads));
    }

    @Override
    public Policy create(BulkheadSettings.Builder builder) {
        return BulkheadPolicy.of(builder.build());
    }

    @Override
    public int position() {
        return 700;
    }
}
