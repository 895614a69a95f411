/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.config.Node.Entry;
import dev.holdfast.config.Node.Mapping;
import dev.holdfast.config.Node.Scalar;
import java.util.List;
import java.util.Optional;

/**
 * A section of a policy, and what it says of shadow.
 *
 * @param options the section without that
 * @param mode whether the policy is active or in shadow
 * @param second other options, for a second policy in shadow
 */
record ShadowSection(Node options, Optional<Entry> mode, Optional<Entry> second) {
    /** In a section: whether its policy is active. */
    static final String MODE = "mode";
    /** In a section: options of a second policy. */
    static final String SECOND = "shadow";

    /** What {@link #MODE} may be. */
    enum Mode {
        ACTIVE,
        SHADOW
    }

    static ShadowSection of(Node section) {
        if (!(section instanceof Mapping mapping)) {
            return new ShadowSection(section, Optional.empty(), Optional.empty());
        }
        List<Entry> options = mapping.entries().stream()
                .filter(entry -> !entry.key().equals(MODE) && !entry.key().equals(SECOND))
                .toList();
        return new ShadowSection(new Mapping(mapping.at(), options), mapping.find(MODE), mapping.find(SECOND));
    }

    /** {@code timeout: 1s} as {@code timeout: { limit: 1s }}. */
    static Node normal(Node section, Optional<String> shorthand) {
        return section instanceof Scalar && !section.isNothing() && shorthand.isPresent()
                ? new Mapping(section.at(), List.of(new Entry(section.at(), shorthand.get(), section)))
                : section;
    }
}
