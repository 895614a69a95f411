/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.Pipeline;
import dev.holdfast.config.Holdfast;
import dev.holdfast.http.Pipelines;
import dev.holdfast.internal.SafeLog;
import org.jspecify.annotations.Nullable;
import org.springframework.core.env.Environment;

/** Which pipelines the clients of an application get. */
public final class ClientPipelines {
    private static final SafeLog LOG = SafeLog.of(Holdfast.class.getName());

    private ClientPipelines() {}

    /**
     * One for each authority, with the settings of the one that {@code http-clients} names.
     *
     * @throws IllegalArgumentException if there is no pipeline of this name; the message has the nearest name
     */
    public static Pipelines each(Holdfast holdfast, Environment environment) {
        String name = SpringSettings.required(SpringSettings.of(environment).httpClients(), "http-clients");
        holdfast.pipeline(name);
        return authority -> holdfast.pipeline(name, authority);
    }

    /** The pipeline of this name; null if there is none. */
    public static @Nullable Pipeline find(Holdfast holdfast, String name) {
        Pipeline found = holdfast.pipelines().stream()
                .filter(pipeline -> pipeline.name().equals(name))
                .findFirst()
                .orElse(null);
        if (found == null) {
            LOG.info("the group of HTTP services '" + name + "' has no pipeline, since there is none of this name");
        }
        return found;
    }
}
