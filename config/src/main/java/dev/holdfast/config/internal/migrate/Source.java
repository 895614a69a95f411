/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config.internal.migrate;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** All settings of resilience4j in some documents, by kind and instance. */
final class Source {
    private static final Pattern PLACEHOLDER = Pattern.compile("\\$\\{([^:{}$]++)(?::([^{}]*+))?\\}");
    private static final int PLACEHOLDERS = 20;
    private static final int LONGEST_PLACEHOLDER = 500;
    private static final int LONGEST_NAME = 128;

    private final List<String> notes = new ArrayList<>();
    private final Map<String, Written> all = new LinkedHashMap<>();
    private final Map<Kind, Map<String, Map<String, Given>>> instances = new EnumMap<>(Kind.class);
    private final Map<Kind, Map<String, Map<String, Given>>> configs = new EnumMap<>(Kind.class);
    private final Map<String, Map<String, Given>> general = new LinkedHashMap<>();
    private final Set<String> names = new LinkedHashSet<>();
    private final Set<String> used = new LinkedHashSet<>();

    /** A setting with its whole name. */
    private record Written(String name, String value) {}

    /** Throws an {@link Unreadable} if nothing in them can become a pipeline. */
    Source(String files, List<Document> documents) {
        documents.stream()
                .sorted(Comparator.comparing(document -> document.condition().isEmpty()))
                .forEach(this::merge);
        all.values().forEach(this::sort);
        if (instances.isEmpty() && !configs.isEmpty()) {
            instances.putAll(configs);
            notes.add(
                    "note: there are configs and no instances, so each config is a pipeline. Rename them to the names in"
                            + " your code.");
        }
        instances.values().forEach(named -> names.addAll(named.keySet()));
        names.forEach(Source::checkName);
        if (names.isEmpty()) {
            throw new Unreadable(files, "has no instances and no configs of resilience4j");
        }
    }

    /** A later document wins. Those with a condition come first, because nobody knows whether it holds. */
    private void merge(Document document) {
        String condition = document.condition();
        if (!condition.isEmpty() && document.values().keySet().stream().anyMatch(Document::isOfResilience4j)) {
            notes.add("note: the part for " + Text.shown(condition)
                    + " has settings of resilience4j, too. They are taken where no other part has them.");
        }
        document.values().forEach((name, value) -> {
            Written before = all.put(key(name), new Written(name, value));
            if (before != null && !before.value().equals(value) && Document.isOfResilience4j(name)) {
                notes.add("left out: " + Text.shown(before.name()) + " = " + Text.shown(before.value())
                        + "; another part or file has " + Text.shown(value));
            }
        });
    }

    /** The same for each spelling of a setting. Only names of instances and configs differ in their case. */
    static String key(String name) {
        List<String> elements = Document.elements(name);
        if (elements.size() < 4 || !Document.isOfResilience4j(name)) {
            return Text.canonical(name);
        }
        return Text.canonical(elements.get(1) + "." + elements.get(2)) + ".[" + elements.get(3) + "]."
                + Text.canonical(String.join(".", elements.subList(4, elements.size())));
    }

    private void sort(Written written) {
        if (!Document.isOfResilience4j(written.name())) {
            Without.ofApplication(written.name(), written.value()).ifPresent(notes::add);
            return;
        }
        List<String> elements = Document.elements(written.name());
        Optional<Kind> kind = Kind.of(elements.get(1));
        if (kind.isEmpty()) {
            notes.add(Without.ofOthers(written.name(), written.value()));
        } else if (elements.size() > 2) {
            String group = Text.canonical(elements.get(2));
            boolean instance = Set.of("instances", "backends", "limiters").contains(group);
            boolean named = elements.size() > 3 && (instance || group.equals("configs"));
            Map<String, Given> settings = named
                    ? (instance ? instances : configs)
                            .computeIfAbsent(kind.get(), k -> new LinkedHashMap<>())
                            .computeIfAbsent(elements.get(3), n -> new LinkedHashMap<>())
                    : general.computeIfAbsent(kind.get().section(), k -> new LinkedHashMap<>());
            String name = String.join(".", elements.subList(named ? 4 : 2, elements.size()));
            if (name.isEmpty() && !written.value().isEmpty()) {
                notes.add("left out: " + Text.shown(written.name()) + " = " + Text.shown(written.value())
                        + "; it is no setting: a name and a value of its own are missing");
            } else if (!name.isEmpty()) {
                settings.put(Text.canonical(name), new Given(name, resolved(written.value()), "", written.value()));
            }
        }
    }

    private static void checkName(String name) {
        if (name.isBlank() || name.length() > LONGEST_NAME || !Text.isVisible(name)) {
            throw new Unreadable("the instance " + Text.shown(name) + " cannot be a pipeline: its name must have 1 to "
                    + LONGEST_NAME + " visible characters");
        }
    }

