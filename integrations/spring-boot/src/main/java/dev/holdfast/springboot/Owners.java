/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;

/** Which source says what. Two sources never make one list, also where one of them writes it as a value. */
final class Owners {
    private final Map<ConfigurationPropertyName, ConfigurationPropertySource> lists = new HashMap<>();
    private final Map<ConfigurationPropertyName, ConfigurationPropertySource> values = new HashMap<>();

    /** Whether no higher source says the same. */
    boolean allow(Found one) {
        ConfigurationPropertyName name = one.name();
        if (isOfAnother(values.get(name), one) || isOfAnother(lists.get(name), one)) {
            return false;
        }
        for (int i = 2; i < name.getNumberOfElements(); i++) {
            ConfigurationPropertyName above = name.chop(i);
            if (Spelling.isIndex(name, i)
                    && (isOfAnother(values.get(above), one) || isOfAnother(lists.get(above), one))) {
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
            if (Spelling.isIndex(name, i)) {
                lists.putIfAbsent(name.chop(i), one.source());
            }
        }
    }
}
