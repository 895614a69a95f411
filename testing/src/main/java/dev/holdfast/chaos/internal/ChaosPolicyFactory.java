/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.chaos.internal;

import dev.holdfast.chaos.ChaosPolicy;
import dev.holdfast.chaos.ChaosSettings;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import dev.holdfast.spi.PolicyFactory.Option;
import java.util.List;

/** Makes the {@code chaos} of a configuration file. */
public final class ChaosPolicyFactory implements PolicyFactory<ChaosSettings.Builder> {

    @Override
    public String key() {
        return "chaos";
    }

    @Override
    public ChaosSettings.Builder builder() {
        return ChaosSettings.builder();
    }

    @Override
    @SuppressWarnings("unchecked") // suppliers that code bound under a name; what they give is documented
    public List<Option<ChaosSettings.Builder, ?>> options() {
        return ChaosSettings.options();
    }

    @Override
    public Policy create(ChaosSettings.Builder builder) {
        return ChaosPolicy.of(builder.build());
    }

    @Override
    public int position() {
        return 900;
    }
}
