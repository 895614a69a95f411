/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling.internal;

import dev.holdfast.internal.SettingsPolicyFactory;
import dev.holdfast.throttling.GatePolicy;
import dev.holdfast.throttling.GateSettings;

/**
 * Makes a gate from the section {@code gate} of a file; found by {@link java.util.ServiceLoader}. Its place is inside the breaker,
 * so that a rejection of the gate is no failure, and outside throttle and bulkhead, so that a call that waits for the gate has
 * neither a turn nor a permit.
 */
public final class GatePolicyFactory extends SettingsPolicyFactory<GateSettings.Builder> {
    /** For the service loader. */
    public GatePolicyFactory() {
        super("gate", 550, GateSettings::builder, GateSettings::options, builder -> GatePolicy.of(builder.build()));
    }
}
