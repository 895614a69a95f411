/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName.Form;

/**
 * Names in brackets, such as {@code "[my-shop]"}. To Spring, this is another name than {@code my-shop}. Here they are one, unless other
 * brackets have a name that is alike, such as {@code "[myshop]"}.
 */
final class Brackets {
    /** What needs no brackets. Spring makes an index of digits alone, in both forms. */
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_-]*[A-Za-z][A-Za-z0-9_-]*");

    /** The names in brackets, by their section and what they are without brackets. */
    private final Map<List<String>, Set<String>> all = new HashMap<>();

    void learn(ConfigurationPropertyName name) {
        if (isIn(name)) {
            all.computeIfAbsent(alike(name), any -> new HashSet<>()).add(Spelling.original(name, 2));
        }
    }

    /** The name by which all sources mean the same. */
    ConfigurationPropertyName uniform(ConfigurationPropertyName name) {
        if (!isPlain(name)) {
            return name;
        }
        Set<String> bracketed = all.getOrDefault(alike(name), Set.of());
        String given = Spelling.original(name, 2);
        if (bracketed.size() == 1 && isIn(name)) {
            return withName(name, "." + given);
        }
        return bracketed.size() > 1 && bracketed.contains(given) ? withName(name, "[" + given + "]") : name;
    }

    private static boolean isPlain(ConfigurationPropertyName name) {
        return name.getNumberOfElements() > 2
                && Spelling.isGiven(name, 2)
                && PLAIN.matcher(Spelling.original(name, 2)).matches();
    }

    private static boolean isIn(ConfigurationPropertyName name) {
        return isPlain(name) && name.chop(3).isLastElementIndexed();
    }

    private static List<String> alike(ConfigurationPropertyName name) {
        ConfigurationPropertyName plain = withName(name, "." + Spelling.original(name, 2));
        return List.of(plain.getElement(1, Form.UNIFORM), plain.getElement(2, Form.UNIFORM));
    }

    private static ConfigurationPropertyName withName(ConfigurationPropertyName name, String given) {
        return ConfigurationPropertyName.adapt(name.chop(2) + given, '.').append(name.subName(3));
    }
}
