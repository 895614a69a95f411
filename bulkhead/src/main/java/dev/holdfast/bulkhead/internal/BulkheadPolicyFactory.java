/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal;

import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.bulkhead.BulkheadSettings;
import dev.holdfast.internal.SettingsPolicyFactory;

/** Makes a bulkhead from the section {@code bulkhead} of a file; found by {@link java.util.ServiceLoader}. */
public final class BulkheadPolicyFactory extends SettingsPolicyFactory<BulkheadSettings.Builder> {
    /** For the service loader. */
    public BulkheadPolicyFactory() {
        super(
                "bulkhead",
                700,
                BulkheadSettings::builder,
                BulkheadSettings::options,
                builder -> BulkheadPolicy.of(builder.build()));
    }
}
