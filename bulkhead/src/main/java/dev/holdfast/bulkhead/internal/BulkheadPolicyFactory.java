/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal;

import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.bulkhead.BulkheadSettings;
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
        return BulkheadSettings.options();
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
