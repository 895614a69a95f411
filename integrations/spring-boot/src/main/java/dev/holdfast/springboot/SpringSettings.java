/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.Pipeline;
import dev.holdfast.config.Holdfast;
import dev.holdfast.internal.Named;
import dev.holdfast.internal.Nearest;
import dev.holdfast.internal.SafeLog;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.boot.context.properties.bind.PropertySourcesPlaceholdersResolver;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.context.properties.source.IterableConfigurationPropertySource;
import org.springframework.boot.origin.PropertySourceOrigin;
import org.springframework.core.env.Environment;

/**
 * What the starter itself is told, below {@code holdfast.spring}. As strict as the rest: an unknown key ends the start.
 *
 * @param httpClients the pipeline of all builders of clients; null: none
 * @param serviceGroups whether a group of HTTP services gets the pipeline of its name
 * @param server what a server is told
 * @param health what the health is told
 */
public record SpringSettings(
        @Nullable String httpClients,
        @DefaultValue("true") boolean serviceGroups,
        @DefaultValue Server server,
        @DefaultValue Health health) {
    private static final SafeLog LOG = SafeLog.of(Holdfast.class.getName());

    private static final String HEALTH = "management.health.holdfast.enabled";
    private static final String MISSING = "no pipeline '%s' in the properties; a restart would fail";
    private static final String PREFIX = EnvironmentProperties.PREFIX + ".spring";
    private static final String SERVICE_GROUPS = "service-groups";
    private static final String MAX_DEADLINE = "server.max-deadline";
    private static final String HTTP_CLIENTS = "http-clients";
    private static final String DOWN_IF_OPEN_KEY = "health.down-if-open";
    private static final List<String> KEYS = List.of(HTTP_CLIENTS, SERVICE_GROUPS, MAX_DEADLINE, DOWN_IF_OPEN_KEY);
    private static final ConfigurationPropertyName OWN = ConfigurationPropertyName.of(PREFIX);
    private static final ConfigurationPropertyName DOWN_IF_OPEN = OWN.append(DOWN_IF_OPEN_KEY);
    /** Those with keys below them. */
    private static final Set<ConfigurationPropertyName> SECTIONS =
            Set.of(OWN, OWN.append("server"), OWN.append("health"));
    /** Those of one value each, and what it may be. */
    private static final Map<ConfigurationPropertyName, String> SINGLE = Map.of(
            OWN.append(HTTP_CLIENTS),
            "the name of one pipeline, whose settings all hosts have",
            OWN.append(SERVICE_GROUPS),
            "true or false",
            OWN.append(MAX_DEADLINE),
            "a duration with its unit, such as 10s");

    /** Those that Kubernetes makes of a service called holdfast-spring, or holdfast-spring-shop, or by the name of another section. */
    private static final Pattern OF_A_SERVICE = Pattern.compile(
            "HOLDFAST_(?:SPRING|PIPELINES|TEMPLATES|SHARED|DEFAULTS)_(?:.+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_.+)?|PORT(?:_[0-9]+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)");

    /** Those of the headers. */
    private static final Duration LEAST = Duration.ofMillis(10);

    private static final Duration MOST = Duration.ofDays(365);
    private static final Pattern NUMBER = Pattern.compile("[-+]?[0-9]+");
    private static final Pattern TIME = Pattern.compile("[0-9]+(?:ns|us|ms|s|m|h|d)");

    /** Of words that are a truth to some. */
    private static final Map<String, String> MEANT =
            Map.of("true", "true", "yes", "true", "on", "true", "false", "false", "no", "false", "off", "false");

    /**
     * Of the server.
     *
     * @param maxDeadline the longest time of a request, whose headers bind its deadline then; null: they do not
     */
    public record Server(@Nullable Duration maxDeadline) {}

    /**
     * Of the health.
     *
     * @param downIfOpen the names of pipelines without which the service can do nothing
     */
    public record Health(@DefaultValue Set<String> downIfOpen) {}

    /**
     * Those of an environment.
     *
     * @throws RuntimeException if a key is unknown, or a value is none that the other options could have, or is out of range; the
     *     message has a line for each, with its place
     */
    public static SpringSettings of(Environment environment) {
        List<String> wrong = unknown(environment);
        String service = text(environment, SERVICE_GROUPS);
        if (service != null && !service.equals("true") && !service.equals("false")) {
            String meant = MEANT.get(service.toLowerCase(Locale.ROOT));
            wrong.add(placed(environment, SERVICE_GROUPS, service) + "is " + service
                    + (meant == null ? "; expected true or false" : "; did you mean " + meant + "?"));
        }
        String deadline = text(environment, MAX_DEADLINE);
        String no = deadline == null ? null : noDeadline(environment, deadline);
        if (deadline != null && no != null) {
            wrong.add(placed(environment, MAX_DEADLINE, deadline) + no);
        }
        refuse(wrong);
        return binder(environment).bindOrCreate(PREFIX, Bindable.of(SpringSettings.class));
    }

    private static void refuse(List<String> wrong) {
        if (!wrong.isEmpty()) {
            throw new WrongSettingException(String.join("\n", wrong));
        }
    }

    /** Why this is no longest time of a request; null if it is one. */
    private static @Nullable String noDeadline(Environment environment, String said) {
        // Spring takes it for milliseconds.
        if (NUMBER.matcher(said).matches()) {
            return "is " + said + "; expected a duration with its unit, such as " + said + "ms";
        }
        // It takes this, too, which no other option does.
        String meant = said.toLowerCase(Locale.ROOT).replace("+", "");
        if (TIME.matcher(meant).matches() && !meant.equals(said)) {
            return "is " + said + "; did you mean " + meant + "?";
        }
        try {
            Duration longest = binder(environment)
                    .bind(PREFIX + "." + MAX_DEADLINE, Duration.class)
                    .get();
            return longest.compareTo(LEAST) < 0 || longest.compareTo(MOST) > 0
                    ? "is " + longest + "; expected 10ms to 365d"
                    : null;
        } catch (BindException none) {
            return "is " + said + "; expected a duration with its unit, such as 10s";
        }
    }

    private static List<String> unknown(Environment environment) {
        List<String> wrong = new ArrayList<>();
        for (ConfigurationPropertySource source : ConfigurationPropertySources.get(environment)) {
            if (source instanceof IterableConfigurationPropertySource names) {
                Set<ConfigurationPropertyName> told = new HashSet<>();
                for (ConfigurationPropertyName name : names) {
                    boolean isOurs = OWN.equals(name) || OWN.isAncestorOf(name);
                    ConfigurationProperty property =
                            isOurs && !isKnown(name, EnvironmentProperties.isOfVariables(source))
                                    ? source.getConfigurationProperty(name)
                                    : null;
                    String line = property == null ? null : unknown(source, property, resolved(environment, property));
                    // Of several below one that has a single value, the first is told.
                    if (line != null && (single(name) == null || told.add(single(name)))) {
                        wrong.add(line);
                    }
                }
            }
        }
        return wrong;
    }

    /** What is wrong with one that is no key; null if nothing is. */
    private static @Nullable String unknown(
            ConfigurationPropertySource source, ConfigurationProperty property, String said) {
        ConfigurationPropertyName name = property.getName();
        boolean ofVariables = EnvironmentProperties.isOfVariables(source);
        boolean isSection = OWN.equals(name) || (SECTIONS.contains(name) && !ofVariables);
        if (said.isBlank() && (isSection || ofVariables)) {
            return null;
        }
        if (ofVariables && !isSection) {
            return isOfAService(property)
                    ? null
                    : property.getOrigin() + ": unknown key " + name
                            + "; expected one of HOLDFAST_SPRING_HTTPCLIENTS, HOLDFAST_SPRING_SERVICEGROUPS,"
                            + " HOLDFAST_SPRING_SERVER_MAXDEADLINE, HOLDFAST_SPRING_HEALTH_DOWNIFOPEN";
        }
        ConfigurationPropertyName single = single(name);
        if (single != null) {
            return Found.where(source, property).shown() + " " + single + ": is a "
                    + (name.isNumericIndex(single.getNumberOfElements()) ? "list" : "mapping") + "; expected "
                    + SINGLE.get(single);
        }
        return Found.where(source, property).shown() + " " + name + ": "
                + (isSection ? "is " + said + "; expected options below it" : "unknown option; " + meant(name));
    }

    /** @param ofVariable to Spring, {@code HTTP_CLIENTS} is as good as {@code HTTPCLIENTS}, and it does not bind the former's name */
    private static boolean isKnown(ConfigurationPropertyName name, boolean ofVariable) {
        return name.isLastElementIndexed()
                ? name.getParent().equals(DOWN_IF_OPEN)
                : KEYS.stream()
                        .map(OWN::append)
                        .anyMatch(known -> known.equals(name)
                                || (ofVariable && split(known).equals(name)));
    }

    /** The one that has a single value, and has something below it here; null if it is none. */
    private static @Nullable ConfigurationPropertyName single(ConfigurationPropertyName name) {
        return SINGLE.keySet().stream()
                .filter(single -> single.isAncestorOf(name))
                .findFirst()
                .orElse(null);
    }

    private static String meant(ConfigurationPropertyName name) {
        return nearest(name.subName(2).toString())
                .map(near -> "did you mean " + near + "?")
                .orElse("expected one of " + String.join(", ", KEYS));
    }

    /** The key that was probably meant by one below {@code holdfast.spring}, or beside it. */
    static Optional<String> nearest(String written) {
        String key = written.replaceFirst("\\[.*", "");
        return Nearest.to(key, KEYS)
                .or(() -> Nearest.to(
                                leaf(key),
                                KEYS.stream().map(SpringSettings::leaf).toList())
                        .flatMap(leaf -> KEYS.stream()
                                .filter(known -> leaf(known).equals(leaf))
                                .findFirst()));
    }

    private static String leaf(String key) {
        return key.substring(key.lastIndexOf('.') + 1);
    }

    private static ConfigurationPropertyName split(ConfigurationPropertyName name) {
        return ConfigurationPropertyName.of(name.toString().replace('-', '.'));
    }

    static boolean isOfAService(ConfigurationProperty property) {
        return property.getOrigin() instanceof PropertySourceOrigin of
                && OF_A_SERVICE.matcher(of.getPropertyName()).matches();
    }

    private static Binder binder(Environment environment) {
        PropertySourcesPlaceholdersResolver placeholders = new PropertySourcesPlaceholdersResolver(environment);
        return new Binder(sources(environment), value -> {
            Object resolved = placeholders.resolvePlaceholders(value);
            return resolved instanceof String text ? text.strip() : resolved;
        });
    }

    /**
     * Whether a switch is on, which it is if nothing is said of it.
     *
     * @throws RuntimeException as {@link #of}
     */
    static boolean isOn(Environment environment, String key) {
        of(environment);
        return !"false".equals(text(environment, key));
    }

    /** The beginning of a message: where this value, or this item of a list, is said. */
    static String placed(Environment environment, String key, String said) {
        return placed(environment, OWN.append(key), said);
    }

    /** The same for any property. */
    static String placed(Environment environment, ConfigurationPropertyName name, String said) {
        for (ConfigurationPropertySource source : sources(environment)) {
            ConfigurationProperty found = source.getConfigurationProperty(name);
            ConfigurationProperty item = source.getConfigurationProperty(name.append("[0]"));
            for (int i = 1; found == null && item != null; i++) {
                found = resolved(environment, item).equals(said) ? item : null;
                item = source.getConfigurationProperty(name.append("[" + i + "]"));
            }
            if (found != null) {
                return Found.where(source, found).shown() + " " + name + ": ";
            }
        }
        return name + ": ";
    }

    /** What is said of a key that has one value, from the first source that says something; null if it is nothing. */
    static @Nullable String text(Environment environment, String key) {
        ConfigurationPropertyName name = ConfigurationPropertyName.of(PREFIX + "." + key);
        for (ConfigurationPropertySource source : sources(environment)) {
            ConfigurationProperty property = source.getConfigurationProperty(name);
            if (property != null) {
                return resolved(environment, property);
            }
        }
        return null;
    }

    /** A value that was set when the beans were chosen, which may have been in the build. */
    static <T> T required(@Nullable T value, String key) {
        if (value == null) {
            throw new WrongSettingException(
                    PREFIX + "." + key + ": is not set, and was in the build, which decided by it; expected a value");
        }
        return value;
    }

    private static List<ConfigurationPropertySource> sources(Environment environment) {
        List<ConfigurationPropertySource> all = new ArrayList<>();
        for (ConfigurationPropertySource source : ConfigurationPropertySources.get(environment)) {
            all.add(source.filter(name -> !isNothing(environment, source, name)));
        }
        return all;
    }

    private static String resolved(Environment environment, ConfigurationProperty property) {
        return environment
                .resolvePlaceholders(String.valueOf(property.getValue()))
                .strip();
    }

    /**
     * Whether it is blank, as a placeholder that stands for nothing. Only a list is made empty by a blank value, and not by that of a
     * variable of the environment.
     */
    private static boolean isNothing(
            Environment environment, ConfigurationPropertySource source, ConfigurationPropertyName name) {
        if (!SECTIONS.contains(name)
                && !SINGLE.containsKey(name)
                && !(DOWN_IF_OPEN.equals(name) && EnvironmentProperties.isOfVariables(source))) {
            return false;
        }
        ConfigurationProperty property = source.getConfigurationProperty(name);
        return property != null && resolved(environment, property).isBlank();
    }

    /** Each pipeline that is named must be there, and have what it is named for. */
    void check(Holdfast holdfast, Environment environment) {
        List<String> wrong = new ArrayList<>();
        if (httpClients != null) {
            check(
                    () -> ClientPipelines.requireResponses(holdfast, httpClients),
                    environment,
                    HTTP_CLIENTS,
                    httpClients,
                    wrong);
        }
        for (String name : health.downIfOpen) {
            check(() -> BreakerHealth.requireBreaker(holdfast, name), environment, DOWN_IF_OPEN_KEY, name, wrong);
        }
        refuse(wrong);
    }

    /** The same for a restart: a pipeline that goes on, though no property names it any more, would not be there. */
    void checkNames(Set<String> pipelines, Environment environment) {
        List<String> wrong = new ArrayList<>();
        if (httpClients != null && !pipelines.contains(httpClients)) {
            wrong.add(placed(environment, HTTP_CLIENTS, httpClients) + MISSING.formatted(httpClients));
        }
        for (String name : health.downIfOpen) {
            if (!pipelines.contains(name)) {
                wrong.add(placed(environment, DOWN_IF_OPEN_KEY, name) + MISSING.formatted(name));
            }
        }
        refuse(wrong);
    }

    /** The same for pipelines that are read from something else: they keep what is named. */
    void keepNamed(Holdfast holdfast) {
        for (Pipeline one : holdfast.pipelines()) {
            String key = one.name().equals(httpClients)
                    ? HTTP_CLIENTS
                    : health.downIfOpen.contains(one.name()) ? DOWN_IF_OPEN_KEY : null;
            if (key != null) {
                Named.keep(one, PREFIX + "." + key + " names it, and a restart would fail");
            }
        }
    }

    /** Of what nobody asks. A profile may switch the health off, and say so. */
    void warnOfHealth(Environment environment) {
        if (!health.downIfOpen.isEmpty() && !"false".equalsIgnoreCase(environment.getProperty(HEALTH))) {
            LOG.warn(
                    placed(
                                    environment,
                                    DOWN_IF_OPEN_KEY,
                                    health.downIfOpen.iterator().next()) + "does nothing without " + HEALTH
                            + "=true and spring-boot-starter-actuator",
                    null);
        }
    }

    /** A breaker in shadow never makes the health {@code DOWN}. Silent if nobody asks for the health. */
    void warnOfShadow(Holdfast holdfast, Environment environment) {
        if ("false".equalsIgnoreCase(environment.getProperty(HEALTH, "false"))) {
            return;
        }
        for (String name : health.downIfOpen) {
            if (BreakerHealth.isInShadow(holdfast, name)) {
                LOG.warn(
                        placed(environment, DOWN_IF_OPEN_KEY, name) + "the circuit breaker of '" + name
                                + "' is in shadow and never opens, so this does nothing for it; take its mode: shadow out,"
                                + " or the name out of down-if-open",
                        null);
            }
        }
    }

    private static void check(Runnable required, Environment environment, String key, String name, List<String> wrong) {
        try {
            required.run();
        } catch (IllegalArgumentException missing) {
            wrong.add(placed(environment, key, name) + missing.getMessage());
        }
    }
}
