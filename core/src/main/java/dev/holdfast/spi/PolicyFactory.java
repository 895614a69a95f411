/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spi;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

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
     * Where the policy stands in the default order, outermost first: the deadline has 100, the chaos 900. The positions of all
     * policies of Holdfast are in {@code docs/policy.md}, "In a file".
     */
    int position();

    /**
     * One option of a policy: its name, type, range and meaning, and how a builder is asked for it and told. Checks, files,
     * pages and {@code toString} of settings are made from it. Immutable.
     *
     * @param <B> the builder
     * @param <V> the type of the value
     */
    final class Option<B, V> {
        private final String name;
        private final String inCode;
        private final Class<V> type;
        private final Range<V> range;
        private final Function<? super B, ? extends @Nullable V> getter;
        private final BiConsumer<? super B, ? super V> setter;
        private final String byDefault;
        private final String meaning;
        private final @Nullable Items items;

        private Option(
                String name,
                String inCode,
                Class<V> type,
                Range<V> range,
                Function<? super B, ? extends @Nullable V> getter,
                BiConsumer<? super B, ? super V> setter,
                String byDefault,
                String meaning,
                @Nullable Items items) {
            this.name = Objects.requireNonNull(name, "name");
            this.inCode = Objects.requireNonNull(inCode, "inCode");
            this.type = Objects.requireNonNull(type, "type");
            this.range = Objects.requireNonNull(range, "range");
            this.getter = Objects.requireNonNull(getter, "getter");
            this.setter = Objects.requireNonNull(setter, "setter");
            this.byDefault = Objects.requireNonNull(byDefault, "byDefault");
            this.meaning = Objects.requireNonNull(meaning, "meaning");
            this.items = items;
        }

        /**
         * An option without a range.
         *
         * @param name in words with hyphens, {@code max-wait}; a nested section is a word before a dot, {@code backoff.initial}
         * @param type {@code Long}, {@code Integer}, {@code Double}, {@code Boolean}, {@code Duration}, {@code String}, an enum
         *     (its constants in lower case with hyphens), or any other: then the file gives the name that code bound
         * @param getter the builder's value; null if there is none
         * @param setter gives the value to the builder
         */
        public static <B, V> Option<B, V> of(
                String name,
                Class<V> type,
                Function<? super B, ? extends @Nullable V> getter,
                BiConsumer<? super B, ? super V> setter) {
            return new Option<>(
                    name, camelCase(name), type, new Range<>(null, null, false, ""), getter, setter, "", "", null);
        }

        /** A whole number. */
        public static <B> Option<B, Integer> integer(
                String name,
                Function<? super B, ? extends @Nullable Integer> getter,
                BiConsumer<? super B, ? super Integer> setter) {
            return of(name, Integer.class, getter, setter);
        }

        /** A number. */
        public static <B> Option<B, Double> decimal(
                String name,
                Function<? super B, ? extends @Nullable Double> getter,
                BiConsumer<? super B, ? super Double> setter) {
            return of(name, Double.class, getter, setter);
        }

        /** A time. */
        public static <B> Option<B, Duration> duration(
                String name,
                Function<? super B, ? extends @Nullable Duration> getter,
                BiConsumer<? super B, ? super Duration> setter) {
            return of(name, Duration.class, getter, setter);
        }

        /** True or false. */
        public static <B> Option<B, Boolean> flag(
                String name, Function<? super B, Boolean> getter, BiConsumer<? super B, ? super Boolean> setter) {
            return of(name, Boolean.class, getter, setter);
        }

        /**
         * A list. In a file, a single value is a list of one.
         *
         * @param type of each value: one of those of {@link #of}
         * @param range of each value
         * @param most how many values there may be
         * @param getter null if there is none
         */
        @SuppressWarnings("unchecked") // a list of what the reader makes of the type
        public static <B, E> Option<B, List<E>> list(
                String name,
                Class<E> type,
                Range<E> range,
                int most,
                Function<? super B, ? extends @Nullable List<E>> getter,
                BiConsumer<? super B, ? super List<E>> setter) {
            return new Option<>(
                    name,
                    camelCase(name),
                    (Class<List<E>>) (Class<?>) List.class,
                    new Range<>(null, null, false, ""),
                    getter,
                    setter,
                    "",
                    "",
                    new Items(type, range, most));
        }

        /** The same, from the least to the most, both included. */
        public Option<B, V> range(V least, V most) {
            return range(new Range<>(least, most, range.orZero, range.words));
        }

        /** The same, where zero is allowed below the range as well. */
        public Option<B, V> orZero() {
            return range(new Range<>(range.least, range.most, true, range.words));
        }

        /** The same, with these words for the range: for one that depends on other options. */
        public Option<B, V> rangeIs(String words) {
            return range(new Range<>(range.least, range.most, range.orZero, words));
        }

        private Option<B, V> range(Range<V> newRange) {
            return new Option<>(name, inCode, type, newRange, getter, setter, byDefault, meaning, items);
        }

        /** The same, with these words for the default: for one that depends on other options, or that no value says. */
        public Option<B, V> defaultIs(String words) {
            return new Option<>(name, inCode, type, range, getter, setter, words, meaning, items);
        }

        /** The same, if the builder's method is not called like the option in camel case. */
        public Option<B, V> inCode(String method) {
            return new Option<>(name, method, type, range, getter, setter, byDefault, meaning, items);
        }

        /** The same, with this sentence for pages and editors. */
        public Option<B, V> means(String sentence) {
            return new Option<>(name, inCode, type, range, getter, setter, byDefault, sentence, items);
        }

        /** The same option in a section of a greater builder. */
        public <O> Option<O, V> under(String section, Function<? super O, ? extends B> inner) {
            return new Option<>(
                    section + "." + name,
                    section + "." + inCode,
                    type,
                    range,
                    outer -> getter.apply(inner.apply(outer)),
                    (outer, value) -> setter.accept(inner.apply(outer), value),
                    byDefault,
                    meaning,
                    items);
        }

        /** The name in a file, in words with hyphens. */
        public String name() {
            return name;
        }

        /** The name of the builder's method. */
        public String inCode() {
            return inCode;
        }

        /** The type of the value. */
        public Class<V> type() {
            return type;
        }

        /** The values that are allowed. */
        public Range<V> range() {
            return range;
        }

        /** What is in the list; empty if the option is no list. */
        public Optional<Items> items() {
            return Optional.ofNullable(items);
        }

        /** What the default is, in words; empty if the value of a new builder says it. */
        public String byDefault() {
            return byDefault;
        }

        /** A sentence for pages and editors. */
        public String meaning() {
            return meaning;
        }

        /** The builder's value; empty if there is none. */
        public Optional<V> value(B builder) {
            return Optional.ofNullable(getter.apply(builder));
        }

        /** Gives the value to the builder. */
        public void set(B builder, V value) {
            setter.accept(builder, value);
        }

        private static String camelCase(String name) {
            StringBuilder camelCase = new StringBuilder();
            for (String word : name.split("-", -1)) {
                camelCase.append(
                        camelCase.isEmpty() || word.isEmpty()
                                ? word
                                : word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1));
            }
            return camelCase.toString();
        }
    }

    /**
     * What is in a list.
     *
     * @param type of each value
     * @param range of each value
     * @param most how many values there may be
     */
    record Items(Class<?> type, Range<?> range, int most) {}

    /**
     * The values that an option may have.
     *
     * @param least the smallest; null if there is no range
     * @param most the greatest; null if there is no range
     * @param orZero whether zero is allowed below the smallest
     * @param words what pages say of it; empty if the two values say it
     * @param <V> the type of the value
     */
    record Range<V>(@Nullable V least, @Nullable V most, boolean orZero, String words) {}
}
