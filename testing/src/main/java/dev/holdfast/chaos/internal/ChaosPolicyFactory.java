/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.chaos.internal;

import dev.holdfast.chaos.ChaosPolicy;
import dev.holdfast.chaos.ChaosSettings;
import dev.holdfast.internal.SettingsPolicyFactory;

/** Makes the {@code chaos} of a configuration file. */
public final class ChaosPolicyFactory extends SettingsPolicyFactory<ChaosSettings.Builder> {
    /** For the service loader. */
    public ChaosPolicyFactory() {
        super("chaos", 900, ChaosSettings::builder, ChaosSettings::options, builder -> ChaosPolicy.of(builder.build()));
    }
}
