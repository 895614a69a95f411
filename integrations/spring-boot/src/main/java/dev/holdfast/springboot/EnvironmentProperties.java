/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.config.Holdfast.Property;
import dev.holdfast.internal.Nearest;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName.Form;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.context.properties.source.IterableConfigurationPropertySource;
import org.springframework.boot.origin.PropertySourceOrigin;
import org.springframework.boot.origin.TextResourceOrigin;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;
import org.springframework.core.io.ClassPathResource;
import org.springframework.core.io.FileSystemResource;
import org.springframework.core.io.Resource;
import org.springframework.util.ObjectUtils;

/**
 * The properties of an application below {@code holdfast}, with the keys of a file. Each source is like a file of its own. As
 * elsewhere in Spring Boot, the first source that has a property wins, a list is taken from one source as a whole, and a variable of
 * the environment is written without hyphens.
 */
final class EnvironmentProperties {
    static final String PREFIX = "holdfast";

    private static final String SPRING = "spring";

    static final ConfigurationPropertyName ROOT = ConfigurationPropertyName.of(PREFIX);

    /** What the starter itself is told. */
    private static final ConfigurationPropertyName OWN = ROOT.append(SPRING);

    /** These of them mean something without any pipeline, too. */
    private static final Set<ConfigurationPropertyName> ALONE =
            Set.of(OWN.append("server.max-deadline"), OWN.append("service-groups"));

    /**
     * Only these are looked for among the variables of the environment, where others stand that nobody meant: a Kubernetes service
     * called holdfast makes {@code HOLDFAST_SERVICE_HOST}.
     */
    private static final List<String> SECTIONS = List.of("defaults", "templates", "shared", "pipelines");

    private static final Set<String> SWITCHES = Set.of("enabled", "disabled");

    private static final String NO_SWITCH =
            "there is no such switch; expected mode: shadow in the sections below holdfast.defaults, to turn protection off,"
                    + " see " + ConfigFailureAnalyzer.PAGES + "emergency.md#turn-protection-off";

    /** A switch of the JVM's, which is not an option: it means all policies of this kind. */
    private static final ConfigurationPropertyName CHAOS = ROOT.append("chaos.enabled");

    /** The name that Spring Boot gives to the source of a file. */
    private static final Pattern OF_A_FILE =
            Pattern.compile("Config resource '(file|class path resource) \\[([^\\[\\]]+)]' via location .*");

    private final ConfigurableEnvironment environment;

    /** Whether there are pipelines of these properties, so that they are read again. */
    private volatile boolean isLoaded;

    EnvironmentProperties(ConfigurableEnvironment environment) {
        this.environment = environment;
    }

    void loaded() {
        isLoaded = true;
    }

    /** Those of all sources, the first source first. */
    List<Property> all() {
        return bySource().stream().flatMap(List::stream).toList();
    }

    /** Those of each source, the first source first. */
    private List<List<Property>> bySource() {
        List<Found> written = found(Set.of());
        refuseDropped();
        Brackets brackets = new Brackets();
        written.forEach(one -> brackets.learn(one.name()));
        List<Found> listed = uniform(written, brackets);
        refuseAlike(listed);
        refuseMisspelt(listed);
        Spelling spelling = new Spelling();
        // Where two sources spell a name in two ways, it is that of the lower one, which others add to.
        for (int i = listed.size() - 1; i >= 0; i--) {
            if (!listed.get(i).ofVariable()) {
                spelling.learn(listed.get(i).name());
            }
        }
        Set<ConfigurationPropertyName> asked = asked(listed, spelling);
        asked.addAll(asked(written, spelling));
        List<Said> said = new ArrayList<>();
        Map<ConfigurationPropertyName, Said> winners = new HashMap<>();
        Owners owners = new Owners();
        for (Found one : uniform(found(asked), brackets)) {
            if (owners.allow(one)) {
                refuseSplit(one, spelling);
                Property property = property(one, spelling);
                boolean isNothing = property.value().isBlank() && (one.ofVariable() || !spelling.isList(one.name()));
                Said here = new Said(one, property);
                Said higher = winners.get(one.name());
                // Of two that are nothing, a placeholder is the one that is a mistake.
                if (!isNothing || higher == null || higher.property.written().isBlank()) {
                    winners.put(one.name(), here);
                }
                said.add(here);
                owners.note(one, isNothing);
            }
        }
        return bySource(said, winners);
    }

