/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config.internal.migrate;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** All settings of resilience4j in some documents, by kind and instance. */
final class Source {
    private static final Pattern PLACEHOLDER = Pattern.compile("\\$\\{([^:{}$]++)(?::([^{}]*+))?\\}");
    private static final int PLACEHOLDERS = 20;
    private static final int LONGEST_PLACEHOLDER = 500;
    private static final int LONGEST_NAME = 128;
    private static final String BASE = "baseconfig";
    /** What has instances: names of version 1, and that of today, in the order in which Spring binds them. */
    private static final List<String> INSTANCES = List.of("backends", "instances", "limiters");

    private final List<String> notes = new ArrayList<>();
    /** What always holds. */
    private final Map<String, Written> all = new LinkedHashMap<>();
    /** What the parts with a condition have, the last part first. */
    private final List<Written> conditional = new ArrayList<>();
    /** All that does not hold, or perhaps not. */
    private final Map<String, List<Written>> others = new HashMap<>();

    private final Map<String, Map<String, Block>> groups = new HashMap<>();
    private final Map<Kind, Map<String, Block>> instances = new EnumMap<>(Kind.class);
    private final Map<Kind, Map<String, Block>> configs = new EnumMap<>(Kind.class);
    /** Of instances and configs, also those of which another one has each setting. */
    private final Map<String, Set<String>> spellings = new HashMap<>();

    private final Map<String, Settings> general = new LinkedHashMap<>();
    private final Set<String> names = new LinkedHashSet<>();
    private final Map<String, List<String>> alike;
    private final Set<String> renamed = new HashSet<>();
    private final Set<String> used = new LinkedHashSet<>();
    /** What instances inherit, or would without settings of their own. */
    private final Map<Kind, Set<Given>> ofConfigs = new EnumMap<>(Kind.class);
    /** Those of instances and configs that a pipeline speaks of. */
    private final Map<Kind, Set<Given>> said = new EnumMap<>(Kind.class);

    /**
     * An instance or a config.
     *
     * @param part the first that has it; one with a condition only if no other part has it
     */
    private record Block(String group, Part part, List<Given> settings) {
        /** What it says that it inherits from. A condition alone changes nothing of what is there without it. */
        Optional<Given> base() {
            return settings.stream()
                    .filter(given ->
                            given.canonical().equals(BASE) && given.part().isConditional() == part.isConditional())
                    .filter(given -> !given.isNothing())
                    .findFirst();
        }

        /** Whether it is there for Spring: with blank values alone it is not. */
        boolean hasOnlyBlanks() {
            return !settings.isEmpty() && settings.stream().allMatch(Given::isNothing);
        }
    }

    /** Throws an {@link Unreadable} if nothing in them can become a pipeline. */
    Source(String files, List<Document> documents) {
        List<String> paths = documents.stream().map(Document::file).distinct().toList();
        boolean shortened = paths.stream().map(Source::lastOf).distinct().count() == paths.size();
        for (Document document : documents) {
            String file = shortened ? lastOf(document.file()) : document.file();
            add(document, new Part(paths.size() == 1 ? "" : file, document.condition()));
        }
        Map<String, List<Given>> apart = new LinkedHashMap<>();
        Stream.concat(all.values().stream(), conditional.stream()).forEach(written -> sort(written, apart));
        // None of them is a wait, so the kind does not matter.
        apart.forEach((section, settings) -> general.put(
                section,
                Levels.of(Kind.TIME_LIMITER, List.of(settings), List.of(), new ArrayList<>(), new HashSet<>())));
        for (Kind kind : Kind.values()) {
            INSTANCES.forEach(group ->
                    groups.getOrDefault(kind + group, Map.of()).forEach((name, block) -> join(kind, name, block)));
            Optional.ofNullable(groups.get(kind + "configs")).ifPresent(named -> configs.put(kind, named));
        }
        if (instances.isEmpty() && !configs.isEmpty()) {
            instances.putAll(configs);
            notes.add(
                    "note: there are configs and no instances, so each config is a pipeline. Rename them to the names in"
                            + " your code.");
        }
        instances.values().forEach(named -> names.addAll(named.keySet()));
        names.forEach(Source::checkName);
        alike = names.stream().collect(Collectors.groupingBy(Text::canonical));
        if (names.isEmpty()) {
            throw new Unreadable(files, "has no instances and no configs of resilience4j");
        }
    }

