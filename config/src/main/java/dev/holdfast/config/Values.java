/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.config.Node.Kind;
import dev.holdfast.config.Node.Scalar;
import dev.holdfast.internal.Nearest;
import dev.holdfast.internal.Options;
import dev.holdfast.internal.Replicas;
import dev.holdfast.spi.PolicyFactory.Range;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.IntSupplier;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Makes the value of an option from a node of the file. Nothing is guessed: a value of another type, a number without its
 * unit and YAML's many spellings of true are problems.
 */
final class Values {
    private static final Pattern WHOLE = Pattern.compile("[-+]?(?:0|[1-9][0-9]*(?:_[0-9]+)*)");
    private static final Pattern DECIMAL =
            Pattern.compile("[-+]?(?=\\.?[0-9])(?:0|[1-9][0-9]*(?:_[0-9]+)*)?(?:\\.[0-9]+)?(?:[eE][-+]?[0-9]{1,2})?");
    private static final Pattern LEADING_ZEROS = Pattern.compile("([-+]?)0+([0-9][0-9_]*)");

    private static final Range<?> ANY = new Range<>(null, null, false, "");

    private final Bindings bindings;
    private final Problems problems;

    Values(Bindings bindings, Problems problems) {
        this.bindings = bindings;
        this.problems = problems;
    }

    /** The value; empty if it is invalid, which is then reported. */
    <V> Optional<V> read(Class<V> type, Place place, Node node) {
        return read(type, ANY, place, node);
    }

    /** The same; the range is for the message if a number is too large to be read. */
    <V> Optional<V> read(Class<V> type, Range<?> range, Place place, Node node) {
        Place here = place.value(node);
        if (node instanceof Scalar refused && refused.kind() == Kind.REFUSED) {
            return Optional.empty();
        }
        if (node instanceof Scalar scalar && scalar.hasValue()) {
            return scalar(type, range, here, scalar).map(type::cast);
        }
        problems.add(here, node.fact(), expected(type));
        return Optional.empty();
    }

    private Optional<?> scalar(Class<?> type, Range<?> range, Place here, Scalar scalar) {
        // Before any pattern is tried: on a long text, some patterns recurse or take long.
        if (hasForm(type) && scalar.text().length() > Bounds.WORD) {
            return refuse(type, here, scalar, Optional.empty());
        } else if (scalar.text().length() > Bounds.TEXT) {
            problems.add(here, is(scalar) + ", which is too long", "at most " + Bounds.TEXT + " characters");
            return Optional.empty();
        }
        if (type == Integer.class) {
            return number(type, range, here, scalar, WHOLE, Integer::valueOf);
        } else if (type == Long.class) {
            return number(type, range, here, scalar, WHOLE, Long::valueOf);
        } else if (type == Double.class) {
            return number(type, range, here, scalar, DECIMAL, Double::valueOf);
        } else if (type == Boolean.class) {
            return truth(here, scalar);
        } else if (type == Duration.class) {
            return duration(range, here, scalar);
        } else if (type == String.class) {
            return Optional.of(scalar.whole());
        } else if (type.isEnum()) {
            return constant(type, here, scalar);
        } else if (type == IntSupplier.class && scalar.kind() == Kind.NUMBER) {
            return number(Integer.class, range, here, scalar, WHOLE, Integer::valueOf)
                    .map(number -> Replicas.of((Integer) number));
        }
        return bound(type, here, scalar);
    }

    /** Whether a value is a word, a number or a time, and not a text or a name. */
    private static boolean hasForm(Class<?> type) {
        return Number.class.isAssignableFrom(type) || type == Boolean.class || type == Duration.class || type.isEnum();
    }

    private Optional<?> number(
            Class<?> type,
            Range<?> range,
            Place here,
            Scalar scalar,
            Pattern form,
            Function<String, ? extends Number> parser) {
        String text = scalar.text();
        if (scalar.kind() == Kind.NUMBER && form.matcher(text).matches()) {
            try {
                return Optional.of(parser.apply(text.replace("_", "")));
            } catch (NumberFormatException e) {
                if (range.least() != null) {
                    problems.add(here, is(scalar), Options.expected(range));
                    return Optional.empty();
                }
                long most = type == Integer.class ? Integer.MAX_VALUE : Long.MAX_VALUE;
                problems.add(here, is(scalar) + ", which is beyond what fits", "a whole number, at most " + most);
                return Optional.empty();
            }
        }
        if (LEADING_ZEROS.matcher(text).matches()) {
            String decimal = LEADING_ZEROS.matcher(text).replaceFirst("$1$2");
            String what = is(scalar) + ", which is octal to some and decimal to others";
            problems.add(here, what, expected(type), Optional.of(decimal));
            return Optional.empty();
        }
        boolean percent = text.endsWith("%");
        String bare = percent ? text.substring(0, text.length() - 1).strip() : text;
        boolean near = scalar.kind() == Kind.TEXT && form.matcher(bare).matches();
        // Some rates are percentages, others shares.
        boolean share = percent && range.most() instanceof Double most && most <= 1;
        return refuse(type, here, scalar, near ? share ? share(bare) : Optional.of(bare) : Optional.empty());
    }

