/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Makes a policy of a configuration file from the builder of its settings.
 *
 * @param <B> the builder
 */
public abstract class SettingsPolicyFactory<B> implements PolicyFactory<B> {
    private final String key;
    private final int position;
    private final Supplier<B> builder;
    private final Supplier<List<Option<B, ?>>> options;
    private final Function<B, Policy> policy;

    /** Asks for nothing yet: the service loader makes all factories, also of sections that no file has. */
    protected SettingsPolicyFactory(
            String key,
            int position,
            Supplier<B> builder,
            Supplier<List<Option<B, ?>>> options,
            Function<B, Policy> policy) {
        this.key = key;
        this.position = position;
        this.builder = builder;
        this.options = options;
        this.policy = policy;
    }

    @Override
    public final String key() {
        return key;
    }

    @Override
    public final B builder() {
        return builder.get();
    }

    @Override
    public final List<Option<B, ?>> options() {
        return options.get();
    }

    @Override
    public final Policy create(B settings) {
        return policy.apply(settings);
    }

    @Override
    public final int position() {
        return position;
    }
}
