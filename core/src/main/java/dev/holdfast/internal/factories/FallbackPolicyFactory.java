/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.factories;

import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.fallback.FallbackSettings;
import dev.holdfast.internal.SettingsPolicyFactory;
import java.util.Optional;

/** Makes the {@code fallback} of a configuration file. */
public final class FallbackPolicyFactory extends SettingsPolicyFactory<FallbackSettings.Builder> {
    /** For the service loader. */
    public FallbackPolicyFactory() {
        super(
                "fallback",
                200,
                FallbackSettings::builder,
                FallbackSettings::options,
                builder -> FallbackPolicy.of(builder.build()));
    }

    @Override
    public Optional<String> shorthand() {
        return Optional.of("function");
    }
}
