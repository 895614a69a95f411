/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.config.Node.Kind;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/** The meaning of a plain scalar in YAML 1.1 or 1.2. */
final class Scalars {
    private static final Map<String, Kind> WORDS = Map.ofEntries(
            Map.entry("", Kind.NOTHING),
            Map.entry("~", Kind.NOTHING),
            Map.entry("null", Kind.NOTHING),
            Map.entry("true", Kind.TRUE),
            Map.entry("yes", Kind.TRUE),
            Map.entry("on", Kind.TRUE),
            Map.entry("false", Kind.FALSE),
            Map.entry("no", Kind.FALSE),
            Map.entry("off", Kind.FALSE));

    /** Any text that is meant as a number; the option checks it. No group is repeated, because that would recurse. */
    private static final Pattern NUMBER =
            Pattern.compile("[-+]?(?=\\.?[0-9])[0-9_]*+(?:\\.[0-9_]*+)?(?:[eE][-+]?[0-9]++)?");

    private Scalars() {}

    static Kind kind(String text) {
        Kind word = text.length() > 5 ? null : WORDS.get(inOneCase(text));
        if (word != null) {
            return word;
        }
        return NUMBER.matcher(text).matches() ? Kind.NUMBER : Kind.TEXT;
    }

    /** YAML knows {@code null}, {@code Null} and {@code NULL}, and not {@code nULL}. */
    private static String inOneCase(String text) {
        if (text.isEmpty()) {
            return text;
        }
        String lower = text.toLowerCase(Locale.ROOT);
        boolean known = text.equals(lower)
                || text.equals(text.toUpperCase(Locale.ROOT))
                || text.equals(text.substring(0, 1).toUpperCase(Locale.ROOT) + lower.substring(1));
        return known ? lower : text;
    }
}
