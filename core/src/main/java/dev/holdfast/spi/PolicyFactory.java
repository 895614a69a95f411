/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spi;

import java.util.List;
import java.util.Optional;

/**
 * How a policy is found on the class path and made from a configuration file. Registered for
 * {@link java.util.ServiceLoader}; has a public constructor without arguments.
 *
 * @param <B> the builder of the policy's settings
 */
public interface PolicyFactory<B> {

    /** The section of a file, and the policy's {@linkplain Policy#name name}: {@code bulkhead}. */
    String key();

    /** A builder that holds the defaults. */
    B builder();

    /** What may stand in the section. */
    List<Option<B, ?>> options();

    /**
     * Makes the policy.
     *
     * @throws InvalidSettingsException if the builder's values cannot be
     */
    Policy create(B builder);

    /** The option that is meant where the section is a single value, {@code timeout: 250ms}; empty if there is none. */
    default Optional<String> shorthand() {
        return Optional.empty();
    }

    /**
     * Where the policy stands in the default order, outermost first: deadline 100, fallback 200, stale cache 300, retry 400,
     * hedge 450, circuit breaker 500, throttle 600, bulkhead 700, timeout 800, chaos 900.
     */
    int position();

    /** The policy for {@link dev.holdfast.Pipeline#standard}; empty if it makes no sense without settings of the user's. */
    default Optional<Policy> standard() {
        return Optional.empty();
    }
}
