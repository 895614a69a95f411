/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** Writes maps, lists, texts, times, numbers and truth values as JSON, a key or an item in each line. */
public final class Json {
    private final StringBuilder text = new StringBuilder();

    private Json() {}

    /** The JSON of a value, with a line break at the end. */
    public static String text(Object value) {
        Json json = new Json();
        json.value(value, 0);
        return json.text.append('\n').toString();
    }

    private void value(Object value, int depth) {
        if (value instanceof Map<?, ?> map) {
            block('{', map.entrySet().iterator(), '}', depth);
        } else if (value instanceof List<?> list) {
            block('[', list.iterator(), ']', depth);
        } else if (value instanceof Number number && !Double.isFinite(number.doubleValue())) {
            text.append("null"); // JSON has no word for it
        } else if (value instanceof Number || value instanceof Boolean) {
            text.append(value);
        } else {
            quoted(value instanceof Duration time ? Checks.text(time) : String.valueOf(value));
        }
    }

    private void block(char opening, Iterator<?> items, char closing, int depth) {
        text.append(opening);
        boolean any = items.hasNext();
        while (items.hasNext()) {
            line(depth + 1);
            Object item = items.next();
            if (item instanceof Map.Entry<?, ?> entry) {
                quoted(String.valueOf(entry.getKey()));
                text.append(": ");
                value(entry.getValue(), depth + 1);
            } else {
                value(item, depth + 1);
            }
            if (items.hasNext()) {
                text.append(',');
            }
        }
        if (any) {
            line(depth);
        }
        text.append(closing);
    }

    private void line(int depth) {
        text.append('\n').append("  ".repeat(depth));
    }

    private void quoted(String raw) {
        text.append('"');
        for (int i = 0; i < raw.length(); i++) {
            char c = raw.charAt(i);
            if (c == '"' || c == '\\') {
                text.append('\\').append(c);
            } else if (c < ' ' || isAlone(raw, i)) {
                text.append(String.format("\\u%04x", (int) c));
            } else {
                text.append(c);
            }
        }
        text.append('"');
    }

    /** Whether this is half a character: no encoding has bytes for it. */
    private static boolean isAlone(String raw, int i) {
        char c = raw.charAt(i);
        if (Character.isHighSurrogate(c)) {
            return i + 1 == raw.length() || !Character.isLowSurrogate(raw.charAt(i + 1));
        }
        return Character.isLowSurrogate(c) && (i == 0 || !Character.isHighSurrogate(raw.charAt(i - 1)));
    }
}
