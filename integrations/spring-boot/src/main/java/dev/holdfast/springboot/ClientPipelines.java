/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.Pipeline;
import dev.holdfast.config.Holdfast;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.http.HttpOptions;
import dev.holdfast.http.Pipelines;
import dev.holdfast.internal.AroundPolicy;
import dev.holdfast.internal.Named;
import dev.holdfast.internal.SafeLog;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.core.env.Environment;
import org.springframework.http.HttpRequest;
import org.springframework.web.reactive.function.client.ClientRequest;

/** Which pipelines the clients of an application get. */
public final class ClientPipelines {
    private static final SafeLog LOG = SafeLog.of(Holdfast.class.getName());

    private static final String VALUE = "value";

    private static final String TEXT =
            "the pipeline '%s' of HTTP clients has a fallback with a value, which is a text and"
                    + " never a response; expected the fallback on a method with @Protected, or fallback: { function: ... } with"
                    + " a function that makes a response";

    private ClientPipelines() {}

    /**
     * One for each authority, with the settings of the one that {@code http-clients} names.
     *
     * @throws IllegalArgumentException if there is no pipeline of this name; the message has the nearest name
     */
    public static Pipelines each(Holdfast holdfast, Environment environment) {
        SpringSettings settings = SpringSettings.of(environment);
        String name = SpringSettings.required(settings.httpClients(), "http-clients");
        settings.check(holdfast, environment);
        return authority -> PipelineBeans.named(any -> holdfast.pipeline(name, authority), name);
    }

    /** Options of the adapter around RestClient and RestTemplate, from these beans. */
    public static Consumer<HttpOptions<HttpRequest>> blocking(ObjectProvider<HoldfastInterceptorCustomizer> beans) {
        return options -> beans.orderedStream().forEach(bean -> bean.customize(options));
    }

    /** Options of the adapter around WebClient, from these beans. */
    public static Consumer<HttpOptions<ClientRequest>> reactive(ObjectProvider<HoldfastFilterCustomizer> beans) {
        return options -> beans.orderedStream().forEach(bean -> bean.customize(options));
    }

    /**
     * Adds the adapter to a client that has none. A client may come by twice, such as the builder of a RestClient that is made of a
     * RestTemplate: with two, each attempt of the outer pipeline would be a call of the inner one.
     */
    public static <T> void addOnce(List<? super T> all, Class<T> kind, Supplier<? extends T> adapter) {
        if (all.stream().noneMatch(kind::isInstance)) {
            all.add(adapter.get());
        }
    }

    /**
     * Whether the client that is being built is of a test ({@code TestRestTemplate}), which must see what the server answers: neither
     * a retry nor an open breaker. Its builder is the application's, and shows nothing by which the client differs.
     */
    public static boolean isOfTest() {
        return StackWalker.getInstance()
                .walk(frames -> frames.anyMatch(frame -> frame.getMethodName().equals("<init>")
                        && frame.getClassName().startsWith("org.springframework.boot.")
                        && frame.getClassName().endsWith(".TestRestTemplate")));
    }

    /**
     * A text that a file gives in place of an answer is no response, and each call would fail with it. What a function makes is not
     * known before.
     *
     * @throws IllegalArgumentException if there is no such pipeline, or its fallback is a text
     */
    static void requireResponses(Holdfast holdfast, String name) {
        if (isText(PipelineBeans.named(holdfast::pipeline, name))) {
            throw new IllegalArgumentException(TEXT.formatted(name));
        }
    }

    private static boolean isText(Pipeline pipeline) {
        return AroundPolicy.behind(pipeline.policies()).stream()
                .anyMatch(policy -> policy instanceof FallbackPolicy fallback
                        && fallback.settings().asMap().containsKey(VALUE));
    }

    /**
     * The pipeline of this name, also if it is spelt in another way, as elsewhere in Spring; null if there is none: the group keeps
     * that of {@code http-clients}, or has none.
     *
     * @throws IllegalArgumentException if its fallback is a text
     */
    public static @Nullable Pipeline find(Holdfast holdfast, Environment environment, String name) {
        Pipeline found = kept(holdfast, environment, name);
        if (found == null && SpringSettings.of(environment).httpClients() == null) {
            LOG.info("the group of HTTP services '" + name + "' has no pipeline, since there is none of this name");
        }
        return found;
    }

    private static @Nullable Pipeline kept(Holdfast holdfast, Environment environment, String name) {
        Pipeline found = named(holdfast, name);
        if (found != null && isText(found)) {
            ConfigurationPropertyName value = EnvironmentProperties.ROOT
                    .append("pipelines")
                    .append("[" + found.name() + "]")
                    .append("fallback.value");
            throw new WrongSettingException(
                    SpringSettings.placed(environment, value, "") + TEXT.formatted(found.name()));
        }
        if (found != null) {
            Named.keep(found, "the group of HTTP services '" + name + "' has it, and would have none after a restart");
        }
        return found;
    }

    /** The same at the start, if this bean is a client of a group, which may be made later. Spring names it by the group and its type. */
    static void keepOfGroup(Holdfast holdfast, Environment environment, String bean, Class<?> type) {
        String client = "#" + type.getName();
        if (bean.endsWith(client)) {
            kept(holdfast, environment, bean.substring(0, bean.length() - client.length()));
        }
    }

    /** To Spring, {@code my-shop} and {@code myShop} are one name. Of several, it is none unless it is the very name. */
    static @Nullable Pipeline named(Holdfast holdfast, String name) {
        List<Pipeline> alike = holdfast.pipelines().stream()
                .filter(pipeline -> uniform(pipeline.name()).equals(uniform(name)))
                .toList();
        return alike.stream()
                .filter(pipeline -> pipeline.name().equals(name))
                .findFirst()
                .orElse(alike.size() == 1 ? alike.get(0) : null);
    }

    private static String uniform(String name) {
        return name.toLowerCase(Locale.ROOT).replace("-", "").replace("_", "");
    }
}
