/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.Pipeline;
import dev.holdfast.config.Holdfast;
import dev.holdfast.fallback.FallbackPolicy;
import dev.holdfast.internal.SafeLog;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.HierarchicalBeanFactory;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.support.AbstractBeanDefinition;
import org.springframework.beans.factory.support.AutowireCandidateQualifier;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.beans.factory.support.RootBeanDefinition;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.ImportBeanDefinitionRegistrar;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.Environment;
import org.springframework.core.type.AnnotationMetadata;

/** Makes a bean of each pipeline, whose qualifier is the pipeline's name. */
final class PipelineBeans implements ImportBeanDefinitionRegistrar {
    private static final SafeLog LOG = SafeLog.of(Holdfast.class.getName());

    /** Of the name of a bean. */
    private static final String PREFIX = "holdfast.pipeline.";

    private static final String HTTP_CLIENTS = "http-clients";
    private static final String WEB_CLIENT = "webClientBuilder";
    private static final List<String> BUILDERS = List.of("restClientBuilder", "restTemplateBuilder", WEB_CLIENT);

    private final BeanFactory beans;
    private final Environment environment;

    PipelineBeans(BeanFactory beans, Environment environment) {
        this.beans = beans;
        this.environment = environment;
    }

    @Override
    public void registerBeanDefinitions(AnnotationMetadata importing, BeanDefinitionRegistry registry) {
        if (!(environment instanceof ConfigurableEnvironment configurable)) {
            return;
        }
        warnOfBuilders();
        EnvironmentProperties properties = new EnvironmentProperties(configurable);
        Set<String> names = properties.pipelines();
        parents(properties).ifPresent(names::retainAll);
        for (String name : names) {
            // A method and no supplier: of one, nothing can be generated ahead of time.
            RootBeanDefinition definition = new RootBeanDefinition(PipelineBeans.class);
            definition.setFactoryMethodName("pipeline");
            definition.setTargetType(Pipeline.class);
            definition.setAutowireMode(AbstractBeanDefinition.AUTOWIRE_CONSTRUCTOR);
            definition.getConstructorArgumentValues().addIndexedArgumentValue(1, name);
            definition.addQualifier(new AutowireCandidateQualifier(Qualifier.class, name));
            // A bean of the application's own may have the pipeline's name.
            registry.registerBeanDefinition(PREFIX + name, definition);
        }
    }

    /** Whether this is one of them, also if it was generated ahead of time. */
    static boolean isOne(BeanDefinition definition) {
        return PipelineBeans.class.getName().equals(definition.getBeanClassName());
    }

    /** A bean; the container calls it. */
    static Pipeline pipeline(Holdfast holdfast, String name, ClosedLast ours, BeanFactory beans) {
        try {
            return named(holdfast::pipeline, name);
        } catch (IllegalArgumentException missing) {
            // A child context with pipelines of its own has the properties of its parent, too.
            BeanFactory parent = parent(beans);
            if (parent != null && parent.containsBean(PREFIX + name)) {
                return parent.getBean(PREFIX + name, Pipeline.class);
            }
            throw new WrongSettingException(
                    "holdfast.pipelines." + name + ": " + missing.getMessage()
                            + (ours.has(holdfast)
                                    ? ""
                                    : ". The application makes the bean of Holdfast itself, beside which properties below"
                                            + " holdfast.pipelines mean nothing"),
                    missing);
        }
    }

    /**
     * The pipeline of this name. A test may have a mock of Holdfast, which answers null: what needs a pipeline gets one without limits,
     * in which the fallback of a method still answers.
     */
    static Pipeline named(Function<String, @Nullable Pipeline> pipelines, String name) {
        Pipeline found = pipelines.apply(name);
        return found == null
                ? Pipeline.builder(name).policies(FallbackPolicy.ofOperations()).build()
                : found;
    }

    /** The names of those of a parent context, which a child context uses; empty if there are none. */
    private Optional<Set<String>> parents(EnvironmentProperties properties) {
        boolean hasOwn = beans instanceof ListableBeanFactory all
                && all.getBeanNamesForType(Holdfast.class, true, false).length > 0;
        BeanFactory parent = hasOwn ? null : parent(beans);
        Holdfast holdfast =
                parent == null ? null : parent.getBeanProvider(Holdfast.class).getIfAvailable();
        if (parent == null || holdfast == null) {
            return Optional.empty();
        }
        if (parent.getBean(ConfigurableApplicationContext.ENVIRONMENT_BEAN_NAME) instanceof ConfigurableEnvironment of
                && !said(new EnvironmentProperties(of)).containsAll(said(properties))) {
            LOG.warn(
                    "a child context has properties below holdfast.pipelines that its parent has not, and they mean"
                            + " nothing: it uses the pipelines of its parent",
                    null);
        }
        return Optional.of(holdfast.pipelines().stream().map(Pipeline::name).collect(Collectors.toSet()));
    }

    private static @Nullable BeanFactory parent(BeanFactory beans) {
        return beans instanceof HierarchicalBeanFactory child ? child.getParentBeanFactory() : null;
    }

    /** Spring Boot makes no builder where the parent has one, and that one asks the parent alone for what it gets. */
    private void warnOfBuilders() {
        BeanFactory parent = parent(beans);
        String said = SpringSettings.text(environment, HTTP_CLIENTS);
        if (parent == null || said == null) {
            return;
        }
        List<String> builders = BUILDERS.stream().filter(parent::containsBean).toList();
        if (!builders.isEmpty()
                && parent.getBean(ConfigurableApplicationContext.ENVIRONMENT_BEAN_NAME) instanceof Environment of
                && !said.equals(SpringSettings.text(of, HTTP_CLIENTS))) {
            LOG.warn(
                    "a child context has holdfast.spring.http-clients: " + said + ", which its parent has not, and it"
                            + " does nothing to the builders of clients that are the parent's: "
                            + String.join(", ", builders) + "; expected the property in the parent",
                    null);
        }
        warnOfOptions(HoldfastInterceptorCustomizer.class, builders, name -> !name.equals(WEB_CLIENT));
        warnOfOptions(HoldfastFilterCustomizer.class, builders, WEB_CLIENT::equals);
    }

    /** Nor does it ask for the options of the child's. */
    private void warnOfOptions(Class<?> type, List<String> builders, Predicate<String> isForThem) {
        String past = builders.stream().filter(isForThem).collect(Collectors.joining(", "));
        if (!past.isEmpty()
                && beans instanceof ListableBeanFactory all
                && all.getBeanNamesForType(type, true, false).length > 0) {
            LOG.warn(
                    "a child context has a " + type.getSimpleName() + ", which does nothing to the builders of clients"
                            + " that are the parent's: " + past + "; expected the bean in the parent",
                    null);
        }
    }

    private static Set<List<Object>> said(EnvironmentProperties properties) {
        return properties.all().stream()
                .map(property -> List.<Object>of(property.keys(), property.value()))
                .collect(Collectors.toSet());
    }
}