    private static String lastOf(String path) {
        return path.substring(path.replace('\\', '/').lastIndexOf('/') + 1);
    }

    /** A later document wins, but not if it has a condition, because nobody knows whether it holds. */
    private void add(Document document, Part part) {
        Map<String, Written> settings = new LinkedHashMap<>();
        document.values()
                .forEach(
                        (name, value) -> settings.merge(key(name), new Written(name, value, part), this::spelledTwice));
        document.values().keySet().stream().filter(Document::isOfResilience4j).forEach(name -> {
            List<String> elements = Document.elements(name);
            if (elements.size() > 3) {
                spellings
                        .computeIfAbsent(block(name, elements), key -> new LinkedHashSet<>())
                        .add(elements.get(3));
            }
        });
        if (part.isConditional()) {
            conditional.addAll(0, settings.values());
            settings.values().forEach(this::other);
            if (document.values().keySet().stream().anyMatch(Document::isOfResilience4j)) {
                notes.add("note: the part for " + Text.shown(part.condition())
                        + " has settings of resilience4j, too. They are taken only where the other parts say nothing.");
            }
            return;
        }
        settings.forEach((key, setting) -> {
            Written before = all.put(key, setting);
            if (before != null) {
                lost(before, setting, "another part or file has " + Text.shown(setting.value()) + part.origin(""));
            }
        });
    }

    /** As in Spring: the spelling {@code max-attempts} counts more than others. */
    private Written spelledTwice(Written before, Written after) {
        boolean first = dashed(before.name()) > dashed(after.name());
        Written holds = first ? before : after;
        lost(first ? after : before, holds, "here " + holds.shown() + " holds");
        return holds;
    }

    /** Of two spellings of a name, Spring's own has the greater number. */
    private static int dashed(String name) {
        return name.matches("[^A-Z_\\[]++") ? name.length() : 0;
    }

    private void lost(Written setting, Written holds, String why) {
        if (!setting.value().equals(holds.value())) {
            other(setting);
            if (Document.isOfResilience4j(setting.name())) {
                notes.add("left out: " + setting.shown() + "; " + why);
            }
        }
    }

    private void other(Written setting) {
        others.computeIfAbsent(key(setting.name()), key -> new ArrayList<>()).add(setting);
    }

    /** The same for each spelling of a setting. */
    static String key(String name) {
        List<String> elements = Document.elements(name);
        if (elements.size() < 4 || !Document.isOfResilience4j(name)) {
            return Text.canonical(name);
        }
        return block(name, elements) + Text.canonical(String.join(".", elements.subList(4, elements.size())));
    }

    /** The same for each spelling of an instance or config: in brackets it is what it is. */
    private static String block(String name, List<String> elements) {
        String own = elements.get(3);
        return Text.canonical(elements.get(1) + "." + elements.get(2)) + ".["
                + (name.contains("[" + own + "]") ? own : Text.canonical(own)) + "].";
    }