    /** A property, and what is read of it. */
    private record Said(Found found, Property property) {
        /** {@code timeout:}, which brings a section that another source may leave out. */
        boolean isSectionWithoutOptions() {
            ConfigurationPropertyName name = found.name();
            boolean isNamed = name.getNumberOfElements() > 1 && Spelling.isOfNames(name.getElement(1, Form.UNIFORM));
            return property.written().isBlank() && name.getNumberOfElements() == (isNamed ? 4 : 3);
        }

        boolean isEmptyPlaceholder() {
            return property.value().isBlank() && !property.written().isBlank();
        }
    }

    private static List<List<Property>> bySource(List<Said> said, Map<ConfigurationPropertyName, Said> winners) {
        Set<ConfigurationPropertyName> parents = winners.keySet().stream()
                .flatMap(name -> IntStream.range(1, name.getNumberOfElements()).mapToObj(name::chop))
                .collect(Collectors.toSet());
        Map<ConfigurationPropertySource, List<Property>> bySource = new LinkedHashMap<>();
        for (Said one : said) {
            ConfigurationPropertyName name = one.found.name();
            boolean isWinner = one.equals(winners.get(name)) && !(one.isEmptyPlaceholder() && parents.contains(name));
            List<Property> ofSource = bySource.computeIfAbsent(one.found.source(), any -> new ArrayList<>());
            if (isWinner || one.isSectionWithoutOptions()) {
                ofSource.add(one.property);
            }
        }
        return List.copyOf(bySource.values());
    }

    /**
     * Those of the pipelines, the last source first, if all below the prefix is right. When they are read again, what the starter is
     * told is looked at as a start would: the pipelines that it names must be among the properties.
     *
     * @throws WrongSettingException if something else is wrong than a section, or its name; others read the sections
     */
    List<List<Property>> checked() {
        Map<String, String> wrong = new LinkedHashMap<>();
        for (Found one : found(Set.of())) {
            refuseNoMapping(one);
            String key = Found.shown(one.name()).replaceFirst("\\[.*", "");
            String top = key.replaceFirst("\\..*", "");
            if (!ROOT.equals(one.name()) && Nearest.to(top, SECTIONS).isEmpty()) {
                boolean isSpring = Nearest.to(top, List.of(SPRING)).isPresent();
                Optional<String> own = isSpring ? Optional.empty() : SpringSettings.nearest(key);
                String told = own.map(known -> "belongs below holdfast.spring; expected holdfast.spring." + known)
                        .orElseGet(() -> SWITCHES.contains(key) ? NO_SWITCH : unknown(isSpring));
                wrong.putIfAbsent(own.isPresent() ? key : top, one.place() + ": " + told);
            }
        }
        if (!wrong.isEmpty()) {
            throw new WrongSettingException(String.join("\n", wrong.values()));
        }
        SpringSettings settings = SpringSettings.of(environment);
        List<List<Property>> sources = new ArrayList<>(bySource());
        if (isLoaded) {
            settings.checkNames(pipelines(sources.stream().flatMap(List::stream)), environment);
        }
        Collections.reverse(sources);
        return sources;
    }

    private static String unknown(boolean isSpring) {
        return "unknown key; "
                + (isSpring
                        ? "did you mean spring?"
                        : "expected one of " + String.join(", ", SECTIONS) + ", " + SPRING);
    }

    private void refuseNoMapping(Found one) {
        boolean isValue = ROOT.equals(one.name());
        if (isValue || one.name().isNumericIndex(1)) {
            throw new WrongSettingException(
                    one.where().shown() + " " + PREFIX + ": is " + (isValue ? text(one) : "a list")
                            + "; expected keys below it: " + String.join(", ", SECTIONS) + ", " + SPRING);
        }
    }

    /**
     * Whether there is anything below the prefix, also for the starter itself.
     *
     * @param forPipelines whether what means something without pipelines is left out
     */
    boolean isAny(boolean forPipelines) {
        for (ConfigurationPropertySource source : ConfigurationPropertySources.get(environment)) {
            if (!isOfVariables(source)
                    && source instanceof IterableConfigurationPropertySource names
                    && names.stream()
                            .anyMatch(name -> OWN.isAncestorOf(name) && !(forPipelines && ALONE.contains(name)))) {
                return true;
            }
        }
        return !found(Set.of()).isEmpty() || isWrong();
    }

