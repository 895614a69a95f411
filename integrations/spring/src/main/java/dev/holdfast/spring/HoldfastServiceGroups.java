/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import dev.holdfast.Pipeline;
import dev.holdfast.http.HttpOptions;
import dev.holdfast.http.Pipelines;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpRequest;
import org.springframework.web.client.support.RestClientHttpServiceGroupConfigurer;
import org.springframework.web.reactive.function.client.ClientRequest;
import org.springframework.web.reactive.function.client.support.WebClientHttpServiceGroupConfigurer;

/**
 * Gives each group of HTTP services ({@code @ImportHttpServices}) the pipeline of its name. Needs Spring Framework 7.
 *
 * <pre>{@code
 * @Bean
 * RestClientHttpServiceGroupConfigurer pipelines(Holdfast holdfast) {
 *     return HoldfastServiceGroups.ofRestClient(holdfast::pipeline);
 * }
 * }</pre>
 *
 * <p>A group is about one service, so it has one pipeline, whatever its hosts. One that its client has already gives way. The
 * function is asked when the groups are made, once for each. If it throws, since there is no such pipeline, the context does not
 * start. If it returns null, the group has none.
 */
public final class HoldfastServiceGroups {
    private HoldfastServiceGroups() {}

    /** For groups with RestClient, by their names. */
    public static RestClientHttpServiceGroupConfigurer ofRestClient(
            Function<? super String, ? extends @Nullable Pipeline> pipelines) {
        return ofRestClient(pipelines, options -> {});
    }

    /** As {@link #ofRestClient(Function)}, with options for each group that has a pipeline. */
    public static RestClientHttpServiceGroupConfigurer ofRestClient(
            Function<? super String, ? extends @Nullable Pipeline> pipelines,
            Consumer<? super HttpOptions<HttpRequest>> configure) {
        Objects.requireNonNull(pipelines, "pipelines");
        Objects.requireNonNull(configure, "configure");
        return groups -> groups.forEachClient((group, client) -> withPipeline(
                pipelines.apply(group.name()),
                pipeline -> client.requestInterceptors(all -> {
                    all.removeIf(HoldfastInterceptor.class::isInstance);
                    all.add(HoldfastInterceptor.of(pipeline, configure));
                })));
    }

    /** For groups with WebClient, by their names. */
    public static WebClientHttpServiceGroupConfigurer ofWebClient(
            Function<? super String, ? extends @Nullable Pipeline> pipelines) {
        return ofWebClient(pipelines, options -> {});
    }

    /** As {@link #ofWebClient(Function)}, with options for each group that has a pipeline. */
    public static WebClientHttpServiceGroupConfigurer ofWebClient(
            Function<? super String, ? extends @Nullable Pipeline> pipelines,
            Consumer<? super HttpOptions<ClientRequest>> configure) {
        Objects.requireNonNull(pipelines, "pipelines");
        Objects.requireNonNull(configure, "configure");
        return WithWebClient.groups(pipelines, configure);
    }

    /** Loaded only where there is a WebClient. */
    private static final class WithWebClient {
        static WebClientHttpServiceGroupConfigurer groups(
                Function<? super String, ? extends @Nullable Pipeline> pipelines,
                Consumer<? super HttpOptions<ClientRequest>> configure) {
            return groups -> groups.forEachClient((group, client) -> withPipeline(
                    pipelines.apply(group.name()),
                    pipeline -> client.filters(all -> {
                        all.removeIf(HoldfastFilter.class::isInstance);
                        all.add(HoldfastFilter.of(pipeline, configure));
                    })));
        }
    }

    private static void withPipeline(@Nullable Pipeline pipeline, Consumer<Pipelines> add) {
        if (pipeline != null) {
            add.accept(Pipelines.one(pipeline));
        }
    }
}
