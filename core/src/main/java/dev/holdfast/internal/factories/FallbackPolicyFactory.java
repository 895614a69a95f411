/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.factories;

import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.fallback.FallbackSettings;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import dev.holdfast.spi.PolicyFactory.Option;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

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
    @SuppressWarnings("unchecked") // a function that code bound under a name; what it takes is documented
    public List<Option<FallbackSettings.Builder, ?>> options() {
        return List.of(
                Option.bound("function", Function.class, (builder, value) -> builder.function(value)),
                Option.bound("async-function", Function.class, (builder, value) -> builder.asyncFunction(value)),
                new Option<>("value", String.class, FallbackSettings.Builder::value),
                Option.flag("only-of-operations", (builder, value) -> {
                    if (value) {
                        builder.onlyOfOperations();
                    }
                }),
                Option.flag("on-ignored", FallbackSettings.Builder::onIgnored));
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
