/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.factories;

import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import dev.holdfast.spi.PolicyFactory.Option;
import java.util.List;

/** Makes the {@code retry} of a configuration file. */
public final class RetryPolicyFactory implements PolicyFactory<RetrySettings.Builder> {

    @Override
    public String key() {
        return "retry";
    }

    @Override
    public RetrySettings.Builder builder() {
        return RetrySettings.builder();
    }

    @Override
    public List<Option<RetrySettings.Builder, ?>> options() {
        return RetrySettings.options();
    }

    @Override
    public Policy create(RetrySettings.Builder builder) {
        return RetryPolicy.of(builder.build());
    }

    @Override
    public int position() {
        return 400;
    }
}
