/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** How text looks: with colours on a terminal, without them elsewhere. */
record Style(boolean terminal) {
    /** With colours if a person is likely to look. From JDK 22 that takes {@code -Djdk.console=java.base} to find out. */
    @SuppressWarnings("SystemConsoleNull")
    static Style detect() {
        String kind = System.getenv("TERM");
        boolean plain = System.getenv("NO_COLOR") != null || kind == null || kind.equals("dumb");
        return new Style(System.console() != null && !plain);
    }

    String bold(String text) {
        return paint("1", text);
    }

    String dim(String text) {
        return paint("2", text);
    }

    String ill(String text) {
        return paint("33", text);
    }

    String good(String text) {
        return paint("32", text);
    }

    String bad(String text) {
        return paint("31;1", text);
    }

    private String paint(String code, String text) {
        return terminal ? "\u001b[" + code + "m" + text + "\u001b[0m" : text;
    }

    /** The text in lines of at most this width. */
    static List<String> wrap(String text, int width) {
        List<String> lines = new ArrayList<>();
        StringBuilder line = new StringBuilder();
        for (String word : text.split(" ", -1)) {
            if (line.length() + word.length() >= width) {
                lines.add(line.toString());
                line.setLength(0);
            }
            line.append(line.isEmpty() ? "" : " ").append(word);
        }
        lines.add(line.toString());
        return lines;
    }

    /** A waiting time, such as {@code 45 ms} or {@code 1.9 s}; a dash for -1. */
    static String millis(long millis) {
        if (millis < 0) {
            return "-";
        }
        return millis < 1000 ? millis + " ms" : String.format(Locale.ROOT, "%.1f s", millis / 1000.0);
    }
}
