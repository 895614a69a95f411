/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import dev.holdfast.spi.PolicyFactory.Items;
import dev.holdfast.spi.PolicyFactory.Option;
import dev.holdfast.spi.PolicyFactory.Range;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The options of a policy's settings, once: checks, copies and {@code toString} of a builder, a file's section and a page's
 * table are made from them.
 */
public final class Options<B> {
    private final String policy;
    private final Supplier<B> defaults;
    private final List<Option<B, ?>> all;

    public Options(String policy, Supplier<B> defaults, List<Option<B, ?>> all) {
        this.policy = policy;
        this.defaults = defaults;
        this.all = List.copyOf(all);
    }

    /** In the order of the page. */
    public List<Option<B, ?>> list() {
        return all;
    }

    /** Looks at each value alone. What depends on several, the caller adds. */
    public Checks check(B builder) {
        Checks checks = new Checks(policy);
        for (Option<B, ?> option : all) {
            check(checks, option, builder);
        }
        return checks;
    }

    private static <B, V> void check(Checks checks, Option<B, V> option, B builder) {
        option.value(builder).ifPresent(value -> {
            Optional<Items> items = option.items();
            boolean allowed = items.isPresent() ? allows(items.get(), value) : allows(option.range(), value);
            // The words of a problem are made only if there is one.
            if (!allowed) {
                checks.that(
                        false,
                        option.inCode(),
                        shown(value),
                        items.isPresent() ? expected(option) : expected(option.range()));
            }
        });
    }

    private static boolean allows(Items items, Object value) {
        List<?> list = (List<?>) value;
        return list.size() <= items.most() && list.stream().allMatch(item -> allows(items.range(), item));
    }

    public static boolean allows(Range<?> range, Object value) {
        if (range.least() == null || range.most() == null) {
            return true;
        }
        boolean within = compare(value, range.least()) >= 0 && compare(value, range.most()) <= 0;
        return within || (range.orZero() && isZero(value));
    }

    /** NaN is less than everything, so that it is in no range. */
    private static int compare(Object value, Object bound) {
        if (value instanceof Duration time) {
            return time.compareTo((Duration) bound);
        }
        double number = number(value);
        double limit = number(bound);
        return number == limit ? 0 : number > limit ? 1 : -1;
    }

    private static double number(Object value) {
        return value instanceof IntSupplier replicas ? replicas.getAsInt() : ((Number) value).doubleValue();
    }

    private static boolean isZero(Object value) {
        return value instanceof Duration time ? time.isZero() : number(value) == 0;
    }

    public void copy(B from, B to) {
        for (Option<B, ?> option : all) {
            copy(option, from, to);
        }
    }

    private static <B, V> void copy(Option<B, V> option, B from, B to) {
        option.value(from).ifPresent(value -> option.set(to, value));
    }

    public boolean same(B one, B other) {
        return all.stream().allMatch(option -> option.value(one).equals(option.value(other)));
    }

    /** The values of a builder by their names in code; without those that are not set. */
    public String text(B builder) {
        return all.stream()
                .flatMap(option -> option.value(builder).stream().map(value -> option.inCode() + "=" + shown(value)))
                .collect(Collectors.joining(", "));
    }

    /** The values of a builder by their names in a file: numbers, truth values, times and words; without those that are not set. */
    public Map<String, Object> values(B builder) {
        return values(builder, Map.of());
    }

    /** The same, with a word for each option that has an effect also if it is not set. */
    public Map<String, Object> values(B builder, Map<String, String> ifNotSet) {
        Map<String, Object> values = new LinkedHashMap<>();
        for (Option<B, ?> option : all) {
            option.value(builder)
                    .<Object>map(value -> value instanceof Duration ? value : inJson(value))
                    .or(() -> Optional.ofNullable(ifNotSet.get(option.name())))
                    .ifPresent(value -> values.put(option.name(), value));
        }
        return Collections.unmodifiableMap(values);
    }

    private static Object inJson(Object value) {
        if (value instanceof Replicas replicas && replicas.isFixed()) {
            return replicas.getAsInt();
        }
        return value instanceof Number || value instanceof Boolean ? value : word(value);
    }

    /** What a page says of an option's default. */
    public String byDefault(Option<B, ?> option) {
        return option.byDefault().isEmpty()
                ? option.value(defaults.get()).map(Options::word).orElse("–")
                : option.byDefault();
    }

    /** The default as JSON has it: a number, a truth value, or a text as in a file; empty if there is none, or only words. */
    public <V> Optional<Object> defaultOf(Option<B, V> option) {
        return option.byDefault().isEmpty() ? option.value(defaults.get()).map(Options::inJson) : Optional.empty();
    }

    /** What a page, and a message, say of the values that an option may have. */
    public static String expected(Option<?, ?> option) {
        Class<?> type = option.type();
        if (!option.range().words().isEmpty()) {
            return option.range().words();
        } else if (option.items().isPresent()) {
            Items items = option.items().get();
            return "at most " + items.most() + ", each " + expected(items.range());
        } else if (option.range().least() != null) {
            return expected(option.range());
        } else if (type == Boolean.class) {
            return "true, false";
        } else if (type.isEnum()) {
            return Stream.of(type.getEnumConstants()).map(Options::word).collect(Collectors.joining(", "));
        }
        return type == String.class ? "a text" : type == Long.class ? "any" : "a name bound in code";
    }

    /** What a message says of the values in a range. */
    public static String expected(Range<?> range) {
        if (range.least() == null || range.most() == null) {
            return "any";
        }
        return (range.orZero() ? (range.least() instanceof Duration ? "0s, or " : "0, or ") : "") + word(range.least())
                + " to " + word(range.most());
    }

    /** A value as a file has it. */
    public static String word(Object value) {
        if (value instanceof Enum<?> constant) {
            return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
        if (value instanceof Replicas replicas && replicas.isFixed()) {
            return Checks.number(replicas.getAsInt());
        }
        return value instanceof Number number ? Checks.number(number) : shown(value);
    }

    private static String shown(Object value) {
        if (value instanceof List<?> list) {
            return list.stream().map(Options::shown).collect(Collectors.joining(", ", "[", "]"));
        }
        if (value instanceof Duration time) {
            return Checks.text(time);
        }
        boolean plain = value instanceof Number
                || value instanceof Enum
                || value instanceof Boolean
                || value instanceof Replicas;
        return plain ? value.toString() : "given";
    }
}
