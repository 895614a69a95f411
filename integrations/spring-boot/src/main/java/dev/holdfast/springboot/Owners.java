/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;

/**
 * Which source says what. Two sources never make one list. Where one has a value and the other something below it, such as {@code
 * classifier: strict} and {@code classifier.ignored}, the first source wins as a whole; {@link Shorthands} come before. In one source
 * both are a mistake.
 */
final class Owners {
    private final Map<ConfigurationPropertyName, ConfigurationPropertySource> lists = new HashMap<>();
    private final Map<ConfigurationPropertyName, ConfigurationPropertySource> values = new HashMap<>();
    private final Map<ConfigurationPropertyName, ConfigurationPropertySource> parents = new HashMap<>();

    boolean allow(Found one) {
        ConfigurationPropertyName name = one.name();
        if (isOfAnother(parents.get(name), one) || isOfAnother(values.get(name), one)) {
            return false;
        }
        for (int i = 2; i < name.getNumberOfElements(); i++) {
            ConfigurationPropertyName above = name.chop(i);
            if (isOfAnother(values.get(above), one)
                    || (Spelling.isIndex(name, i) && isOfAnother(lists.get(above), one))) {
                return false;
            }
        }
        return true;
    }

    private static boolean isOfAnother(@Nullable ConfigurationPropertySource owner, Found one) {
        return owner != null && owner != one.source();
    }

    /**
     * Spring makes a blank value of a key without a value, and of an empty list.
     *
     * @param isNothing for the former: it hides nothing
     */
    void note(Found one, boolean isNothing) {
        ConfigurationPropertyName name = one.name();
        if (!isNothing) {
            values.put(name, one.source());
        }
        for (int i = 1; i < name.getNumberOfElements(); i++) {
            parents.putIfAbsent(name.chop(i), one.source());
            if (Spelling.isIndex(name, i)) {
                lists.putIfAbsent(name.chop(i), one.source());
            }
        }
    }
}
