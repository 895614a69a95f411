/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config.internal.migrate;

import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The settings of a file, or of a part of it between two lines with {@code ---}, by their whole names. */
final class Document {
    private static final Pattern ELEMENT = Pattern.compile("\\[([^\\]]*+)\\]|([^.\\[]++)");
    private static final Pattern INDEXED = Pattern.compile("(.+)\\[[0-9]{1,4}\\]", Pattern.DOTALL);
    private static final Map<String, String> CONDITIONS = Map.of(
            "spring.profiles", "profile",
            "spring.config.activate.onprofile", "profile",
            "spring.config.activate.oncloudplatform", "cloud platform");
    private static final int LONGEST_LIST = 2_000;
    private static final int LONGEST_NAME = 1_000;
    private static final int VALUES = 50_000;
    private static final int DEPTH = 30;
    private static final int ITEMS = 100;

    private final String file;
    private final Map<String, String> values = new LinkedHashMap<>();
    /** How each list is spelled where it is first named. */
    private final Map<String, String> lists = new HashMap<>();

    private int steps;

    Document(String file) {
        this.file = file;
    }

    String file() {
        return file;
    }

    Map<String, String> values() {
        return values;
    }

    /** What belongs to a list is joined. */
    void put(String name, String value) {
        Matcher indexed = INDEXED.matcher(name);
        if (indexed.matches()) {
            String list = indexed.group(1);
            values.merge(
                    lists.computeIfAbsent(Source.key(list), key -> list),
                    value.strip(),
                    (before, next) -> before.length() > LONGEST_LIST ? before : before + ", " + next);
        } else {
            values.put(name, value.strip());
        }
    }

    /** Flattens what YAML has, as Spring does. */
    void flatten(String name, @Nullable Object value, int depth) {
        if (++steps > VALUES || depth > DEPTH || name.length() > LONGEST_NAME) {
            throw new Unreadable(file, "has too many values, levels or too long names, with what aliases repeat");
        }
        if (value instanceof Map<?, ?> mapping && !mapping.isEmpty()) {
            mapping.forEach((key, inner) -> {
                String child = key instanceof Collection || key instanceof Map ? "" : String.valueOf(key);
                String dot = name.isEmpty() || child.startsWith("[") ? "" : ".";
                flatten(name + dot + child, inner, depth + 1);
            });
        } else if (value instanceof List<?> list && !list.isEmpty()) {
            for (int i = 0; i < Math.min(ITEMS, list.size()); i++) {
                flatten(name + "[" + i + "]", list.get(i), depth + 1);
            }
        } else {
            put(name, value == null || value instanceof Map || value instanceof Collection ? "" : value.toString());
        }
    }

    /** The profiles and the cloud platform for which Spring uses this part; empty if it always does. */
    String condition() {
        return values.entrySet().stream()
                .filter(value -> !value.getValue().isEmpty())
                .flatMap(value -> Optional.ofNullable(CONDITIONS.get(Text.canonical(value.getKey()))).stream()
                        .map(what -> what + " " + value.getValue()))
                .collect(Collectors.joining(" and "));
    }

    static boolean isOfResilience4j(String name) {
        return Text.canonical(name).startsWith("resilience4j.");
    }

    /** The elements of a name: {@code a.[b.c].d} has three. */
    static List<String> elements(String name) {
        return ELEMENT.matcher(name)
                .results()
                .map(element -> element.group(1) != null ? element.group(1) : element.group(2))
                .toList();
    }
}
