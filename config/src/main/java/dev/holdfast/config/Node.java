/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.internal.Shown;
import java.util.List;
import java.util.Optional;

/** A part of a YAML document, with its position. Immutable. An alias is the same node as its anchor. */
sealed interface Node {
    Location at();

    /** The node in words, for a message: {@code 5s}, {@code a list}. */
    String described();

    /** Whether the value was left out, or is an explicit null. */
    default boolean isNothing() {
        return false;
    }

    /** The meaning of a plain scalar in YAML. Quoted ones are always text. */
    enum Kind {
        NOTHING,
        NUMBER,
        TRUE,
        FALSE,
        TEXT,
        /** What stands there was reported already. */
        REFUSED
    }

    /**
     * A single value.
     *
     * @param text as it stands in the file, without quotes
     */
    record Scalar(Location at, Kind kind, String text) implements Node {
        private static final int LONGEST = 60;

        @Override
        public boolean isNothing() {
            return kind == Kind.NOTHING;
        }

        @Override
        public String described() {
            return Shown.words(text, LONGEST);
        }
    }

    /**
     * Keys and values.
     *
     * @param entries in the order of the file; a key may be there twice, which is then reported
     */
    record Mapping(Location at, List<Entry> entries) implements Node {
        /** The first entry with this key. */
        Optional<Entry> find(String key) {
            return entries.stream().filter(entry -> entry.key().equals(key)).findFirst();
        }

        @Override
        public String described() {
            return "a mapping";
        }
    }

    /** A list. */
    record Sequence(Location at, List<Node> items) implements Node {
        @Override
        public String described() {
            return "a list";
        }
    }

    /**
     * A key and its value.
     *
     * @param at where the key stands
     */
    record Entry(Location at, String key, Node value) {}
}
