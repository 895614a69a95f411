/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.factories;

import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.hedge.HedgeSettings;
import dev.holdfast.internal.SettingsPolicyFactory;
import java.util.Optional;

/**
 * Makes the {@code hedge} of a configuration file. It is not part of {@link dev.holdfast.Pipeline#standard}, because only the
 * user knows whether a second attempt at the same time does harm.
 */
public final class HedgePolicyFactory extends SettingsPolicyFactory<HedgeSettings.Builder> {
    /** For the service loader. */
    public HedgePolicyFactory() {
        super("hedge", 450, HedgeSettings::builder, HedgeSettings::options, builder -> HedgePolicy.of(builder.build()));
    }

    @Override
    public Optional<String> shorthand() {
        return Optional.of("delay");
    }
}
