/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.chaos.internal;

import dev.holdfast.chaos.ChaosPolicy;
import dev.holdfast.chaos.ChaosSettings;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import dev.holdfast.spi.PolicyFactory.Option;
import java.util.List;
import java.util.function.Supplier;

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
        return List.of(
                Option.flag("enabled", ChaosSettings.Builder::enabled),
                new Option<>("seed", Long.class, ChaosSettings.Builder::seed),
                Option.decimal("latency-rate", ChaosSettings.Builder::latencyRate),
                Option.duration("min-latency", ChaosSettings.Builder::minLatency),
                Option.duration("max-latency", ChaosSettings.Builder::maxLatency),
                Option.decimal("error-rate", ChaosSettings.Builder::errorRate),
                Option.bound("error", Supplier.class, (builder, value) -> builder.error(value)),
                Option.decimal("result-rate", ChaosSettings.Builder::resultRate),
                Option.bound("result", Supplier.class, (builder, value) -> builder.result(value)),
                Option.decimal("hang-rate", ChaosSettings.Builder::hangRate));
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
