/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.internal.Shown;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** A part of a YAML document, with its position. Immutable. An alias is the same node as its anchor. */
sealed interface Node {
    Location at();

    /** The node in words, for a message: {@code 5s}, {@code a list}. */
    String described();

    /** What stands there, for a message: {@code is 5s}, {@code has no value}. */
    default String fact() {
        return isNothing() ? "has no value" : "is " + described();
    }

    /** Where a list may stand: what is in it, or this alone. */
    default List<Node> items() {
        return List.of(this);
    }

    /** Whether it is a list, of whatever length. */
    default boolean isList() {
        return false;
    }

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
        /**
         * A placeholder that stands for an empty text or for null. The empty text is an empty list where a list may stand; all else is
         * wrong.
         */
        EMPTY,
        /** What stands there was reported already. */
        REFUSED
    }

    /**
     * A single value.
     *
     * @param text as it stands in the file, without quotes; of {@link Kind#EMPTY}, why there is nothing
     * @param isOutside whether it comes from where there are no lists: a variable or a property. Commas make one there, and an
     *     empty text is an empty one
     * @param whole the text with the blanks around it, which belong to an option that is a text. Only a property has such
     */
    record Scalar(Location at, Kind kind, String text, boolean isOutside, String whole) implements Node {
        private static final int LONGEST = 60;

        Scalar(Location at, Kind kind, String text) {
            this(at, kind, text, false);
        }

        Scalar(Location at, Kind kind, String text, boolean isOutside) {
            this(at, kind, text, isOutside, text);
        }

        /** What stands there as a placeholder, and is nothing. */
        static Scalar empty(Location at, String written, String value, boolean isOutside) {
            String why = Shown.line(written, LONGEST) + " is " + (value.isEmpty() ? "empty" : value);
            return new Scalar(at, Kind.EMPTY, why, isOutside && value.isEmpty());
        }

        @Override
        public boolean isList() {
            boolean hasCommas = kind == Kind.TEXT && text.length() <= Bounds.TEXT && text.indexOf(',') >= 0;
            return isOutside && (hasNoText() || hasCommas);
        }

        @Override
        public List<Node> items() {
            return isList() ? split() : List.of(this);
        }

        /** Whether there is a text, though it may be empty. */
        boolean hasValue() {
            return kind != Kind.NOTHING && kind != Kind.EMPTY;
        }

        private boolean hasNoText() {
            return kind == Kind.EMPTY || text.isEmpty();
        }

        private List<Node> split() {
            return Stream.of(hasNoText() ? new String[0] : text.split(",", -1))
                    .map(String::strip)
                    .<Node>map(item -> new Scalar(at, Scalars.kind(item), item))
                    .toList();
        }

        @Override
        public boolean isNothing() {
            return kind == Kind.NOTHING;
        }

        @Override
        public String described() {
            if (kind == Kind.EMPTY) {
                return "nothing, since " + text;
            }
            boolean isBare =
                    text.isBlank() || text.equals(text.strip()) || text.strip().contains("\n");
            return isBare ? Shown.words(text, LONGEST) : '"' + Shown.line(text, LONGEST) + '"';
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
        public boolean isList() {
            return true;
        }

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