    private static Optional<String> share(String percents) {
        double share = Double.parseDouble(percents.replace("_", "")) / 100;
        return share <= 1 ? Optional.of(Double.toString(share)) : Optional.empty();
    }

    private Optional<?> truth(Place here, Scalar scalar) {
        Kind kind = scalar.kind();
        String meant = kind == Kind.TRUE ? "true" : kind == Kind.FALSE ? "false" : "";
        if (!meant.isEmpty() && scalar.text().equals(meant)) {
            return Optional.of(kind == Kind.TRUE);
        }
        Optional<String> nearest =
                meant.isEmpty() ? Nearest.to(scalar.text(), List.of("true", "false")) : Optional.of(meant);
        return refuse(Boolean.class, here, scalar, nearest);
    }

    private Optional<?> duration(Range<?> range, Place here, Scalar scalar) {
        String text = scalar.text();
        if (scalar.kind() == Kind.NUMBER || WHOLE.matcher(text).matches()) {
            String bare = scalar.described();
            boolean allowed = !text.equals("0") || Options.allows(range, Duration.ZERO);
            String expected = allowed
                    ? bare + "ms, " + bare + "s or another unit (ns, us, ms, s, m, h, d)"
                    : Options.expected(range);
            problems.add(here, is(scalar) + ", which has no unit", expected);
            return Optional.empty();
        }
        if (Durations.isTooLong(text)) {
            String expected = range.least() == null ? "at most 36500d" : Options.expected(range);
            problems.add(here, is(scalar) + ", which is too long", expected);
            return Optional.empty();
        }
        Optional<Duration> value = Durations.parse(text);
        return value.isPresent() ? value : refuse(Duration.class, here, scalar, Durations.nearest(text));
    }

    private Optional<?> constant(Class<?> type, Place here, Scalar scalar) {
        Optional<?> found = constants(type)
                .filter(constant -> word(constant).equals(scalar.text()))
                .findFirst();
        return found.isPresent()
                ? found
                : refuse(
                        type,
                        here,
                        scalar,
                        Nearest.to(
                                scalar.text(), constants(type).map(Values::word).toList()));
    }

    private Optional<?> bound(Class<?> type, Place here, Scalar scalar) {
        String name = scalar.text();
        Optional<Object> found = bindings.find(name);
        if (bindings.isNoName(name)) {
            problems.add(here, is(scalar) + ", which is a bean, and no name that can stand here", Names.EXPECTED);
        } else if (found.isEmpty() && !mayBeBound(type, name)) {
            Set<String> fitting = bindings.names(type);
            String known = bindings.names().isEmpty() && !bindings.hasAny()
                    ? "a name that code binds, and it binds none"
                    : fitting.isEmpty() ? expected(type) : "one of " + String.join(", ", fitting);
            Optional<String> nearest = Names.meant(here, scalar).or(() -> Nearest.to(name, fitting));
            problems.add(here, is(scalar) + ", which is not bound in code", known, nearest);
        } else if (found.isPresent() && !type.isInstance(found.get())) {
            String what = is(scalar) + ", which code binds to a value of type " + Bindings.described(found.get());
            problems.add(here, what, expected(type));
            return Optional.empty();
        }
        return found;
    }

    /** Whether code may bind the name, which the file does not share. One that is nearly a shared one is misspelt. */
    private boolean mayBeBound(Class<?> type, String name) {
        return bindings.hasAny()
                && Names.isName(name)
                && Names.near(name, bindings.names(type)).isEmpty();
    }

    private Optional<?> refuse(Class<?> type, Place here, Scalar scalar, Optional<String> nearest) {
        problems.add(here, is(scalar), expected(type), nearest);
        return Optional.empty();
    }

    /** Calls a quoted number a text, because it would look like a number in the message. */
    private static String is(Scalar scalar) {
        boolean quoted = scalar.kind() == Kind.TEXT
                && scalar.text().length() <= Bounds.WORD
                && (scalar.text().isBlank()
                        || DECIMAL.matcher(scalar.text()).matches()
                        || scalar.text().equals("true")
                        || scalar.text().equals("false"));
        return quoted ? "is the text \"" + scalar.described() + "\"" : "is " + scalar.described();
    }

    private static String expected(Class<?> type) {
        if (type == Integer.class || type == Long.class) {
            return "a whole number";
        } else if (type == Double.class) {
            return "a number";
        } else if (type == Boolean.class) {
            return "true or false";
        } else if (type == Duration.class) {
            return Durations.EXPECTED;
        } else if (type == String.class) {
            return "a text";
        } else if (type.isEnum()) {
            return "one of "
                    + String.join(", ", constants(type).map(Values::word).toList());
        }
        if (type == IntSupplier.class) {
            return "a whole number, or the name of an IntSupplier that code binds";
        }
        return "the name of a " + type.getSimpleName() + " that code binds";
    }

    private static Stream<?> constants(Class<?> type) {
        return Stream.of(type.getEnumConstants());
    }

    private static String word(Object constant) {
        return ((Enum<?>) constant).name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
