/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.Classifier;
import dev.holdfast.config.Holdfast;
import dev.holdfast.internal.Lazily;
import dev.holdfast.spi.CallObserver;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.IntSupplier;
import java.util.function.ToIntFunction;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.boot.http.client.ClientHttpRequestFactoryBuilder;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.Environment;
import org.springframework.util.function.SingletonSupplier;

/**
 * Makes the pipelines of the properties below {@code holdfast}, as beans, if there are any. Classifiers and functions that are beans
 * are bound by their names and aliases; observers that are beans are told of everything.
 */
@AutoConfiguration(
        afterName = {
            "org.springframework.boot.http.client.autoconfigure.imperative.ImperativeHttpClientAutoConfiguration",
            "org.springframework.boot.autoconfigure.http.client.HttpClientAutoConfiguration" // of Spring Boot 3
        })
@Import(ServerConfiguration.class)
public class HoldfastAutoConfiguration {
    static final String HOLDFAST = "holdfast";

    /** Beans of these types have the names that a configuration may take from code. */
    private static final List<Class<?>> NAMED =
            List.of(Classifier.class, Function.class, IntSupplier.class, ToIntFunction.class);

    /** For the container. */
    public HoldfastAutoConfiguration() {}

    /** Methods with an annotation. Also without any pipeline: such a method must not run unprotected. */
    @Bean
    static ProtectedBeans holdfastProtectedBeans(ObjectProvider<Holdfast> holdfast, Environment environment) {
        ProtectedBeans beans = new ProtectedBeans(holdfast::getIfAvailable, ThrownResponses::of);
        beans.setProxyTargetClass(environment.getProperty("spring.aop.proxy-target-class", Boolean.class, true));
        return beans;
    }

    /** Static, since it must be there before all others. */
    @Bean
    static EarlyBeans holdfastEarlyBeans() {
        return new EarlyBeans();
    }

    @Bean
    static ProtectedBeans.InPlace holdfastProtectedBeansInPlace(ProtectedBeans beans) {
        return beans.inPlace();
    }

    /** Static, since it must be there before all others. */
    @Bean
    static NeverLazy holdfastNeverLazy() {
        return new NeverLazy();
    }

    /** A reload keeps what methods of beans name that are made later. Static, as what it asks. */
    @Bean
    static MadeLater holdfastLaterMethods(
            ConfigurableListableBeanFactory beans, ProtectedBeans methods, ObjectProvider<Holdfast> holdfast) {
        return new MadeLater(beans, holdfast, (pipelines, name, type) -> methods.keepOf(type));
    }

    /** Also without pipelines, and for those that the application makes itself. */
    @Bean
    SpringSettings holdfastSpringSettings(
            ObjectProvider<Holdfast> holdfast, Environment environment, BeanFactory beans) {
        SpringSettings settings = SpringSettings.of(environment);
        holdfast.ifUnique(pipelines -> settings.check(pipelines, environment));
        if (beans.containsBean("holdfastHealthIndicator")) {
            holdfast.ifUnique(pipelines -> settings.warnOfShadow(pipelines, environment));
        } else {
            settings.warnOfHealth(environment);
        }
        return settings;
    }

    /** Static, since it must be there before all others. */
    @Bean(StrayVariables.NAME)
    static StrayVariables holdfastStrayVariables(Environment environment) {
        return new StrayVariables(environment);
    }

    @Bean
    static OwnPipelines holdfastOwnPipelines(
            ConfigurableListableBeanFactory beans, ObjectProvider<ClosedLast> ours, Environment environment) {
        return new OwnPipelines(beans, ours, environment);
    }