    /** Settings of a kind that are of no instance and no config go to the given map. */
    private void sort(Written written, Map<String, List<Given>> apart) {
        if (!Document.isOfResilience4j(written.name())) {
            Without.ofApplication(written).ifPresent(notes::add);
            return;
        }
        List<String> elements = Document.elements(written.name());
        Optional<Kind> kind = Kind.of(elements.get(1));
        if (kind.isEmpty()) {
            notes.add(Without.ofOthers(written));
        } else if (elements.size() > 2) {
            String group = Text.canonical(elements.get(2));
            boolean named = elements.size() > 3 && (INSTANCES.contains(group) || group.equals("configs"));
            List<Given> settings = named
                    ? settings(
                            groups.computeIfAbsent(kind.get() + group, k -> new LinkedHashMap<>()), written, elements)
                    : apart.computeIfAbsent(kind.get().section(), k -> new ArrayList<>());
            String name = String.join(".", elements.subList(named ? 4 : 2, elements.size()));
            if (name.isEmpty() && !written.value().isEmpty()) {
                notes.add("left out: " + written.shown()
                        + "; it is no setting: a name and a value of its own are missing");
            } else if (!name.isEmpty()) {
                Set<Written> elsewhere = new LinkedHashSet<>();
                String text = resolved(written, elsewhere);
                String shown = elsewhere.stream()
                        .filter(other -> !other.value().equals(text))
                        .map(other -> "; not taken: " + other.shown())
                        .limit(PLACEHOLDERS)
                        .collect(Collectors.joining());
                settings.add(new Given(name, text, "", written.value(), written.part(), shown));
            }
        }
    }

    /** As in Spring, each spelling of a name has the settings of all. */
    private List<Given> settings(Map<String, Block> named, Written written, List<String> elements) {
        Block block = new Block(elements.get(2), written.part(), new ArrayList<>());
        spellings
                .getOrDefault(block(written.name(), elements), Set.of())
                .forEach(spelling -> named.putIfAbsent(spelling, block));
        return named.getOrDefault(elements.get(3), block).settings();
    }

    /** As in resilience4j, an instance replaces one of the same name. A condition alone changes nothing. */
    private void join(Kind kind, String name, Block block) {
        Map<String, Block> named = instances.computeIfAbsent(kind, k -> new LinkedHashMap<>());
        Block before = named.getOrDefault(name, block);
        boolean last = before.part().isConditional() || !block.part().isConditional();
        Block holds = last ? block : before;
        Block lost = last ? before : block;
        named.put(name, holds);
        if (!before.equals(block)) {
            String prefix = "resilience4j." + kind.prefix() + ".";
            String end = "." + Text.shown(name);
            lost.settings()
                    .forEach(given -> notes.add("left out: " + given.shown() + " of " + prefix + lost.group() + end
                            + "; only " + prefix + holds.group() + end + " holds"));
        }
    }

    private static void checkName(String name) {
        if (name.isBlank() || name.length() > LONGEST_NAME || !Text.isVisible(name)) {
            throw new Unreadable("the instance " + Text.shown(name) + " cannot be a pipeline: its name must have 1 to "
                    + LONGEST_NAME + " visible characters");
        }
    }

    /**
     * The text with the values of its placeholders, if the files have them; otherwise they stay.
     *
     * @param elsewhere gets the values that are not taken
     */
    private String resolved(Written setting, Set<Written> elsewhere) {
        String now = setting.value();
        for (int i = 0; i < PLACEHOLDERS && now.length() < LONGEST_PLACEHOLDER && now.contains("${"); i++) {
            now = PLACEHOLDER
                    .matcher(now)
                    .replaceAll(found -> Matcher.quoteReplacement(replacement(found, setting.part(), elsewhere)));
        }
        return now;
    }

    /** What always holds, else what the part of the setting itself says, else the default. */
    private String replacement(MatchResult placeholder, Part part, Set<Written> elsewhere) {
        String key = key(placeholder.group(1));
        List<Written> rest = others.getOrDefault(key, List.of());
        Optional<Written> known = Optional.ofNullable(all.get(key))
                .or(() ->
                        rest.stream().filter(other -> other.part().equals(part)).findFirst())
                .filter(written -> written.value().length() < LONGEST_PLACEHOLDER);
        rest.stream().filter(other -> !known.equals(Optional.of(other))).forEach(elsewhere::add);
        return known.map(Written::value).orElse(placeholder.group(placeholder.group(2) == null ? 0 : 2));
    }

    /** Of the pipelines. */
    Set<String> names() {
        return names;
    }

