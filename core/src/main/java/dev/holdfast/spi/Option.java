/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spi;

import java.time.Duration;
import java.util.function.BiConsumer;

/**
 * One option of a configuration file's section, and how it is given to the builder of the settings. Its default and its
 * range are the builder's.
 *
 * @param name in words with hyphens, {@code max-wait}; a nested section is a word before a dot, {@code backoff.initial}
 * @param type {@code Long}, {@code Integer}, {@code Double}, {@code Boolean}, {@code Duration}, {@code String}, an enum (its
 *     constants in lower case with hyphens), or a functional interface: then the file gives the name under which code bound it
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

    /** Something that only code can say, bound there under a name. */
    public static <B, V> Option<B, V> bound(String name, Class<V> type, BiConsumer<? super B, ? super V> setter) {
        return new Option<>(name, type, setter);
    }
}
