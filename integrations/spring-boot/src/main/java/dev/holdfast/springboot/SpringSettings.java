/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.config.Holdfast;
import java.time.Duration;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.BindHandler;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.boot.context.properties.bind.handler.NoUnboundElementsBindHandler;
import org.springframework.boot.context.properties.source.UnboundElementsSourceFilter;
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
    private static final String MAX_DEADLINE = EnvironmentProperties.PREFIX + ".spring.server.max-deadline";
    /** Those of the headers. */
    private static final Duration LEAST = Duration.ofMillis(10);

    private static final Duration MOST = Duration.ofDays(365);
    private static final Pattern NUMBER = Pattern.compile("[-+]?[0-9]+");

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
     * @throws org.springframework.boot.context.properties.bind.BindException if a key is unknown or a value is none; Spring Boot
     *     shows where it stands
     */
    public static SpringSettings of(Environment environment) {
        String deadline = environment.getProperty(MAX_DEADLINE);
        // Spring takes it for milliseconds.
        if (deadline != null && NUMBER.matcher(deadline).matches()) {
            throw new WrongSettingException(MAX_DEADLINE + ": is " + deadline
                    + "; expected a duration with its unit, such as " + deadline + "ms");
        }
        return Binder.get(environment)
                .bindOrCreate(
                        EnvironmentProperties.PREFIX + ".spring",
                        Bindable.of(SpringSettings.class),
                        // Variables of the environment may be others', such as those of a Kubernetes service.
                        new NoUnboundElementsBindHandler(BindHandler.DEFAULT, new UnboundElementsSourceFilter()));
    }

    /** Each pipeline that is named must be there. */
    void check(Holdfast holdfast) {
        Duration longest = server.maxDeadline;
        if (longest != null && (longest.compareTo(LEAST) < 0 || longest.compareTo(MOST) > 0)) {
            throw new WrongSettingException(MAX_DEADLINE + ": is " + longest + "; expected 10ms to 365d");
        }
        if (httpClients != null) {
            check(holdfast, "http-clients", httpClients);
        }
        health.downIfOpen.forEach(name -> check(holdfast, "health.down-if-open", name));
    }

    private static void check(Holdfast holdfast, String key, String name) {
        try {
            holdfast.pipeline(name);
        } catch (IllegalArgumentException unknown) {
            throw new WrongSettingException("holdfast.spring." + key + ": " + unknown.getMessage(), unknown);
        }
    }
}
