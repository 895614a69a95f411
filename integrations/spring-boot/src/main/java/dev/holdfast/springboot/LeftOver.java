/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.config.Holdfast;
import dev.holdfast.internal.SafeLog;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.context.properties.source.ConfigurationPropertyState;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.util.ClassUtils;

/** Settings of resilience4j that were forgotten when its starter went: nobody reads them, and nobody would say so. */
final class LeftOver {
    private static final SafeLog LOG = SafeLog.of(Holdfast.class.getName());
    private static final ConfigurationPropertyName ROOT = ConfigurationPropertyName.of("resilience4j");

    /** All its starters have it. */
    private static final String OF_STARTERS = "io.github.resilience4j.common.CompositeCustomizer";

    private LeftOver() {}

    static void warn(ConfigurableEnvironment environment) {
        if (isAny(environment) && !ClassUtils.isPresent(OF_STARTERS, LeftOver.class.getClassLoader())) {
            LOG.warn(
                    "the application has properties below resilience4j, and no starter of resilience4j that reads them:"
                            + " they do nothing; see " + ConfigFailureAnalyzer.PAGES + "migrating-from-resilience4j.md",
                    null);
        }
    }

    private static boolean isAny(ConfigurableEnvironment environment) {
        for (ConfigurationPropertySource source : ConfigurationPropertySources.get(environment)) {
            if (source.containsDescendantOf(ROOT) == ConfigurationPropertyState.PRESENT) {
                return true;
            }
        }
        return false;
    }
}
