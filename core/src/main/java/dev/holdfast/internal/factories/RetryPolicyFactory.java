/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.factories;

import dev.holdfast.internal.SettingsPolicyFactory;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings;

/** Makes the {@code retry} of a configuration file. */
public final class RetryPolicyFactory extends SettingsPolicyFactory<RetrySettings.Builder> {
    /** For the service loader. */
    public RetryPolicyFactory() {
        super("retry", 400, RetrySettings::builder, RetrySettings::options, builder -> RetryPolicy.of(builder.build()));
    }
}
