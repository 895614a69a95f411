/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.factories;

import dev.holdfast.retry.RetryBudget;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.retry.RetrySettings;
import dev.holdfast.retry.RetrySettings.Jitter;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import dev.holdfast.spi.PolicyFactory.Option;
import java.util.List;
import java.util.function.Function;

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
        return List.of(
                Option.integer("max-attempts", RetrySettings.Builder::maxAttempts),
                Option.duration("backoff.initial", RetrySettings.Builder::initialBackoff),
                Option.decimal("backoff.multiplier", RetrySettings.Builder::multiplier),
                Option.duration("backoff.max", RetrySettings.Builder::maxBackoff),
                Option.choice("backoff.jitter", Jitter.class, RetrySettings.Builder::jitter),
                Option.bound("interval", Function.class, RetryPolicyFactory::interval),
                Option.duration("max-retry-after", RetrySettings.Builder::maxRetryAfter),
                Option.bound("budget", RetryBudget.class, RetrySettings.Builder::budget),
                Option.flag("budget.enabled", RetrySettings.Builder::budgetEnabled),
                Option.integer("budget.max-tokens", (retry, value) -> retry.budget(b -> b.maxTokens(value))),
                Option.decimal("budget.token-ratio", (retry, value) -> retry.budget(b -> b.tokenRatio(value))),
                Option.integer(
                        "budget.min-retries-per-minute",
                        (retry, value) -> retry.budget(b -> b.minRetriesPerMinute(value))),
                Option.flag("retry-rejections", RetrySettings.Builder::retryRejections),
                Option.flag("retry-inside-retries", RetrySettings.Builder::retryInsideRetries));
    }

    @Override
    public Policy create(RetrySettings.Builder builder) {
        return RetryPolicy.of(builder.build());
    }

    @Override
    public int position() {
        return 400;
    }

    /** A file gives a function by name, without its type arguments. */
    @SuppressWarnings("unchecked")
    private static void interval(RetrySettings.Builder retry, Function<?, ?> value) {
        retry.interval((Function<? super Integer, Long>) value);
    }
}
