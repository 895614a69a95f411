/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

/**
 * What a problem is about.
 *
 * @param at where it stands
 * @param path the keys that lead to it, with dots between: {@code pipelines.inventory.retry}; empty for the whole document
 */
record Place(Location at, String path) {

    /** The entry of a mapping that stands here, by its key. */
    Place child(Node.Entry entry) {
        return new Place(entry.at(), path.isEmpty() ? entry.key() : path + "." + entry.key());
    }

    /** The same thing, by its value: a value that is left out stands nowhere, so the key stays. */
    Place value(Node node) {
        return node.isNothing() ? this : new Place(node.at(), path);
    }
}
