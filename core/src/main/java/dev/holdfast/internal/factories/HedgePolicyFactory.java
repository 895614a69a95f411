/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.factories;

import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.hedge.HedgeSettings;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import dev.holdfast.spi.PolicyFactory.Option;
import java.util.List;
import java.util.Optional;

/**
 * Makes the {@code hedge} of a configuration file. It is not part of {@link dev.holdfast.Pipeline#standard}, because only the
 * user knows whether a second attempt at the same time does harm.
 */
public final class HedgePolicyFactory implements PolicyFactory<HedgeSettings.Builder> {

    @Override
    public String key() {
        return "hedge";
    }

    @Override
    public HedgeSettings.Builder builder() {
        return HedgeSettings.builder();
    }

    @Override
    public List<Option<HedgeSettings.Builder, ?>> options() {
        return HedgeSettings.options();
    }

    @Override
    public Policy create(HedgeSettings.Builder builder) {
        return HedgePolicy.of(builder.build());
    }

    @Override
    public Optional<String> shorthand() {
        return Optional.of("delay");
    }

    @Override
    public int position() {
        return 450;
    }
}
