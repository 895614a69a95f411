/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

/** Makes one line of visible characters of a text that may come from anywhere, so that no text forges a line of a log. */
public final class Shown {
    private Shown() {}

    /** The text, with its hidden characters escaped. A long one ends in an ellipsis after {@code most} characters. */
    public static String line(String text, int most) {
        StringBuilder line = new StringBuilder();
        int shown = 0;
        for (int i = 0; i < text.length(); shown++) {
            if (shown == most) {
                return line.append('…').toString();
            }
            int character = text.codePointAt(i);
            append(line, character);
            i += Character.charCount(character);
        }
        return line.toString();
    }

    /** The same for a value. Blanks between its words become one, because a message needs only the words. */
    public static String words(String text, int most) {
        // A short beginning is enough, however long the text is.
        String begin = text.strip();
        begin = begin.substring(0, Math.min(begin.length(), 10 * most));
        return line(begin.replaceAll("\\s+", " "), most);
    }

    /** Whether all characters are visible. Blanks count as visible. */
    public static boolean isVisible(String text) {
        return text.codePoints().noneMatch(Shown::isHidden);
    }

    private static void append(StringBuilder line, int character) {
        if (!isHidden(character)) {
            line.appendCodePoint(character);
            return;
        }
        switch (character) {
            case '\n' -> line.append("\\n");
            case '\r' -> line.append("\\r");
            case '\t' -> line.append("\\t");
            default -> line.append(String.format(character > 0xFFFF ? "\\U%08x" : "\\u%04x", character));
        }
    }

    /** Controls, line breaks of any kind, and characters that turn the text around or have no width. */
    private static boolean isHidden(int character) {
        return switch (Character.getType(character)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SURROGATE -> true;
            default -> false;
        };
    }
}
