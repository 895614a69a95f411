/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spi;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;

/**
 * Makes a policy from a configuration file. Registered for {@link java.util.ServiceLoader}; has a public constructor without
 * arguments.
 *
 * @param <B> the builder of the policy's settings
 */
public interface PolicyFactory<B> {

    /** The name of the section in a file, and the policy's {@linkplain Policy#name name}: {@code bulkhead}. */
    String key();

    /** A builder that holds the defaults. */
    B builder();

    /** The options of the section. */
    List<Option<B, ?>> options();

    /**
     * Makes the policy.
     *
     * @throws InvalidSettingsException if a value of the builder is invalid
     */
    Policy create(B builder);

    /** The option that a section with a single value sets, {@code timeout: 250ms}; empty if there is none. */
    default Optional<String> shorthand() {
        return Optional.empty();
    }

    /**
     * Where the policy stands in the default order, outermost first: deadline 100, fallback 200, stale cache 300, retry 400,
     * hedge 450, circuit breaker 500, throttle 600, bulkhead 700, timeout 800, chaos 900.
     */
    int position();

    /**
     * One option of a configuration file's section, and the builder's method that sets it. The builder has its default and
     * its range.
     *
     * @param name in words with hyphens, {@code max-wait}; a nested section is a word before a dot, {@code backoff.initial}
     * @param type {@code Long}, {@code Integer}, {@code Double}, {@code Boolean}, {@code Duration}, {@code String}, an enum
     *     (its constants in lower case with hyphens), or a functional interface: then the file gives the name that code bound
     * @param setter gives the value to the builder
     * @param <B> the builder
     * @param <V> the type of the value
     */
    public record Option<B, V>(String name, Class<V> type, BiConsumer<? super B, ? super V> setter) {

        /** A whole number. */
        public static <B> Option<B, Integer> integer(String name, BiConsumer<? super B, ? super Integer> setter) {
            return new Option<>(name, Integer.class, setter);
        }

        /** A number. */
        public static <B> Option<B, Double> decimal(String name, BiConsumer<? super B, ? super Double> setter) {
            return new Option<>(name, Double.class, setter);
        }

        /** True or false. */
        public static <B> Option<B, Boolean> flag(String name, BiConsumer<? super B, ? super Boolean> setter) {
            return new Option<>(name, Boolean.class, setter);
        }

        /** A time. */
        public static <B> Option<B, Duration> duration(String name, BiConsumer<? super B, ? super Duration> setter) {
            return new Option<>(name, Duration.class, setter);
        }

        /** One of an enum's constants. */
        public static <B, V extends Enum<V>> Option<B, V> choice(
                String name, Class<V> type, BiConsumer<? super B, ? super V> setter) {
            return new Option<>(name, type, setter);
        }

        /** An object that only code can give, bound there under a name. */
        public static <B, V> Option<B, V> bound(String name, Class<V> type, BiConsumer<? super B, ? super V> setter) {
            return new Option<>(name, type, setter);
        }
    }
}
