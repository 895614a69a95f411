/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.config.Holdfast;
import dev.holdfast.internal.Nearest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
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
    private static final String PREFIX = EnvironmentProperties.PREFIX + ".spring";
    private static final String SERVICE_GROUPS = "service-groups";
    private static final String MAX_DEADLINE_KEY = "server.max-deadline";
    private static final String MAX_DEADLINE = PREFIX + "." + MAX_DEADLINE_KEY;
    private static final String HTTP_CLIENTS = "http-clients";
    private static final String DOWN_IF_OPEN_KEY = "health.down-if-open";
    private static final List<String> KEYS = List.of(HTTP_CLIENTS, SERVICE_GROUPS, MAX_DEADLINE_KEY, DOWN_IF_OPEN_KEY);
    private static final ConfigurationPropertyName OWN = ConfigurationPropertyName.of(PREFIX);
    private static final ConfigurationPropertyName DOWN_IF_OPEN = OWN.append(DOWN_IF_OPEN_KEY);
    /** Those with keys below them, which may be blank. */
    private static final Set<ConfigurationPropertyName> SECTIONS = Set.of(OWN.append("server"), OWN.append("health"));
    /** Those of one value each: a blank one hides nothing. */
    private static final Set<ConfigurationPropertyName> SINGLE =
            Set.of(OWN.append(HTTP_CLIENTS), OWN.append(SERVICE_GROUPS), OWN.append(MAX_DEADLINE_KEY));

    /** Those that Kubernetes makes of a service called holdfast-spring, or holdfast-spring-shop. */
    private static final Pattern OF_A_SERVICE = Pattern.compile(
            "HOLDFAST_SPRING_(?:.+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_.+)?|PORT(?:_[0-9]+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)");

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
     * @throws org.springframework.boot.context.properties.bind.BindException if a value is none; Spring Boot shows where it stands
     * @throws RuntimeException if a key is unknown, or a value is none that the other options could have, or is out of range; the
     *     message says it
     */
    public static SpringSettings of(Environment environment) {
        refuseUnknown(environment);
        String deadline = text(environment, MAX_DEADLINE_KEY);
        // Spring takes it for milliseconds.
        if (deadline != null && NUMBER.matcher(deadline).matches()) {
            throw new WrongSettingException(MAX_DEADLINE + ": is " + deadline
                    + "; expected a duration with its unit, such as " + deadline + "ms");
        }
        // It takes this, too, which no other option does.
        String meant = deadline == null ? "" : deadline.toLowerCase(Locale.ROOT).replace("+", "");
        if (deadline != null && TIME.matcher(meant).matches() && !meant.equals(deadline)) {
            throw new WrongSettingException(MAX_DEADLINE + ": is " + deadline + "; did you mean " + meant + "?");
        }
        checkSwitch(SERVICE_GROUPS, text(environment, SERVICE_GROUPS));
        SpringSettings all = binder(environment).bindOrCreate(PREFIX, Bindable.of(SpringSettings.class));
        Duration longest = all.server.maxDeadline;
        if (longest != null && (longest.compareTo(LEAST) < 0 || longest.compareTo(MOST) > 0)) {
            throw new WrongSettingException(MAX_DEADLINE + ": is " + longest + "; expected 10ms to 365d");
        }
        return all;
    }

    private static void refuseUnknown(Environment environment) {
        for (ConfigurationPropertySource source : ConfigurationPropertySources.get(environment)) {
            if (source instanceof IterableConfigurationPropertySource names) {
                boolean ofVariables = EnvironmentProperties.isOfVariables(source);
                for (ConfigurationPropertyName name : names) {
                    ConfigurationProperty property = OWN.isAncestorOf(name) && !isKnown(name, ofVariables)
                            ? source.getConfigurationProperty(name)
                            : null;
                    if (property != null && !ofVariables) {
                        throw new WrongSettingException(EnvironmentProperties.where(source, property) + " " + name
                                + ": unknown option; " + meant(name));
                    }
                    if (property != null && !resolved(environment, property).isBlank()) {
                        refuseUnlessOfAService(property);
                    }
                }
            }
        }
    }

    /** @param ofVariable to Spring, {@code HTTP_CLIENTS} is as good as {@code HTTPCLIENTS}, and it does not bind the former's name */
    private static boolean isKnown(ConfigurationPropertyName name, boolean ofVariable) {
        return name.isLastElementIndexed()
                ? name.getParent().equals(DOWN_IF_OPEN)
                : (!ofVariable && SECTIONS.contains(name))
                        || KEYS.stream()
                                .map(OWN::append)
                                .anyMatch(known -> known.equals(name)
                                        || (ofVariable && split(known).equals(name)));
    }

    private static String meant(ConfigurationPropertyName name) {
        String key = name.toString().substring(PREFIX.length() + 1).replaceFirst("\\[.*", "");
        return Nearest.to(key, KEYS)
                .or(() -> Nearest.to(
                                leaf(key),
                                KEYS.stream().map(SpringSettings::leaf).toList())
                        .flatMap(leaf -> KEYS.stream()
                                .filter(known -> leaf(known).equals(leaf))
                                .findFirst()))
                .map(near -> "did you mean " + near + "?")
                .orElse("expected one of " + String.join(", ", KEYS));
    }

    private static String leaf(String key) {
        return key.substring(key.lastIndexOf('.') + 1);
    }

    private static ConfigurationPropertyName split(ConfigurationPropertyName name) {
        return ConfigurationPropertyName.of(name.toString().replace('-', '.'));
    }

    private static void refuseUnlessOfAService(ConfigurationProperty property) {
        String variable = property.getOrigin() instanceof PropertySourceOrigin of ? of.getPropertyName() : "";
        if (!OF_A_SERVICE.matcher(variable).matches()) {
            throw new WrongSettingException(property.getOrigin() + ": unknown key " + property.getName()
                    + "; expected one of HOLDFAST_SPRING_HTTPCLIENTS, HOLDFAST_SPRING_SERVICEGROUPS,"
                    + " HOLDFAST_SPRING_SERVER_MAXDEADLINE, HOLDFAST_SPRING_HEALTH_DOWNIFOPEN");
        }
    }

    private static Binder binder(Environment environment) {
        return new Binder(sources(environment), new PropertySourcesPlaceholdersResolver(environment));
    }

    /**
     * Whether a switch is on, which it is if nothing is said of it.
     *
     * @throws RuntimeException if it is neither {@code true} nor {@code false}, as Spring's {@code yes}; the message says it
     */
    static boolean isOn(Environment environment, String key) {
        String said = text(environment, key);
        checkSwitch(key, said);
        return !"false".equals(said);
    }

    private static void checkSwitch(String key, @Nullable String said) {
        if (said != null && !said.equals("true") && !said.equals("false")) {
            String meant = MEANT.get(said.toLowerCase(Locale.ROOT));
            throw new WrongSettingException(PREFIX + "." + key + ": is " + said
                    + (meant == null ? "; expected true or false" : "; did you mean " + meant + "?"));
        }
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
        return environment.resolvePlaceholders(String.valueOf(property.getValue()));
    }

    /**
     * Whether it is blank, as a placeholder that stands for nothing. Only a list is made empty by a blank value, and not by that of a
     * variable of the environment.
     */
    private static boolean isNothing(
            Environment environment, ConfigurationPropertySource source, ConfigurationPropertyName name) {
        if (!SINGLE.contains(name) && !(DOWN_IF_OPEN.equals(name) && EnvironmentProperties.isOfVariables(source))) {
            return false;
        }
        ConfigurationProperty property = source.getConfigurationProperty(name);
        return property != null && resolved(environment, property).isBlank();
    }

    /** Each pipeline that is named must be there. */
    void check(Holdfast holdfast) {
        if (httpClients != null) {
            check(holdfast, HTTP_CLIENTS, httpClients);
        }
        health.downIfOpen.forEach(name -> check(holdfast, DOWN_IF_OPEN_KEY, name));
    }

    private static void check(Holdfast holdfast, String key, String name) {
        try {
            holdfast.pipeline(name);
        } catch (IllegalArgumentException unknown) {
            throw new WrongSettingException("holdfast.spring." + key + ": " + unknown.getMessage(), unknown);
        }
    }
}
