/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static java.util.Map.entry;

import dev.holdfast.spi.PolicyFactory;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;

/** The sections that a file may use, and the artifacts of known policies that are not on the class path. */
final class Factories {
    private static final SortedMap<String, String> ARTIFACTS = new TreeMap<>(Map.ofEntries(
            entry("deadline", "dev.holdfast:holdfast-core"),
            entry("fallback", "dev.holdfast:holdfast-core"),
            entry("retry", "dev.holdfast:holdfast-core"),
            entry("timeout", "dev.holdfast:holdfast-core"),
            entry("stale-cache", "dev.holdfast:holdfast-stalecache"),
            entry("circuit-breaker", "dev.holdfast:holdfast-circuitbreaker"),
            entry("gate", "dev.holdfast:holdfast-throttling"),
            entry("adaptive-throttle", "dev.holdfast:holdfast-throttling"),
            entry("throttle", "dev.holdfast:holdfast-throttling"),
            entry("bulkhead", "dev.holdfast:holdfast-bulkhead"),
            entry("chaos", "dev.holdfast:holdfast-testing")));

    /** What is no section, and what was meant: names of other libraries, without hyphens and in lower case, and options. */
    private static final Map<String, String> OTHER_WORDS = Map.of(
            "timelimiter", "timeout",
            "ratelimiter", "throttle",
            "threadpoolbulkhead", "bulkhead",
            "replicas", "replicas in throttle, bulkhead or retry.budget");

    private static final Pattern KEY = Pattern.compile("[a-z][a-z0-9]*(-[a-z0-9]+)*");

    /** What each section may have. */
    private static final List<String> OF_ALL_SECTIONS = List.of(ShadowSection.MODE, ShadowSection.SECOND, Layers.USE);

    private final List<PolicyFactory<?>> all;

    /**
     * Uses these factories.
     *
     * @throws IllegalStateException if two have the same key, a key means something else in a file or is no key, two options of a
     *     section have the same name, or an option has a name that every section has
     */
    Factories(List<PolicyFactory<?>> all) {
        this.all = all.stream()
                .sorted(Comparator.<PolicyFactory<?>>comparingInt(PolicyFactory::position)
                        .thenComparing(PolicyFactory::key))
                .toList();
        Map<String, PolicyFactory<?>> byKey = new TreeMap<>();
        for (PolicyFactory<?> factory : this.all) {
            refuseKey(factory);
            refuseReserved(factory);
            refuseTwice(factory);
            PolicyFactory<?> other = byKey.put(factory.key(), factory);
            if (other != null) {
                throw new IllegalStateException("two policies on the class path claim the section " + factory.key()
                        + ": " + other.getClass().getName() + " and "
                        + factory.getClass().getName());
            }
        }
    }

    private static void refuseKey(PolicyFactory<?> factory) {
        String key = factory.key();
        if (!KEY.matcher(key).matches()) {
            throw new IllegalStateException("the section '" + key + "' of "
                    + factory.getClass().getName()
                    + " must have a name of small letters, digits and single hyphens, such as at-most");
        }
        if (PlanReader.OTHERS.contains(key) || OF_ALL_SECTIONS.contains(key)) {
            throw new IllegalStateException("the section " + key + " of "
                    + factory.getClass().getName()
                    + " has a name that a file has for another purpose; give it another name");
        }
    }

    private static void refuseTwice(PolicyFactory<?> factory) {
        Set<String> names = new HashSet<>();
        factory.options().stream()
                .map(PolicyFactory.Option::name)
                .filter(name -> !names.add(name))
                .findFirst()
                .ifPresent(name -> {
                    throw new IllegalStateException("the section " + factory.key() + " of "
                            + factory.getClass().getName() + " has two options called " + name);
                });
    }

    private static void refuseReserved(PolicyFactory<?> factory) {
        factory.options().stream()
                .map(option -> option.name().replaceAll("\\..*", ""))
                .filter(OF_ALL_SECTIONS::contains)
                .findFirst()
                .ifPresent(name -> {
                    throw new IllegalStateException("the section " + factory.key() + " of "
                            + factory.getClass().getName() + " has the option " + name
                            + ", which every section has for another purpose; give it another name");
                });
    }

    /** The factories on the class path. */
    static Factories loaded() {
        // The loader of core, as for the standard pipeline: the context loader of a pool's thread may find nothing.
        // PolicyFactory.class is raw, so map adds the wildcard.
        return new Factories(StreamSupport.stream(
                        ServiceLoader.load(PolicyFactory.class, PolicyFactory.class.getClassLoader())
                                .spliterator(),
                        false)
                .<PolicyFactory<?>>map(factory -> factory)
                .toList());
    }

    Optional<PolicyFactory<?>> find(String key) {
        return all.stream().filter(factory -> factory.key().equals(key)).findFirst();
    }

    /** The keys of the sections, outermost first. */
    List<String> keys() {
        return all.stream().map(PolicyFactory::key).toList();
    }

    /** The artifact with the policy of a section, whether or not it is on the class path. */
    static Optional<String> artifact(String key) {
        return Optional.ofNullable(ARTIFACTS.get(key));
    }

    /** The section that does what another library calls so, or the sections that have this option. */
    static Optional<String> meant(String word) {
        return Optional.ofNullable(OTHER_WORDS.get(word.replaceAll("[-_]", "").toLowerCase(Locale.ROOT)));
    }

    /** The sections that Holdfast's own modules bring. */
    static Set<String> knownKeys() {
        return ARTIFACTS.keySet();
    }
}
