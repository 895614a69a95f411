/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.internal.Interrupts;
import dev.holdfast.internal.Options;
import dev.holdfast.spi.InvalidSettingsException;
import dev.holdfast.spi.PolicyFactory.Option;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One policy's section of the file, read into the builder of its settings.
 *
 * @param <B> the builder
 */
final class Section<B> {
    /** A builder's method of several words, in the sentence about an option. */
    private static final Pattern METHOD = Pattern.compile("\\b[a-z]+(?:[A-Z][a-z]+)+\\b");

    private final Form<B> form;
    private final B builder;
    private final Place place;
    private final Map<String, Place> given = new HashMap<>();
    private final Map<String, String> written = new HashMap<>();
    private final Set<String> refused = new HashSet<>();
    private final Set<String> reported = new HashSet<>();

    Section(Form<B> form, Place place) {
        this.form = form;
        this.builder = form.builder().get();
        this.place = place;
    }

    B builder() {
        return builder;
    }

    /** Notes where the file gives this option, or this mapping of options. */
    void given(String option, Place where) {
        given.put(option, where);
    }

    /** Notes where the file gives this option, and what stands there. */
    void given(String option, Place where, Node node) {
        given(option, where);
        if (node instanceof Node.Scalar) {
            written.put(option, node.described());
        }
    }

    /** Notes that the file's value was refused: the settings do not have it, and are not asked about it. */
    void refused(String option) {
        refused.add(option);
    }

    /** The values of all options, by their names. */
    Map<String, Object> values() {
        Map<String, Object> values = new LinkedHashMap<>();
        form.options().forEach(option -> option.value(builder).ifPresent(value -> values.put(option.name(), value)));
        return values;
    }

    /** Looks at the range of each option alone. */
    void checkRanges(Problems problems) {
        try {
            new Options<>(form.key(), form.builder(), form.options())
                    .check(builder)
                    .done();
        } catch (InvalidSettingsException outOfRange) {
            report(outOfRange, problems);
        }
    }

    /**
     * Checks the settings without making a policy: their builder's {@code build()} has all checks. For a builder without this
     * method, a policy is made and dropped; it is only an object.
     */
    void check(Function<? super B, ?> maker, Problems problems) {
        try {
            Optional<Method> build = buildMethod();
            if (build.isEmpty()) {
                make(maker, problems);
            } else if (build.get().trySetAccessible()) {
                build.get().invoke(builder);
            } else {
                Class<?> closed = builder.getClass();
                problems.add(
                        place,
                        "cannot be checked: build() of " + closed.getName() + " cannot be called; " + closed.getModule()
                                + " must open its package to dev.holdfast.config");
            }
        } catch (InvocationTargetException e) {
            checked(e.getCause(), problems);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException("the settings of " + form.key() + " cannot be checked", e);
        }
    }

    private Optional<Method> buildMethod() {
        try {
            return Optional.of(builder.getClass().getMethod("build"));
        } catch (NoSuchMethodException e) {
            return Optional.empty();
        }
    }

    private void checked(@Nullable Throwable thrown, Problems problems) {
        if (thrown != null && isProblem(thrown)) {
            report(thrown, problems);
        } else if (refused.isEmpty()) {
            throw new IllegalStateException("the settings of " + form.key() + " cannot be checked", thrown);
        }
        // Else a refused value is missing, and the builder may have failed for that reason.
    }

    /** Makes something of the builder; empty if its settings are invalid, which is then reported. */
    <T> Optional<T> make(Function<? super B, ? extends T> maker, Problems problems) {
        try {
            return Optional.of(maker.apply(builder));
        } catch (Throwable e) {
            if (!isProblem(e)) {
                throw e;
            }
            Interrupts.keep(e);
            report(e, problems);
            return Optional.empty();
        }
    }

    /** Whether this is said of the section. An error of the virtual machine is no problem of the section. */
    private static boolean isProblem(Throwable thrown) {
        return thrown instanceof Exception || thrown instanceof LinkageError;
    }

    private void report(Throwable e, Problems problems) {
        if (e instanceof InvalidSettingsException settings) {
            settings.problems().forEach(problem -> report(problem, problems));
        } else if (refused.isEmpty()) {
            // Whose code it is, nobody knows: only an IllegalArgumentException is meant to be read without its type.
            boolean isMeant = e.getClass() == IllegalArgumentException.class;
            problems.add(place, isMeant ? String.valueOf(e.getMessage()) : e.toString());
        }
    }

    private void report(InvalidSettingsException.Problem problem, Problems problems) {
        String option = inFile(optionOf(problem.option()));
        if (!reported.add(option)) {
            return; // the range of the option, and the builder, say the same
        }
        Place where = given.get(option);
        String expected = inFile(problem.expected());
        if (where != null) {
            String told = expected + unit(option, expected);
            problems.add(where, "is " + written.getOrDefault(option, problem.value()), told);
        } else if (refused.isEmpty()) {
            // A refused value has its default. A value that does not fit this default is no mistake of the file.
            problems.add(place, option + " is " + problem.value(), expected);
        }
    }

    /** The range of an option in percent has its unit, because 0.5 is then meant as a share. */
    private String unit(String name, String expected) {
        boolean percent = form.options().stream()
                .filter(option -> option.name().equals(name) && option.type() == Double.class)
                .filter(option -> expected.equals(Options.expected(option.range())))
                .anyMatch(option -> option.meaning().contains("percent"));
        return percent ? " percent" : "";
    }

    /** A text that names builder's methods, with the options in place of them. */
    private String inFile(String text) {
        return METHOD.matcher(text).replaceAll(method -> optionOf(method.group()));
    }

    /** The option that a builder's method is for: {@code initialBackoff} is {@code backoff.initial}. */
    private String optionOf(String method) {
        return form.options().stream()
                .filter(option -> option.inCode().equals(method))
                .map(Option::name)
                .findFirst()
                .orElse(method);
    }
}
