/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName.Form;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.origin.PropertySourceOrigin;
import org.springframework.core.env.PropertySource;

/**
 * The names for which a source is asked that cannot list its own, such as JNDI or a vault: those that others have, in each of their
 * spellings.
 */
final class Asked {
    // To a name of Spring's, my-shop and myShop are equal; to such a source they are two.
    private final Set<String> names = new LinkedHashSet<>();

    /** None. */
    Asked() {
        this(List.of(), new Spelling());
    }

    /**
     * Those of these.
     *
     * @param others of two spellings, that of the earlier one is asked first
     */
    Asked(List<Found> others, Spelling spelling) {
        Set<ConfigurationPropertyName> all = new LinkedHashSet<>();
        Map<ConfigurationPropertyName, Set<String>> given = new HashMap<>();
        for (Found one : others) {
            ConfigurationPropertyName name = one.ofVariable() ? spelling.whole(one.name()) : one.name();
            all.add(name);
            if (name.getNumberOfElements() > 2 && Spelling.isGiven(name, 2)) {
                given.computeIfAbsent(name.chop(3), any -> new LinkedHashSet<>())
                        .add(spelt(name, 0, 3));
            }
        }
        for (ConfigurationPropertyName name : all) {
            int size = name.getNumberOfElements();
            Set<String> above = size > 2 ? given.getOrDefault(name.chop(3), Set.of()) : Set.of();
            // With what stands above: a value there may stand for a whole section, or for a list.
            for (int i = size; i > 2; i--) {
                names.add(spelt(name, 0, i));
                for (String begin : above) {
                    names.add(begin + spelt(name, 3, i));
                }
            }
        }
    }

    /** As its author wrote it. Spring's own text of a name has small letters only. */
    private static String spelt(ConfigurationPropertyName name, int from, int to) {
        StringBuilder spelt = new StringBuilder();
        for (int i = from; i < to; i++) {
            String element = name.getElement(i, Form.ORIGINAL);
            boolean isInBrackets = name.chop(i + 1).isLastElementIndexed();
            spelt.append(isInBrackets ? "[" + element + "]" : i == 0 ? element : "." + element);
        }
        return spelt.toString();
    }

    /** What this source has of them: each of its properties once. */
    Stream<ConfigurationProperty> of(ConfigurationPropertySource source) {
        Set<ConfigurationPropertyName> answered = new HashSet<>();
        return withItems(source).stream()
                .flatMap(name -> Stream.ofNullable(ask(source, name)))
                .filter(one -> answered.add(one.getName()));
    }

    /** Its list may be longer than that of another one. */
    private Set<String> withItems(ConfigurationPropertySource source) {
        Set<String> all = new LinkedHashSet<>(names);
        for (String name : names) {
            for (int i = 0; ask(source, name + "[" + i + "]") != null; i++) {
                all.add(name + "[" + i + "]");
            }
        }
        return all;
    }

    /** Spring Boot's own way takes another spelling of the last name for the same. */
    private static @Nullable ConfigurationProperty ask(ConfigurationPropertySource source, String name) {
        if (!(source.getUnderlyingSource() instanceof PropertySource<?> of)) {
            return null;
        }
        Object value = of.getProperty(name);
        ConfigurationPropertyName uniform = ConfigurationPropertyName.adapt(name, '.');
        return value == null ? null : new ConfigurationProperty(uniform, value, PropertySourceOrigin.get(of, name));
    }
}
