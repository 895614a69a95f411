/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.config.Node.Entry;
import dev.holdfast.config.Node.Mapping;
import dev.holdfast.config.Node.Scalar;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** Names with a dot, which properties split: {@code shop.v2} is then a pipeline {@code shop} with a section {@code v2}. */
final class SplitNames {
    private static final List<String> NAMED = List.of("pipelines", "templates", "shared");

    private SplitNames() {}

    /**
     * The whole name of which an unknown section is probably the end; empty if there are no sections below it, or it comes from a file.
     *
     * @param isKey whether it may stand below a name
     */
    static Optional<String> whole(Place place, Node section, Predicate<String> isKey) {
        Place named = place.parent();
        if (named == null
                || named.parent() == null
                || !NAMED.contains(named.parent().key())) {
            return Optional.empty();
        }
        StringBuilder name = new StringBuilder(named.key()).append('.').append(place.key());
        Node below = section;
        while (below instanceof Mapping mapping && mapping.entries().size() == 1) {
            Entry only = mapping.entries().get(0);
            if (isKey.test(only.key())) {
                break;
            }
            name.append('.').append(only.key());
            below = only.value();
        }
        boolean hasSections = below instanceof Mapping mapping
                && mapping.entries().stream().anyMatch(entry -> isKey.test(entry.key()));
        return hasSections && isOfProperties(below) ? Optional.of(name.toString()) : Optional.empty();
    }

    private static boolean isOfProperties(Node node) {
        return node instanceof Mapping mapping
                ? mapping.entries().stream().anyMatch(entry -> isOfProperties(entry.value()))
                : node.items().stream().anyMatch(item -> item instanceof Scalar scalar && scalar.isOutside());
    }
}
