/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache.internal;

import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import dev.holdfast.spi.PolicyFactory.Option;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.stalecache.StaleCacheSettings;
import java.util.List;

/**
 * The section {@code stale-cache} of a configuration file. Found by {@link java.util.ServiceLoader}. Not in the standard
 * pipeline, because users must ask for answers from memory.
 */
public final class StaleCachePolicyFactory implements PolicyFactory<StaleCacheSettings.Builder> {

    @Override
    public String key() {
        return "stale-cache";
    }

    @Override
    public StaleCacheSettings.Builder builder() {
        return StaleCacheSettings.builder();
    }

    @Override
    public List<Option<StaleCacheSettings.Builder, ?>> options() {
        return StaleCacheSettings.options();
    }

    @Override
    public Policy create(StaleCacheSettings.Builder builder) {
        return StaleCachePolicy.of(builder.build());
    }

    @Override
    public int position() {
        return 300;
    }
}
