/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache.internal;

import dev.holdfast.internal.SettingsPolicyFactory;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.stalecache.StaleCacheSettings;

/**
 * The section {@code stale-cache} of a configuration file. Found by {@link java.util.ServiceLoader}. Not in the standard
 * pipeline, because users must ask for answers from memory.
 */
public final class StaleCachePolicyFactory extends SettingsPolicyFactory<StaleCacheSettings.Builder> {
    /** For the service loader. */
    public StaleCachePolicyFactory() {
        super(
                "stale-cache",
                300,
                StaleCacheSettings::builder,
                StaleCacheSettings::options,
                builder -> StaleCachePolicy.of(builder.build()));
    }
}