    /** The name of the pipeline for an instance: its own, if a file can have it, else one that it gives only once. */
    String pipeline(String name) {
        boolean longer = IntStream.range(0, name.length())
                .anyMatch(i -> name.charAt(i) == '/' && names.contains(name.substring(0, i)));
        if (!longer && !name.contains("${")) {
            return name;
        }
        String plain = name.replace('/', '-').replace("${", "-");
        return Stream.iterate(plain, tried -> tried + "-")
                .filter(tried -> names.stream().noneMatch(other -> (other + "/").startsWith(tried + "/")))
                .filter(renamed::add)
                .findFirst()
                .orElse(plain);
    }

    /** Other spellings of the name, with the settings of the same instances. */
    List<String> spellings(String name) {
        return alike.getOrDefault(Text.canonical(name), List.of()).stream()
                .filter(other -> !other.equals(name))
                .filter(other -> instances.values().stream()
                        .anyMatch(
                                named -> named.containsKey(name) && Objects.equals(named.get(name), named.get(other))))
                .toList();
    }

    boolean hasAspectOrder(Kind kind) {
        return aspect(kind).isPresent();
    }

    Optional<Given> aspect(Kind kind) {
        return Optional.ofNullable(general.get(kind.section())).flatMap(settings -> settings.given(kind.aspect()));
    }

    /**
     * Where the kind stands in resilience4j: the least is outermost. But the timeout is innermost, as it is here, unless a written
     * order has its place among the last ones.
     */
    long aspectOrder(Kind kind) {
        return writtenOrder(kind)
                .orElseGet(() -> kind != Kind.TIME_LIMITER || isWrittenAmongTheLast()
                        ? kind.aspectOrder()
                        : (long) Integer.MAX_VALUE);
    }

    private boolean isWrittenAmongTheLast() {
        return Stream.of(Kind.values())
                .flatMap(kind -> writtenOrder(kind).stream())
                .anyMatch(order -> order >= Kind.TIME_LIMITER.aspectOrder());
    }

    private Optional<Long> writtenOrder(Kind kind) {
        return aspect(kind).flatMap(Given::number).map(BigDecimal::longValue);
    }

    /** What is to be said of the files as a whole, when all settings have been asked for. */
    List<String> notes() {
        List<String> all = new ArrayList<>(notes);
        configs.forEach((kind, named) -> named.keySet().stream()
                .filter(config -> instances.get(kind) != named && !used.contains(kind + config))
                .map(config -> "left out: resilience4j." + kind.prefix() + ".configs." + Text.shown(config)
                        + ": no instance here has it" + ofCodeAlone(kind, config))
                .forEach(all::add));
        ofConfigs.forEach((kind, settings) -> settings.stream()
                .filter(given -> !said.getOrDefault(kind, Set.of()).contains(given))
                .collect(Collectors.groupingBy(
                        Given::config, LinkedHashMap::new, Collectors.mapping(Given::shown, Collectors.joining(", "))))
                .forEach((config, shown) -> all.add("left out: resilience4j." + kind.prefix() + ": " + shown
                        + "; each instance here has its own" + ofCodeAlone(kind, config))));
        general.values().forEach(settings -> {
            all.addAll(settings.idle());
            settings.rest()
                    .forEach(given ->
                            all.add(given.canonical().endsWith("aspectorder") ? ofOrder(given) : Without.of(given)));
        });
        return all;
    }

    private static String ofOrder(Given given) {
        return given.number().isPresent()
                ? given.kept() + ": " + given.shown() + "; a pipeline whose order it changes has a line `order:`"
                : "left out: " + given.shown() + "; it is no number, and the usual order is taken";
    }

    private static String ofCodeAlone(Kind kind, String config) {
        return config.equals("default")
                ? ". resilience4j takes it for each @" + kind.annotation()
                        + " in your code whose name is not among the instances"
                : "";
    }

