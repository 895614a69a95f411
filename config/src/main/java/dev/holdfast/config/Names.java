/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import dev.holdfast.internal.Nearest;
import java.util.Collection;
import java.util.Optional;
import java.util.regex.Pattern;

/** What a name may be that code binds, or that stands below {@code shared}. Names of beans are among them. */
final class Names {
    static final String EXPECTED =
            "a letter or _, then letters, digits and . _ - $ # / :, and no word such as true or null";

    /** Without anchors. Java and JSON Schema understand it. */
    static final String FORM =
            "(?!(?:[Tt]rue|TRUE|[Ff]alse|FALSE|[Yy]es|YES|[Nn]o|NO|[Oo]n|ON|[Oo]ff|OFF|[Nn]ull|NULL)$)"
                    + "[A-Za-z_\\u00C0-\\u00D6\\u00D8-\\u00F6\\u00F8-\\u1FFF\\u2C00-\\u2FFF\\u3001-\\uD7FF]"
                    + "[A-Za-z0-9_\\u00C0-\\u00D6\\u00D8-\\u00F6\\u00F8-\\u1FFF\\u2C00-\\u2FFF\\u3001-\\uD7FF.$#/:-]*";

    private static final int SHORT = 3;

    private static final Pattern NAME = Pattern.compile(FORM);

    private Names() {}

    static boolean isName(String text) {
        return text.length() <= Bounds.TEXT && NAME.matcher(text).matches();
    }

    /**
     * The known name that was probably meant by an unknown one. Names that differ in their digits alone are two, and so are short
     * ones: each of them is near to any other.
     */
    static Optional<String> near(String name, Collection<String> known) {
        return Nearest.to(name, known)
                .filter(near -> name.length() > SHORT)
                .filter(near -> !near.replaceAll("[0-9]", "").equals(name.replaceAll("[0-9]", "")));
    }

    /** What a number or a time was meant for, where the name of a function was expected. */
    static Optional<String> meant(Place place, Node.Scalar value) {
        boolean number = value.kind() == Node.Kind.NUMBER;
        if (!number && Durations.parse(value.text()).isEmpty()) {
            return Optional.empty();
        }
        String text = value.described();
        String section = place.parent() == null ? "" : place.parent().key();
        return Optional.ofNullable(
                switch (place.key()) {
                    case "interval" ->
                        section.equals("retry") && !text.contains(".")
                                ? "backoff: { initial: " + text + (number ? "ms }" : " }")
                                : null;
                    case "error", "result" -> section.equals("chaos") && number ? place.key() + "-rate: " + text : null;
                    case "fallback" -> "fallback: { value: " + text + " }";
                    case "classifier" -> number ? "classifier: { failures: " + text + " }" : null;
                    default -> null;
                });
    }
}
