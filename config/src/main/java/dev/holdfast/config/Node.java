/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import java.util.List;

/** A part of a YAML document that knows where it stands. Immutable; an alias is the very node of its anchor. */
sealed interface Node {
    Location at();

    /** What it is, for a message: {@code 5s}, {@code a list}. */
    String described();

    /** Whether the value was left out, or is an explicit null. */
    default boolean isNothing() {
        return false;
    }

    /** What a plain scalar means to YAML. Quoted ones are always text. */
    enum Kind {
        NOTHING,
        NUMBER,
        TRUE,
        FALSE,
        TEXT
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
     * @param entries in the order of the file; a key may be there twice, which has been reported then
     */
    record Mapping(Location at, List<Entry> entries) implements Node {
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
