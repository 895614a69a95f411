/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.spi.InvalidSettingsException;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * One policy's section of the file, read into the builder of its settings.
 *
 * @param <B> the builder
 */
final class Section<B> {
    private final PolicyFactory<B> factory;
    private final B builder;
    private final Place place;
    private final Map<String, Place> given = new HashMap<>();
    private final Set<String> refused = new HashSet<>();

    Section(PolicyFactory<B> factory, Place place) {
        this.factory = factory;
        this.builder = factory.builder();
        this.place = place;
    }

    PolicyFactory<B> factory() {
        return factory;
    }

    B builder() {
        return builder;
    }

    Place place() {
        return place;
    }

    /** The file gives this option, or this mapping of options, here. */
    void given(String option, Place where) {
        given.put(option, where);
    }

    /** The value that the file gives was no value: the settings do not have it, and are not asked about it. */
    void refused(String option) {
        refused.add(option);
    }

    /**
     * Asks the settings whether they can be, without making a policy. By the convention of the settings all checks stand in
     * the builder's {@code build()}; a builder that has none is checked when its policy is made.
     */
    void check(Problems problems) {
        try {
            Method build = builder.getClass().getMethod("build");
            if (build.trySetAccessible()) {
                build.invoke(builder);
            }
        } catch (NoSuchMethodException | IllegalAccessException e) {
            return;
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof IllegalArgumentException invalid) {
                report(invalid, problems);
                return;
            }
            // Without a value that was refused, a builder may well trip over its absence.
            if (refused.isEmpty()) {
                throw new IllegalStateException(
                        "the settings of " + factory.key() + " cannot be checked", e.getCause());
            }
        }
    }

    /** Makes the policy; empty if its settings cannot be, which has been reported then. */
    Optional<Policy> create(Problems problems) {
        try {
            return Optional.of(factory.create(builder));
        } catch (IllegalArgumentException e) {
            report(e, problems);
            return Optional.empty();
        }
    }

    void report(IllegalArgumentException e, Problems problems) {
        if (e instanceof InvalidSettingsException settings) {
            settings.problems().forEach(problem -> report(problem, problems));
        } else if (refused.isEmpty()) {
            problems.add(place, String.valueOf(e.getMessage()));
        }
    }

    private void report(InvalidSettingsException.Problem problem, Problems problems) {
        String option = hyphenated(problem.option());
        Place where = given.get(option);
        if (where != null) {
            problems.add(where, "is " + problem.value(), problem.expected());
        } else if (refused.isEmpty()) {
            // With a refused value the default stands, and what does not fit to the default is nobody's mistake.
            problems.add(place, option + " is " + problem.value(), problem.expected());
        }
    }

    /** The name in the file of a builder's method: {@code backoff.maxDelay} is {@code backoff.max-delay}. */
    private static String hyphenated(String method) {
        return method.replaceAll("(?<=[a-z0-9])(?=[A-Z])", "-").toLowerCase(Locale.ROOT);
    }
}
