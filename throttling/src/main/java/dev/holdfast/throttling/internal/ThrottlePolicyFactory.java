/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling.internal;

import dev.holdfast.internal.SettingsPolicyFactory;
import dev.holdfast.throttling.ThrottlePolicy;
import dev.holdfast.throttling.ThrottleSettings;

/**
 * Makes a throttle from the section {@code throttle} of a file; found by {@link java.util.ServiceLoader}. The standard
 * pipeline has no throttle, because only the user knows the dependency's limit.
 */
public final class ThrottlePolicyFactory extends SettingsPolicyFactory<ThrottleSettings.Builder> {
    /** For the service loader. */
    public ThrottlePolicyFactory() {
        super(
                "throttle",
                600,
                ThrottleSettings::builder,
                ThrottleSettings::options,
                builder -> ThrottlePolicy.of(builder.build()));
    }
}