    /** The settings of an instance with those of its configs, or nothing if there is no such instance. */
    Optional<Settings> settings(Kind kind, String name) {
        return Optional.ofNullable(instances.getOrDefault(kind, Map.of()).get(name))
                .map(own -> settings(kind, name, own));
    }

    /** The config that resilience4j takes for names that it has no instance of; empty if there is none. */
    Optional<Settings> defaults(Kind kind) {
        return Optional.ofNullable(configs.getOrDefault(kind, Map.of()).get("default"))
                .filter(config -> instances.get(kind) != configs.get(kind))
                .filter(config -> !config.part().isConditional())
                .map(config -> config.settings().stream()
                        .filter(given -> !given.part().isConditional())
                        .toList())
                .map(always -> Levels.of(kind, List.of(always), List.of(), new ArrayList<>(), new HashSet<>()));
    }

    /** The instance's own settings, and those of each config that it inherits from. */
    private Settings settings(Kind kind, String name, Block own) {
        Map<String, Block> known = configs.getOrDefault(kind, Map.of());
        List<String> idle = new ArrayList<>();
        if (own.part().isConditional()) {
            idle.add("note: only parts with a condition have this instance, such as the one for "
                    + Text.shown(own.part().condition()));
        }
        List<List<Given>> levels = new ArrayList<>(List.of(level(own, "", idle)));
        own.base().filter(base -> known.containsKey(base.text())).ifPresent(levels.get(0)::add);
        Set<String> seen = new LinkedHashSet<>(instances.get(kind) == known ? Set.of(name) : Set.of());
        if (own.hasOnlyBlanks()) {
            idle.add(
                    "note: all values of this instance are blank, so for Spring it is not there: an annotation with its"
                            + " name gets configs.default");
        }
        Optional<String> base = base(kind, own.hasOnlyBlanks() ? "default" : name, own, known, seen);
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
            Block inherited = known.getOrDefault(config, new Block("", own.part(), List.of()));
            levels.add(level(inherited, config, idle));
            base = base(kind, config, inherited, known, seen);
            if (kind == Kind.CIRCUIT_BREAKER
                    && config.equals(name)
                    && own.base().isEmpty()) {
                // resilience4j does not look at what such a config inherits from.
                base = Optional.empty();
                inherited
                        .base()
                        .ifPresent(given ->
                                idle.add("left out: " + given.of(config).shown()
                                        + "; resilience4j ignores it, since the config has the name of the instance"));
            }
        }
        // Without its condition there is no such instance, so nothing else holds for it.
        List<Given> first = own.part().isConditional() ? levels.get(0) : List.of();
        levels.stream().skip(1).forEach(ofConfigs.computeIfAbsent(kind, k -> new LinkedHashSet<>())::addAll);
        return Levels.of(kind, levels, first, idle, said.computeIfAbsent(kind, k -> new HashSet<>()));
    }

    /** The settings of an instance or a config, but not what it inherits from. */
    private static List<Given> level(Block block, String config, List<String> idle) {
        List<Given> level = new ArrayList<>();
        for (Given given : block.settings()) {
            if (!given.canonical().equals(BASE) || given.isNothing()) {
                level.add(given.of(config));
            } else if (!block.base().equals(Optional.of(given))) {
                idle.add("left out: " + given.of(config).shown() + "; other parts say what is inherited");
            }
        }
        return level;
    }

    /**
     * As resilience4j: what is named, else for a breaker the config of the same name, else the default. A config that is there
     * without a condition counts more.
     */
    private static Optional<String> base(
            Kind kind, String name, Block own, Map<String, Block> known, Set<String> seen) {
        boolean breaker = kind == Kind.CIRCUIT_BREAKER;
        return own.base()
                .map(Given::text)
                .or(() -> Stream.of(breaker ? name : "default", "default")
                        .filter(config -> known.containsKey(config) && !seen.contains(config))
                        .filter(config -> !breaker || !seen.contains(name))
                        .min(Comparator.comparing(
                                config -> known.getOrDefault(config, own).part().isConditional())));
    }
}
