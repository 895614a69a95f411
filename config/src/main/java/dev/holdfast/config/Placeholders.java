/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.config.Node.Kind;
import dev.holdfast.internal.Shown;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Puts values into a text: {@code ${NAME}}, or {@code ${NAME:default}} if there may be none. Two dollars in place of one keep
 * the text as it stands. What is put in is not looked at again.
 */
final class Placeholders {
    private static final Pattern ANY = Pattern.compile("\\$(\\$?)\\{([^}:]*)(?::([^}]*))?(\\}?)");
    private static final Pattern NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_.-]*");

    private final Function<String, @Nullable String> variables;

    /** What names stand for; null for one that stands for nothing. */
    Placeholders(Function<String, @Nullable String> variables) {
        this.variables = variables;
    }

    /** A value that is only one placeholder is what it stands for, in quotes or without: a number, a time, a word. */
    Node.Scalar resolve(Node.Scalar written, boolean plain, Place place, Problems problems) {
        String text = written.text();
        if (text.length() > Bounds.TEXT || !text.contains("${")) {
            return written;
        }
        StringBuilder resolved = new StringBuilder();
        Matcher matcher = ANY.matcher(text);
        boolean alone = false;
        boolean refused = false;
        while (matcher.find()) {
            boolean escaped = !matcher.group(1).isEmpty();
            alone |= !escaped && matcher.start() == 0 && matcher.end() == text.length();
            Optional<String> value =
                    escaped ? Optional.of(matcher.group().substring(1)) : value(matcher, place, problems);
            refused |= value.isEmpty();
            matcher.appendReplacement(resolved, Matcher.quoteReplacement(value.orElse("")));
        }
        matcher.appendTail(resolved);
        String value = resolved.toString();
        Kind kind = refused ? Kind.REFUSED : plain || alone ? Scalars.kind(value) : Kind.TEXT;
        return kind == Kind.NOTHING
                ? Node.Scalar.empty(written.at(), text, value, alone)
                : new Node.Scalar(written.at(), kind, value, alone);
    }

    private Optional<String> value(Matcher placeholder, Place place, Problems problems) {
        String name = placeholder.group(2);
        if (placeholder.group(4).isEmpty() || !NAME.matcher(name).matches()) {
            String shown = Shown.line(placeholder.group(), Bounds.WORD);
            problems.add(
                    place, "has " + shown + ", which is no placeholder", "${NAME} or ${NAME:default}; $${ for a ${");
            return Optional.empty();
        }
        String found = variables.apply(name);
        String value = found == null ? placeholder.group(3) : found;
        if (value == null) {
            problems.add(
                    place,
                    "needs " + name + ", which is not set",
                    "${" + name + ":default} for one that may be missing");
        }
        return Optional.ofNullable(value);
    }
}
