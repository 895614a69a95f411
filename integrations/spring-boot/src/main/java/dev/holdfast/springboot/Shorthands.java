/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.spi.PolicyFactory;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.function.Predicate;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName.Form;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;

/**
 * Sections of a single value, such as {@code timeout: 500ms}. Where another source has options of the section, the value is that of its
 * option ({@code timeout.limit}), so that the two are merged as those of two files.
 */
final class Shorthands {
    /** It makes the section another policy altogether, which no option of another source is for. */
    private static final ConfigurationPropertyName USE = ConfigurationPropertyName.of("use");

    private final Map<ConfigurationPropertyName, Set<ConfigurationPropertySource>> withOptions = new HashMap<>();
    private final Set<ConfigurationPropertyName> withUse = new HashSet<>();

    private Shorthands() {}

    /**
     * All of these, with the names of options in place of the sections'.
     *
     * @param isNothing whether a value says nothing, and is that of no option
     */
    static List<Found> inFull(List<Found> all, Predicate<Found> isNothing) {
        Shorthands shorthands = new Shorthands();
        all.forEach(shorthands::learn);
        return all.stream()
                .map(one -> shorthands.isMerged(one) && !isNothing.test(one) ? inFull(one) : one)
                .toList();
    }

    private void learn(Found one) {
        ConfigurationPropertyName name = one.name();
        int depth = depth(name);
        if (name.getNumberOfElements() > depth && !Spelling.isIndex(name, depth)) {
            ConfigurationPropertyName section = name.chop(depth);
            withOptions
                    .computeIfAbsent(section, any -> Collections.newSetFromMap(new IdentityHashMap<>()))
                    .add(one.source());
            if (name.subName(depth).equals(USE)) {
                withUse.add(section);
            }
        }
    }

    /** In one source a value and options are a mistake, which others tell. */
    private boolean isMerged(Found one) {
        Set<ConfigurationPropertySource> sources = withOptions.get(one.name());
        return sources != null && !sources.contains(one.source()) && !withUse.contains(one.name());
    }

    private static Found inFull(Found one) {
        return option(one.name().getLastElement(Form.UNIFORM))
                .map(option -> one.withName(one.name().append(option)))
                .orElse(one);
    }

    /** How many elements the name of a section has: those of pipelines stand below a name. */
    private static int depth(ConfigurationPropertyName name) {
        return name.getNumberOfElements() > 1 && Spelling.isOfNames(name.getElement(1, Form.UNIFORM)) ? 4 : 3;
    }

    /** The option that the value of this section means; empty if it can have none. The loader is that of the policies, as for files. */
    private static Optional<String> option(String section) {
        for (PolicyFactory<?> factory : ServiceLoader.load(PolicyFactory.class, PolicyFactory.class.getClassLoader())) {
            if (factory.key().replace("-", "").equals(section)) {
                return factory.shorthand();
            }
        }
        return Optional.empty();
    }
}
