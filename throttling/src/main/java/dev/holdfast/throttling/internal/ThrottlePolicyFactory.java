/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling.internal;

import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import dev.holdfast.spi.PolicyFactory.Option;
import dev.holdfast.throttling.ThrottlePolicy;
import dev.holdfast.throttling.ThrottleSettings;
import java.util.List;

/**
 * Makes a throttle from the section {@code throttle} of a file; found by {@link java.util.ServiceLoader}. The standard
 * pipeline has no throttle, because only the user knows the dependency's limit.
 */
public final class ThrottlePolicyFactory implements PolicyFactory<ThrottleSettings.Builder> {

    @Override
    public String key() {
        return "throttle";
    }

    @Override
    public ThrottleSettings.Builder builder() {
        return ThrottleSettings.builder();
    }

    @Override
    public List<Option<ThrottleSettings.Builder, ?>> options() {
        return ThrottleSettings.options();
    }

    @Override
    public Policy create(ThrottleSettings.Builder builder) {
        return ThrottlePolicy.of(builder.build());
    }

    @Override
    public int position() {
        return 600;
    }
}
