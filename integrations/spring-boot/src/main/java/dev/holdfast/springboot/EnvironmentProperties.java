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
import org.springframework.core.env.CompositePropertySource;
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

    static final String NO_SWITCH =
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

    /** The names of those that there are at first. */
    private volatile Set<String> first = Set.of();

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
        List<Found> written = found(new Asked());
        refuseDropped();
        Brackets brackets = new Brackets();
        written.forEach(one -> brackets.learn(one.name()));
        List<Found> listed = uniform(written, brackets);
        Lookalikes.refuse(listed);
        Spelling spelling = spelling(listed);
        List<Found> spelt = new ArrayList<>(lowestFirst(listed));
        spelt.addAll(lowestFirst(written));
        Asked asked = new Asked(spelt, spelling);
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

    /** Where two sources spell a name in two ways, it is that of the lower one, which others add to; but none of the first pipelines is renamed. */
    private Spelling spelling(List<Found> listed) {
        Spelling spelling = new Spelling();
        List<Found> written =
                lowestFirst(listed).stream().filter(one -> !one.ofVariable()).toList();
        written.stream()
                .filter(one -> isOfAPipeline(one.name()) && first.contains(Spelling.original(one.name(), 2)))
                .forEach(one -> spelling.learn(one.name().chop(3)));
        written.forEach(one -> spelling.learn(one.name()));
        return spelling;
    }

    private static List<Found> lowestFirst(List<Found> all) {
        List<Found> reversed = new ArrayList<>(all);
        Collections.reverse(reversed);
        return reversed;
    }

    private static boolean isOfAPipeline(ConfigurationPropertyName name) {
        return name.getNumberOfElements() > 2
                && name.getElement(1, Form.UNIFORM).equals("pipelines");
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
        for (Found one : found(new Asked())) {
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
        Set<String> pipelines = pipelines(sources.stream().flatMap(List::stream));
        if (isLoaded) {
            settings.checkNames(pipelines, environment);
        } else {
            first = pipelines;
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
        for (ConfigurationPropertySource source : sources()) {
            if (!isOfVariables(source)
                    && source instanceof IterableConfigurationPropertySource names
                    && names.stream()
                            .anyMatch(name -> OWN.isAncestorOf(name) && !(forPipelines && ALONE.contains(name)))) {
                return true;
            }
        }
        return !found(new Asked()).isEmpty() || isWrong();
    }

    private static List<Found> uniform(List<Found> all, Brackets brackets) {
        return all.stream()
                .map(one -> one.withName(brackets.uniform(one.name())))
                .toList();
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
        for (ConfigurationPropertySource source : sources()) {
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
        List<Found> written = found(new Asked());
        Brackets brackets = new Brackets();
        written.forEach(one -> brackets.learn(one.name()));
        List<Found> all = uniform(written, brackets).stream()
                .filter(one -> isOfAPipeline(one.name()))
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
        for (ConfigurationPropertySource source : sources()) {
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
    private List<Found> found(Asked asked) {
        List<Found> all = new ArrayList<>();
        for (ConfigurationPropertySource source : sources()) {
            boolean ofVariables = isOfVariables(source);
            Stream<ConfigurationProperty> properties = source instanceof IterableConfigurationPropertySource names
                    ? names.stream()
                            .filter(name -> isMeant(name, ofVariables) && !isSwitch(name, source))
                            .flatMap(name -> Stream.ofNullable(source.getConfigurationProperty(name)))
                    : asked.of(source);
            properties
                    .filter(one -> !isNothing(one, ofVariables) && !(ofVariables && SpringSettings.isOfAService(one)))
                    .flatMap(one -> split(one).stream())
                    .forEach(one -> all.add(new Found(source, one, ofVariables, one.getName())));
        }
        return all;
    }

    /** The first source first. Several that Spring knows by one name, such as two files of a {@code @PropertySource}, are several. */
    private List<ConfigurationPropertySource> sources() {
        List<ConfigurationPropertySource> all = new ArrayList<>();
        for (ConfigurationPropertySource source : ConfigurationPropertySources.get(environment)) {
            if (source.getUnderlyingSource() instanceof CompositePropertySource several) {
                several.getPropertySources().forEach(one -> add(one, all));
            } else {
                all.add(source);
            }
        }
        return all;
    }

    private static void add(PropertySource<?> source, List<ConfigurationPropertySource> all) {
        if (source instanceof CompositePropertySource several) {
            several.getPropertySources().forEach(one -> add(one, all));
        } else {
            Optional.ofNullable(ConfigurationPropertySource.from(source)).ifPresent(all::add);
        }
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
