/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.internal.Shown;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * The part of the file that a problem is about.
 *
 * @param at where it stands
 * @param parent the part around it; null for the whole document
 * @param key its key in the parent
 */
record Place(Location at, @Nullable Place parent, String key) {
    private static final int LONGEST_KEY = 60;

    /** The whole document, which begins here. */
    static Place document(Location at) {
        return new Place(at, null, "");
    }

    /** The entry of a mapping that stands here, by its key. */
    Place child(Node.Entry entry) {
        return child(entry.at(), entry.key());
    }

    Place child(Location keyAt, String name) {
        return new Place(keyAt, this, name);
    }

    /** The same part, at its value. A value that is left out has no position, so the key's position stays. */
    Place value(Node node) {
        return node.isNothing() ? this : at(node.at());
    }

    /** The same part, at another position. */
    Place at(Location where) {
        return new Place(where, parent, key);
    }

    /** The keys that lead to it, with dots between: {@code pipelines.inventory.retry}; empty for the whole document. */
    String path() {
        Deque<String> keys = new ArrayDeque<>();
        // Made only for a problem: the paths of a good file would cost more than reading it.
        for (Place place = this; place.parent != null; place = place.parent) {
            keys.addFirst(Shown.line(place.key, LONGEST_KEY));
        }
        return String.join(".", keys);
    }
}