    /** Nothing would receive the deadlines, and nobody would see that. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.REACTIVE)
    @ConditionalOnSetting("server.max-deadline")
    static class ReactiveServer {
        ReactiveServer(Environment environment) {
            throw new WrongSettingException(SpringSettings.placed(environment, "server.max-deadline", "")
                    + "does nothing in a reactive"
                    + " application, which has no servlets; a WebFilter can put the deadline of a request into the"
                    + " Context, see " + ConfigFailureAnalyzer.PAGES + "reactor.md");
        }
    }

    /** What there is with pipelines only. */
    @Configuration(proxyBeanMethods = false)
    @Conditional(OnPipelines.class)
    @Import({
        PipelineBeans.class,
        MicrometerConfiguration.class,
        ActuatorConfiguration.class,
        HealthConfiguration.class,
        ClientsConfiguration.class,
        GroupRetries.class
    })
    static class Pipelines {
        /** All pipelines. */
        @Bean(HOLDFAST)
        @ConditionalOnMissingBean
        Holdfast holdfast(
                ClosedLast closed,
                ConfigurableEnvironment environment,
                ListableBeanFactory beans,
                ObjectProvider<CallObserver> observers,
                ObjectProvider<HoldfastCustomizer> customizers) {
            SpringSettings settings = SpringSettings.of(environment);
            Holdfast.Builder builder = Holdfast.builder();
            observers.orderedStream().forEach(builder::observer);
            Set<String> bound = new HashSet<>();
            for (Class<?> type : NAMED) {
                bind(type, beans, bound, builder);
            }
            customizers.orderedStream().forEach(customizer -> customizer.customize(builder));
            EnvironmentProperties properties = new EnvironmentProperties(environment);
            Holdfast loaded = builder.load("the properties of the application", properties::checked);
            try {
                settings.check(loaded, environment);
            } catch (RuntimeException wrong) {
                loaded.close();
                throw wrong;
            }
            properties.loaded();
            closed.add(loaded);
            LeftOver.warn(environment);
            return loaded;
        }

        /** Static, since it must be there before all others. */
        @Bean
        static ClosedLast holdfastClosedLast() {
            return new ClosedLast();
        }

        /** Static, since it must be there before what it changes. */
        @Bean
        @ConditionalOnSetting("http-clients")
        static OwnRetries holdfastOwnRetries() {
            return new OwnRetries();
        }

        /** Static, since it must be there before what it looks at. */
        @Bean
        @ConditionalOnSetting("http-clients")
        static OwnBuilders holdfastOwnBuilders(ConfigurableListableBeanFactory beans, Environment environment) {
            return new OwnBuilders(beans, environment);
        }

        /** So it does what groups have whose clients are made later. */
        @Bean
        @ConditionalOnSetting(value = "service-groups", isSwitch = true)
        static MadeLater holdfastLaterGroups(
                ConfigurableListableBeanFactory beans, ObjectProvider<Holdfast> holdfast, Environment environment) {
            return new MadeLater(
                    beans,
                    holdfast,
                    (pipelines, name, type) -> ClientPipelines.keepOfGroup(pipelines, environment, name, type));
        }

        /**
         * Where Spring Boot has none, as in a reactive application: there its RestClient takes what it finds on the class path, past
         * {@link OwnRetries}.
         */
        @Configuration(proxyBeanMethods = false)
        @ConditionalOnClass(ClientHttpRequestFactoryBuilder.class)
        @ConditionalOnSetting("http-clients")
        static class RequestFactories {
            @Bean
            @ConditionalOnMissingBean
            ClientHttpRequestFactoryBuilder<?> holdfastRequestFactoryBuilder() {
                return ClientHttpRequestFactoryBuilder.detect();
            }
        }

        /** A bean that no configuration names is not made. */
        private static void bind(
                Class<?> type, ListableBeanFactory beans, Set<String> bound, Holdfast.Builder builder) {
            for (String name : beans.getBeanNamesForType(type, true, false)) {
                if (bound.add(name)) {
                    Lazily bean = new Lazily(type, SingletonSupplier.of(() -> beans.getBean(name)));
                    builder.bind(name, bean);
                    for (String alias : beans.getAliases(name)) {
                        builder.bind(alias, bean);
                    }
                }
            }
        }

        /** Reads the properties again when the context says that they have changed. */
        @Bean
        @ConditionalOnMissingBean
        RefreshListener holdfastRefreshListener(Holdfast holdfast, Environment environment) {
            return new RefreshListener(holdfast, environment);
        }
    }
}
