/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.factories;

import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.fallback.FallbackSettings;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import dev.holdfast.spi.PolicyFactory.Option;
import java.util.List;
import java.util.Optional;

/** Makes the {@code fallback} of a configuration file. */
public final class FallbackPolicyFactory implements PolicyFactory<FallbackSettings.Builder> {

    @Override
    public String key() {
        return "fallback";
    }

    @Override
    public FallbackSettings.Builder builder() {
        return FallbackSettings.builder();
    }

    @Override
    public List<Option<FallbackSettings.Builder, ?>> options() {
        return FallbackSettings.options();
    }

    @Override
    public Policy create(FallbackSettings.Builder builder) {
        return FallbackPolicy.of(builder.build());
    }

    @Override
    public Optional<String> shorthand() {
        return Optional.of("function");
    }

    @Override
    public int position() {
        return 200;
    }
}
