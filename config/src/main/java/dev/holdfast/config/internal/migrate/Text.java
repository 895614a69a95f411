/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config.internal.migrate;

import java.math.BigDecimal;
import java.util.Locale;
import org.yaml.snakeyaml.reader.StreamReader;

/** How names are compared, and how texts of a file are shown. */
final class Text {
    private static final int LONGEST = 200;

    private Text() {}

    /** The form in which Spring compares names: {@code max-attempts}, {@code maxAttempts} and {@code MAX_ATTEMPTS} are one. */
    static String canonical(String name) {
        return name.replaceAll("[-_]", "").toLowerCase(Locale.ROOT);
    }

    /** One line of visible characters, of a text that may come from anyone. */
    static String shown(String text) {
        StringBuilder line = new StringBuilder();
        text.codePoints().limit(LONGEST).forEach(c -> line.appendCodePoint(isVisible(c) ? c : '?'));
        return text.codePointCount(0, text.length()) > LONGEST
                ? line.append('…').toString()
                : line.toString();
    }

    /** The name as a key of YAML. */
    static String key(String name) {
        return name.matches("[A-Za-z][A-Za-z0-9_-]*+")
                ? name
                : '"' + name.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    static boolean isVisible(String text) {
        return text.codePoints().allMatch(Text::isVisible);
    }

    private static boolean isVisible(int c) {
        return StreamReader.isPrintable(c)
                && switch (Character.getType(c)) {
                    case Character.CONTROL,
                            Character.FORMAT,
                            Character.LINE_SEPARATOR,
                            Character.PARAGRAPH_SEPARATOR,
                            Character.SURROGATE -> false;
                    default -> true;
                };
    }

    /** A number without needless zeros. */
    static String number(BigDecimal value) {
        return value.signum() == 0 ? "0" : value.stripTrailingZeros().toPlainString();
    }
}
