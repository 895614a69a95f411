/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling.internal;

import dev.holdfast.internal.SettingsPolicyFactory;
import dev.holdfast.throttling.AdaptiveThrottlePolicy;
import dev.holdfast.throttling.AdaptiveThrottlePolicy.Settings;

/**
 * Makes an adaptive throttle from the section {@code adaptive-throttle} of a file; found by {@link java.util.ServiceLoader}. Its place
 * is inside the breaker, so that a rejection of it is no failure, and outside throttle and bulkhead, so that a rejected call takes
 * neither a turn nor a permit.
 */
public final class AdaptiveThrottlePolicyFactory extends SettingsPolicyFactory<Settings.Builder> {
    /** For the service loader. */
    public AdaptiveThrottlePolicyFactory() {
        super(
                "adaptive-throttle",
                575,
                Settings::builder,
                Settings::options,
                builder -> AdaptiveThrottlePolicy.of(builder.build()));
    }
}