    private static List<Found> uniform(List<Found> all, Brackets brackets) {
        return all.stream()
                .map(one -> one.withName(brackets.uniform(one.name())))
                .toList();
    }

    /** To Spring, {@code eu-1} and {@code EU1} are one name. Where one source has both, two are meant. */
    private static void refuseAlike(List<Found> all) {
        record Name(ConfigurationPropertySource source, String section, String uniform) {}
        Map<Name, Found> known = new HashMap<>();
        for (Found one : all) {
            ConfigurationPropertyName name = one.name();
            if (one.ofVariable() || name.getNumberOfElements() < 3) {
                continue;
            }
            String section = name.getElement(1, Form.UNIFORM);
            String uniform = name.getElement(2, Form.UNIFORM);
            if (Spelling.isGiven(name, 2)) {
                Found first = known.putIfAbsent(new Name(one.source(), section, uniform), one);
                String spelt = Spelling.original(name, 2);
                String before = first == null ? spelt : Spelling.original(first.name(), 2);
                if (first != null && !before.equals(spelt)) {
                    throw new WrongSettingException(one.place() + ": to Spring, " + spelt + " and " + before
                            + " (" + first.place() + ") are one name; expected others, or brackets around"
                            + " both, such as \"[" + spelt + "]\"");
                }
            }
        }
        refuseTwice(all);
    }

    /** {@code maxAttempts} beside {@code max-attempts}: of one source, Spring takes either. */
    private static void refuseTwice(List<Found> all) {
        record Key(ConfigurationPropertySource source, ConfigurationPropertyName name) {}
        Map<Key, Found> known = new HashMap<>();
        for (Found one : all) {
            Found first = one.ofVariable() ? null : known.putIfAbsent(new Key(one.source(), one.name()), one);
            for (int i = 1; first != null && i < one.name().getNumberOfElements(); i++) {
                String spelt = Spelling.original(one.name(), i);
                String before = Spelling.original(first.name(), i);
                if (!spelt.equals(before)) {
                    throw new WrongSettingException(one.place() + ": to Spring, " + spelt + " and " + before
                            + " are one key; expected one of the two");
                }
            }
        }
    }

    /** {@code maxAttempts} below {@code max-attempts} of a higher source: nobody would see it, since the higher one wins. */
    private static void refuseMisspelt(List<Found> all) {
        Map<ConfigurationPropertyName, Found> higher = new HashMap<>();
        for (Found one : all) {
            Found first = one.ofVariable() ? null : higher.putIfAbsent(one.name(), one);
            for (int i = 1; first != null && i < one.name().getNumberOfElements(); i++) {
                if (Spelling.isOfAFile(first.name(), i) && !Spelling.isOfAFile(one.name(), i)) {
                    String right = Spelling.original(first.name(), i);
                    throw new WrongSettingException(one.place() + ": to Spring, " + Spelling.original(one.name(), i)
                            + " and " + right + " (" + first.place() + ") are one key; did you mean " + right + "?");
                }
            }
        }
    }

    /** {@code RETRY_MAX_ATTEMPTS}: to Spring, attempts stands below max. */
    private static void refuseSplit(Found one, Spelling spelling) {
        String unwritable = one.ofVariable() ? spelling.unwritable(one.name()) : null;
        if (unwritable != null) {
            throw new WrongSettingException(one.place() + ": no variable can have the name " + unwritable + "; "
                    + StrayVariables.IN_PLACE_OF_VARIABLES);
        }
        String joined = one.ofVariable() ? spelling.joined(one.name()) : null;
        if (joined != null) {
            throw new WrongSettingException(one.place() + ": has an underscore inside of a key; expected " + joined);
        }
    }

    /** What Spring makes no property of: in YAML, and null in JSON. */
    private void refuseDropped() {
        YamlTraps.refuse(files());
        for (ConfigurationPropertySource source : ConfigurationPropertySources.get(environment)) {
            if (source instanceof IterableConfigurationPropertySource names && !isOfVariables(source)) {
                for (ConfigurationPropertyName name : names) {
                    if (ROOT.isAncestorOf(name) && isMeant(name, false)) {
                        refuseDropped(source, name);
                    }
                }
            }
        }
    }

