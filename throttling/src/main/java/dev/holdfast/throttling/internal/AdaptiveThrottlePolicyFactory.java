/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling.internal;

import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import dev.holdfast.spi.PolicyFactory.Option;
import dev.holdfast.throttling.AdaptiveThrottlePolicy;
import dev.holdfast.throttling.AdaptiveThrottlePolicy.Settings;
import java.util.List;

/**
 * Makes an adaptive throttle from the section {@code adaptive-throttle} of a file; found by {@link java.util.ServiceLoader}. Its place
 * is inside the breaker, so that a rejection of it is no failure, and outside throttle and bulkhead, so that a rejected call takes
 * neither a turn nor a permit.
 */
public final class AdaptiveThrottlePolicyFactory implements PolicyFactory<Settings.Builder> {

    @Override
    public String key() {
        return "adaptive-throttle";
    }

    @Override
    public Settings.Builder builder() {
        return Settings.builder();
    }

    @Override
    public List<Option<Settings.Builder, ?>> options() {
        return Settings.options();
    }

    @Override
    public Policy create(Settings.Builder builder) {
        return AdaptiveThrottlePolicy.of(builder.build());
    }

    @Override
    public int position() {
        return 575;
    }
}
