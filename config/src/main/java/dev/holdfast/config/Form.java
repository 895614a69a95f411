/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.HistogramOptions;
import dev.holdfast.retry.RetryBudget;
import dev.holdfast.spi.PolicyFactory;
import dev.holdfast.spi.PolicyFactory.Option;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * What a section may say.
 *
 * @param key its name in the file
 * @param builder makes a builder that holds the defaults
 * @param shorthand the option that a single value means
 * @param <B> the builder
 */
record Form<B>(String key, Supplier<B> builder, List<Option<B, ?>> options, Optional<String> shorthand) {
    /** A budget that several policies share. */
    static final Form<RetryBudget.Builder> BUDGET =
            new Form<>("budget", RetryBudget::builder, RetryBudget.options(), Optional.empty());

    /** The instances of a pipeline with keys. */
    static final Form<KeySettings.Builder> KEYS = new Form<>(
            PlanReader.KEYS_OF_A_PIPELINE, KeySettings.Builder::new, KeySettings.options(), Optional.empty());

    /** What observers show of latencies. */
    static final Form<HistogramOptions> HISTOGRAMS =
            new Form<>(PlanReader.HISTOGRAMS, HistogramOptions::new, HistogramOptions.options(), Optional.empty());

    /** Whether it is a section that a pipeline may leave out. */
    boolean isPolicy() {
        return !equals(BUDGET) && !equals(KEYS) && !equals(HISTOGRAMS);
    }

    static <B> Form<B> of(PolicyFactory<B> factory) {
        return new Form<>(factory.key(), factory::builder, factory.options(), factory.shorthand());
    }
}