    private static void refuseDropped(ConfigurationPropertySource source, ConfigurationPropertyName name) {
        ConfigurationProperty property = source.getConfigurationProperty(name);
        boolean isEmptyList = property != null && property.getValue() instanceof Collection<?> all && all.isEmpty();
        if (property == null || (isEmptyList && !new Spelling().isList(name))) {
            throw new WrongSettingException(Found.name(source) + " " + Found.shown(name)
                    + (property == null ? ": is null, which Spring leaves out" : ": is an empty list")
                    + "; expected \"\"");
        }
    }

    /** What Spring drops is no property: it may be all that there is. */
    private boolean isWrong() {
        try {
            refuseDropped();
            return false;
        } catch (WrongSettingException wrong) {
            return true;
        }
    }

    /** The names of the pipelines. */
    Set<String> pipelines() {
        return pipelines(all().stream());
    }

    private static Set<String> pipelines(Stream<Property> all) {
        return all.map(Property::keys)
                .filter(keys -> keys.size() > 1 && keys.get(0).equals("pipelines"))
                .map(keys -> keys.get(1))
                .collect(Collectors.toCollection(LinkedHashSet::new));
    }

    /**
     * A pipeline that only variables of the environment have.
     *
     * @param variable the first one
     * @param others the pipelines of the other sources
     */
    record Alone(String name, String variable, Set<String> others) {}

    /** The pipelines that only variables have, where other sources have some, too. */
    Collection<Alone> ofVariablesAlone() {
        List<Found> written = found(Set.of());
        Brackets brackets = new Brackets();
        written.forEach(one -> brackets.learn(one.name()));
        List<Found> all = uniform(written, brackets).stream()
                .filter(one -> one.name().getNumberOfElements() > 2
                        && one.name().getElement(1, Form.UNIFORM).equals("pipelines"))
                .toList();
        Spelling spelling = new Spelling();
        Set<String> others = new LinkedHashSet<>();
        for (Found one : all) {
            if (!one.ofVariable()) {
                spelling.learn(one.name());
                others.add(Spelling.original(one.name(), 2));
            }
        }
        Map<String, Alone> alone = new LinkedHashMap<>();
        for (Found one : all) {
            if (one.ofVariable()
                    && !others.isEmpty()
                    && one.property().getOrigin() instanceof PropertySourceOrigin of
                    && spelling.joined(one.name()) == null
                    && spelling.unwritable(one.name()) == null) {
                String name = spelling.of(one.name(), true).get(1);
                if (!others.contains(name)) {
                    alone.putIfAbsent(name, new Alone(name, of.getPropertyName(), others));
                }
            }
        }
        return alone.values();
    }

    /** The files of all properties, each source from one, with the names of their sources. */
    private Map<Resource, String> files() {
        Map<Resource, String> files = new LinkedHashMap<>();
        for (ConfigurationPropertySource source : ConfigurationPropertySources.get(environment)) {
            if (source instanceof IterableConfigurationPropertySource names && !isOfVariables(source)) {
                names.stream()
                        .map(source::getConfigurationProperty)
                        .filter(Objects::nonNull)
                        .findFirst()
                        .map(Found::origin)
                        .map(origin -> origin instanceof TextResourceOrigin text ? text.getResource() : null)
                        .or(() -> names.stream().findAny().isEmpty() ? ofName(Found.name(source)) : Optional.empty())
                        .ifPresent(file -> files.putIfAbsent(file, Found.name(source)));
            }
        }
        return files;
    }

    /** The file of a source without any property, such as one with nothing but {@code retry: {}}. */
    private static Optional<Resource> ofName(String source) {
        Matcher file = OF_A_FILE.matcher(source);
        if (!file.matches()) {
            return Optional.empty();
        }
        String path = file.group(2);
        return Optional.of(file.group(1).equals("file") ? new FileSystemResource(path) : new ClassPathResource(path));
    }

    /**
     * All that the sources have, the first source first.
     *
     * @param asked the names for which a source is asked that cannot list its own, such as JNDI
     */
    private List<Found> found(Set<ConfigurationPropertyName> asked) {
        List<Found> all = new ArrayList<>();
        for (ConfigurationPropertySource source : ConfigurationPropertySources.get(environment)) {
            boolean ofVariables = isOfVariables(source);
            for (ConfigurationPropertyName name :
                    source instanceof IterableConfigurationPropertySource names ? names : withItems(asked, source)) {
                ConfigurationProperty property = isMeant(name, ofVariables) && !isSwitch(name, source)
                        ? source.getConfigurationProperty(name)
                        : null;
                if (property != null
                        && !isNothing(property, ofVariables)
                        && !(ofVariables && SpringSettings.isOfAService(property))) {
                    split(property).forEach(one -> all.add(new Found(source, one, ofVariables, one.getName())));
                }
            }
        }
        return all;
    }

