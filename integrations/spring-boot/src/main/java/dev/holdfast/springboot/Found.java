/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.origin.Origin;
import org.springframework.boot.origin.PropertySourceOrigin;
import org.springframework.boot.origin.TextResourceOrigin;
import org.springframework.core.env.PropertySource;
import org.springframework.core.io.Resource;

/**
 * A property that a source has.
 *
 * @param ofVariable whether it is a variable of the environment, whose name has neither hyphens nor small letters
 * @param name that of the property, in which all sources mean the same
 */
record Found(
        ConfigurationPropertySource source,
        ConfigurationProperty property,
        boolean ofVariable,
        ConfigurationPropertyName name) {
    /** {@code class path resource [application.yml]}. */
    private static final Pattern IN_BRACKETS = Pattern.compile("[^\\[]*\\[([^\\[\\]]+)]");

    Found withName(ConfigurationPropertyName other) {
        return new Found(source, property, ofVariable, other);
    }

    /**
     * Where it stands.
     *
     * @param line from 1, and 0 if it is not known
     */
    record Where(String file, int line, int column) {
        /** {@code application.yml:6:22}. */
        String shown() {
            return file + (line > 0 ? ":" + line + ":" + column : "");
        }
    }

    Where where() {
        return where(source, property);
    }

    static Where where(ConfigurationPropertySource source, ConfigurationProperty property) {
        Origin origin = origin(property);
        if (origin instanceof TextResourceOrigin text && text.getLocation() != null && text.getResource() != null) {
            return new Where(
                    shownFile(text.getResource(), name(source)),
                    text.getLocation().getLine() + 1,
                    text.getLocation().getColumn() + 1);
        }
        return new Where(origin == null ? "the property " + property.getName() : origin.toString(), 0, 0);
    }

    static @Nullable Origin origin(ConfigurationProperty property) {
        Origin origin = property.getOrigin();
        return origin instanceof PropertySourceOrigin of && of.getOrigin() != null ? of.getOrigin() : origin;
    }

    /** The beginning of a message about it. */
    String place() {
        Where at = where();
        return at.file + (at.line > 0 ? ":" + at.line : "") + " " + shown(property.getName());
    }

    static String shown(ConfigurationPropertyName name) {
        return EnvironmentProperties.ROOT.isAncestorOf(name) ? name.subName(1).toString() : name.toString();
    }

    /** The name of a source. */
    static String name(ConfigurationPropertySource source) {
        return source.getUnderlyingSource() instanceof PropertySource<?> of ? of.getName() : source.toString();
    }

    /**
     * With its folder: there may be several of one name. What is no file, such as a variable of the environment that is imported,
     * says nothing of itself.
     *
     * @param source the name of its source
     */
    static String shownFile(Resource resource, String source) {
        String description = resource.getDescription();
        Matcher inBrackets = IN_BRACKETS.matcher(description);
        return resource.getFilename() == null ? source : inBrackets.matches() ? inBrackets.group(1) : description;
    }
}
