/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling.internal;

import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import dev.holdfast.spi.PolicyFactory.Option;
import dev.holdfast.throttling.GatePolicy;
import dev.holdfast.throttling.GateSettings;
import java.util.List;

/**
 * Makes a gate from the section {@code gate} of a file; found by {@link java.util.ServiceLoader}. Its place is inside the breaker,
 * so that a rejection of the gate is no failure, and outside throttle and bulkhead, so that a call that waits for the gate has
 * neither a turn nor a permit.
 */
public final class GatePolicyFactory implements PolicyFactory<GateSettings.Builder> {

    @Override
    public String key() {
        return "gate";
    }

    @Override
    public GateSettings.Builder builder() {
        return GateSettings.builder();
    }

    @Override
    public List<Option<GateSettings.Builder, ?>> options() {
        return GateSettings.options();
    }

    @Override
    public Policy create(GateSettings.Builder builder) {
        return GatePolicy.of(builder.build());
    }

    @Override
    public int position() {
        return 550;
    }
}