    /** Code may give a list or an array as one value, of which Spring makes items elsewhere, too. */
    private static List<ConfigurationProperty> split(ConfigurationProperty property) {
        Object value = property.getValue();
        if (!(value instanceof Collection) && !value.getClass().isArray()) {
            return List.of(property);
        }
        Object[] items = value instanceof Collection<?> several ? several.toArray() : ObjectUtils.toObjectArray(value);
        if (items.length == 0) {
            return List.of(new ConfigurationProperty(property.getName(), "", property.getOrigin()));
        }
        return IntStream.range(0, items.length)
                .mapToObj(i -> new ConfigurationProperty(
                        property.getName().append("[" + i + "]"),
                        Objects.requireNonNullElse(items[i], ""),
                        property.getOrigin()))
                .toList();
    }

    /** The names that others have, and what stands above: its own value may stand for a whole section, or a list. */
    private static Set<ConfigurationPropertyName> asked(List<Found> listed, Spelling spelling) {
        Set<ConfigurationPropertyName> names = new LinkedHashSet<>();
        for (Found one : listed) {
            ConfigurationPropertyName name = one.ofVariable() ? spelling.whole(one.name()) : one.name();
            for (int i = name.getNumberOfElements(); i > 2; i--) {
                names.add(name.chop(i));
            }
        }
        return names;
    }

    /** Its list may be longer than that of another one. */
    private static Set<ConfigurationPropertyName> withItems(
            Set<ConfigurationPropertyName> asked, ConfigurationPropertySource source) {
        Set<ConfigurationPropertyName> names = new LinkedHashSet<>(asked);
        for (ConfigurationPropertyName name : asked) {
            ConfigurationPropertyName item = name.append("[0]");
            for (int i = 1; source.getConfigurationProperty(item) != null; i++) {
                names.add(item);
                item = name.append("[" + i + "]");
            }
        }
        return names;
    }

    static boolean isOfVariables(ConfigurationPropertySource source) {
        return source.getUnderlyingSource() instanceof SystemEnvironmentPropertySource;
    }

    private static boolean isSwitch(ConfigurationPropertyName name, ConfigurationPropertySource source) {
        return CHAOS.equals(name)
                && source.getUnderlyingSource() instanceof PropertySource<?> of
                && of.getName().equals(StandardEnvironment.SYSTEM_PROPERTIES_PROPERTY_SOURCE_NAME);
    }

    /** {@code holdfast:} alone, and a blank variable, as of {@code ${LIMIT:-}}: it stands for one that is not set. */
    private static boolean isNothing(ConfigurationProperty property, boolean ofVariable) {
        return (ofVariable || ROOT.equals(property.getName()))
                && String.valueOf(property.getValue()).isBlank();
    }

    private static boolean isMeant(ConfigurationPropertyName name, boolean ofVariable) {
        return (ROOT.isAncestorOf(name) || (ROOT.equals(name) && !ofVariable))
                && !OWN.equals(name)
                && !OWN.isAncestorOf(name)
                && (!ofVariable || SECTIONS.contains(name.getElement(1, Form.UNIFORM)));
    }

    private Property property(Found one, Spelling spelling) {
        Found.Where at = one.where();
        List<String> keys = spelling.of(one.name(), one.ofVariable());
        String text = text(one);
        String written = one.property().getValue() instanceof CharSequence unresolved ? unresolved.toString() : text;
        return new Property(keys.isEmpty() ? List.of(PREFIX) : keys, text, written, at.file(), at.line(), at.column());
    }

    private String text(Found one) {
        Object value = one.property().getValue();
        if (value instanceof Map<?, ?> map) {
            // In JSON it is empty: of one with anything in it, Spring makes properties.
            throw new WrongSettingException(one.place()
                    + (map.isEmpty()
                            ? ": is an empty mapping; expected \"\""
                            : ": is a mapping as an object; expected a property for each key in it"));
        }
        try {
            return value instanceof CharSequence text
                    ? environment.resolveRequiredPlaceholders(text.toString())
                    : String.valueOf(value);
        } catch (IllegalArgumentException unknown) {
            throw new WrongSettingException(one.place() + ": " + unknown.getMessage(), unknown);
        }
    }
}
