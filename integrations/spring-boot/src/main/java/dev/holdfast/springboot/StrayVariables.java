/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.config.Holdfast;
import dev.holdfast.internal.Nearest;
import dev.holdfast.internal.SafeLog;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName.Form;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.context.properties.source.IterableConfigurationPropertySource;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.Environment;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.SystemEnvironmentPropertySource;

/**
 * Warns of variables of the environment, and of prefixes of properties, that are probably misspelt. Others may begin with {@code HOLDFAST_}, too, so none ends the
 * start. Before the beans are made: for want of the variable one of them may fail.
 */
final class StrayVariables implements BeanFactoryPostProcessor {
    static final String NAME = "holdfastStrayVariables";

    static final String IN_PLACE_OF_VARIABLES =
            "expected SPRING_APPLICATION_JSON, or a placeholder in the file, such as timeout: ${EU_TIMEOUT:1s}";

    private static final SafeLog LOG = SafeLog.of(Holdfast.class.getName());

    /** The sections, and how many words a variable has at least: {@code HOLDFAST_DEFAULTS_TIMEOUT}. */
    private static final Map<String, Integer> LEAST_WORDS =
            Map.of("PIPELINES", 4, "TEMPLATES", 4, "SHARED", 4, "DEFAULTS", 3, "SPRING", 3);

    private static final Set<String> SWITCHES = Set.of("HOLDFAST_ENABLED", "HOLDFAST_DISABLED");

    /** Those that Kubernetes makes of a service, such as one called holdfast-default. */
    private static final Pattern OF_A_SERVICE =
            Pattern.compile(".*_(?:SERVICE_HOST|SERVICE_PORT(?:_.+)?|PORT(?:_[0-9]+_(?:TCP|UDP|SCTP)(?:_.+)?)?)");

    private final Environment environment;

    StrayVariables(Environment environment) {
        this.environment = environment;
    }

    @Override
    public void postProcessBeanFactory(ConfigurableListableBeanFactory beans) {
        boolean parentHasTold = beans.getParentBeanFactory() != null
                && beans.getParentBeanFactory().containsBean(NAME);
        if (parentHasTold || !(environment instanceof ConfigurableEnvironment configurable)) {
            return;
        }
        for (PropertySource<?> source : configurable.getPropertySources()) {
            if (source instanceof SystemEnvironmentPropertySource variables) {
                Arrays.stream(variables.getPropertyNames()).sorted().forEach(StrayVariables::warnOfSection);
            }
        }
        warnOfPrefixes(configurable);
        new EnvironmentProperties(configurable).ofVariablesAlone().forEach(StrayVariables::warnOfPipeline);
    }

    private static void warnOfSection(String variable) {
        if (SWITCHES.contains(variable.toUpperCase(Locale.ROOT))) {
            LOG.warn("the variable " + variable + " does nothing: " + EnvironmentProperties.NO_SWITCH, null);
            return;
        }
        List<String> words = List.of(variable.toUpperCase(Locale.ROOT).split("_", -1));
        if (words.size() < 3
                || !words.get(0).equals("HOLDFAST")
                || LEAST_WORDS.containsKey(words.get(1))
                || OF_A_SERVICE.matcher(variable).matches()) {
            return;
        }
        Nearest.to(words.get(1), LEAST_WORDS.keySet().stream().sorted().toList())
                .filter(near -> words.size() >= LEAST_WORDS.getOrDefault(near, 3))
                .ifPresent(near -> LOG.warn(
                        "the variable " + variable + " does nothing; did you mean HOLDFAST_" + near + "_"
                                + String.join("_", words.subList(2, words.size())) + "?",
                        null));
    }

    private static void warnOfPipeline(EnvironmentProperties.Alone pipeline) {
        LOG.warn(
                "the variable " + pipeline.variable() + " makes the pipeline '" + pipeline.name()
                        + "', which no other source has; "
                        + Nearest.to(pipeline.name(), pipeline.others())
                                .map(StrayVariables::meant)
                                .orElse("the others have " + String.join(", ", pipeline.others())),
                null);
    }

    private static String meant(String near) {
        return Spelling.isWritable(near)
                ? "did you mean '" + near + "'?"
                : "if '" + near + "' is meant, no variable can have this name; " + IN_PLACE_OF_VARIABLES;
    }

    /** To Spring, {@code Holdfast} and {@code hold-fast} are the same, and {@code holdfst} belongs to somebody else. */
    private static void warnOfPrefixes(ConfigurableEnvironment environment) {
        Set<String> told = new HashSet<>();
        for (ConfigurationPropertySource source : ConfigurationPropertySources.get(environment)) {
            if (source instanceof IterableConfigurationPropertySource names
                    && !EnvironmentProperties.isOfVariables(source)) {
                for (ConfigurationPropertyName name : names) {
                    if (isMisspelt(name) && told.add(name.getElement(0, Form.UNIFORM))) {
                        LOG.warn(
                                "the property " + name + " does nothing; did you mean " + EnvironmentProperties.ROOT
                                        + "." + name.subName(1) + "?",
                                null);
                    }
                }
            }
        }
    }

    private static boolean isMisspelt(ConfigurationPropertyName name) {
        return name.getNumberOfElements() > 2
                && LEAST_WORDS.containsKey(name.getElement(1, Form.UNIFORM).toUpperCase(Locale.ROOT))
                && !EnvironmentProperties.ROOT.isAncestorOf(name)
                && Nearest.to(name.getElement(0, Form.ORIGINAL), List.of(EnvironmentProperties.PREFIX))
                        .isPresent();
    }
}