    /** The text with the values of its placeholders, if the files have them; otherwise they stay. */
    private String resolved(String text) {
        String now = text;
        for (int i = 0; i < PLACEHOLDERS && now.length() < LONGEST_PLACEHOLDER && now.contains("${"); i++) {
            now = PLACEHOLDER.matcher(now).replaceAll(found -> Matcher.quoteReplacement(replacement(found)));
        }
        return now;
    }

    private String replacement(MatchResult placeholder) {
        Written known = all.get(Text.canonical(placeholder.group(1)));
        if (known != null && known.value().length() < LONGEST_PLACEHOLDER) {
            return known.value();
        }
        return placeholder.group(placeholder.group(2) == null ? 0 : 2);
    }

    /** Of the pipelines. */
    Set<String> names() {
        return names;
    }

    boolean hasAspectOrder(Kind kind) {
        return general.getOrDefault(kind.section(), Map.of()).containsKey(kind.aspect());
    }

    /** Where the kind stands in resilience4j: the least is outermost. */
    long aspectOrder(Kind kind) {
        return Optional.ofNullable(
                        general.getOrDefault(kind.section(), Map.of()).get(kind.aspect()))
                .flatMap(Given::number)
                .map(BigDecimal::longValue)
                .orElse((long) kind.aspectOrder());
    }

    /** What is to be said of the files as a whole, when all settings have been asked for. */
    List<String> notes() {
        List<String> all = new ArrayList<>(notes);
        configs.forEach((kind, named) -> named.keySet().stream()
                .filter(config -> instances.get(kind) != named && !used.contains(kind + config))
                .map(config -> "left out: resilience4j." + kind.prefix() + ".configs." + Text.shown(config)
                        + ": no instance here has it"
                        + (config.equals("default")
                                ? ". resilience4j takes it for each @" + kind.annotation()
                                        + " in your code whose name is not among the instances"
                                : ""))
                .forEach(all::add));
        general.values()
                .forEach(settings -> settings.values()
                        .forEach(given -> all.add(
                                given.canonical().endsWith("aspectorder")
                                        ? "kept: " + given.shown()
                                                + "; a pipeline whose order it changes has a line `order:`"
                                        : Without.of(given))));
        return all;
    }

    /** The settings of an instance with those of its configs, or nothing if there is no such instance. */
    Optional<Settings> settings(Kind kind, String name) {
        return Optional.ofNullable(instances.getOrDefault(kind, Map.of()).get(name))
                .map(own -> Levels.of(kind, levels(kind, name, own)));
    }

    /** The config that resilience4j takes for names that it has no instance of; empty if there is none. */
    Optional<Settings> defaults(Kind kind) {
        return Optional.ofNullable(configs.getOrDefault(kind, Map.of()).get("default"))
                .filter(config -> instances.get(kind) != configs.get(kind))
                .map(Settings::new);
    }

    /** The instance's own settings, and those of each config that it inherits from. */
    private List<Map<String, Given>> levels(Kind kind, String name, Map<String, Given> own) {
        Map<String, Map<String, Given>> known = configs.getOrDefault(kind, Map.of());
        List<Map<String, Given>> levels = new ArrayList<>(List.of(own));
        Set<String> seen = new LinkedHashSet<>(instances.get(kind) == known ? Set.of(name) : Set.of());
        Optional<String> base = base(kind, name, own, known, seen);
        while (base.isPresent()) {
            String config = base.get();
            String where = "resilience4j." + kind.prefix() + ": base-config ";
            if (!seen.add(config)) {
                throw new Unreadable(
                        where + "goes in a circle: " + Text.shown(String.join(" > ", seen) + " > " + config));
            }
            if (!known.containsKey(config)) {
                notes.add("left out: " + where + Text.shown(config) + " of " + Text.shown(name)
                        + "; there is no such config. Give all files in one command");
            }
            used.add(kind + config);
            Map<String, Given> inherited = known.getOrDefault(config, Map.of());
            Map<String, Given> level = new LinkedHashMap<>();
            inherited.forEach((key, given) -> {
                if (!key.equals("baseconfig")) {
                    level.put(key, new Given(given.name(), given.text(), config, given.written()));
                }
            });
            levels.add(level);
            base = base(kind, config, inherited, known, seen);
        }
        return levels;
    }

    /** As resilience4j: what is named, else for a breaker the config of the same name, else the default. */
    private static Optional<String> base(
            Kind kind, String name, Map<String, Given> own, Map<String, Map<String, Given>> known, Set<String> seen) {
        Given named = own.get("baseconfig");
        if (named != null) {
            return Optional.of(named.text());
        }
        boolean ofConfig = seen.contains(name);
        if (kind == Kind.CIRCUIT_BREAKER && (ofConfig || known.containsKey(name))) {
            return ofConfig ? Optional.empty() : Optional.of(name);
        }
        return Optional.of("default").filter(config -> known.containsKey(config) && !seen.contains(config));
    }
}
