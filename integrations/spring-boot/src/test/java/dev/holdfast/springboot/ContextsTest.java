/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Classifier;
import dev.holdfast.Pipeline;
import dev.holdfast.Verdict;
import dev.holdfast.config.Holdfast;
import dev.holdfast.config.Holdfast.Property;
import dev.holdfast.spring.HoldfastInterceptor;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.throttling.ThrottlePolicy;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.function.IntSupplier;
import java.util.function.ToIntFunction;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.springframework.aop.framework.Advised;
import org.springframework.aop.framework.ProxyFactory;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.InitializingBean;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;
import org.springframework.context.ApplicationContextAware;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.DependsOn;
import org.springframework.context.annotation.Lazy;
import org.springframework.context.annotation.Scope;
import org.springframework.context.annotation.ScopedProxyMode;
import org.springframework.core.Ordered;
import org.springframework.core.env.MapPropertySource;
import org.springframework.web.client.RestClient;

/** When pipelines are made, of which beans, and when they are closed. */
@Logs("order calls stock from inside the bean")
class ContextsTest {
    private final ApplicationContextRunner runner = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
            .withPropertyValues(
                    "holdfast.pipelines.inventory.timeout=1m",
                    "holdfast.pipelines.inventory.fallback.only-of-operations=true");

    static class Inventory {
        @Protected("inventory")
        public String stock() {
            return "ten";
        }

        public String order() {
            return stock();
        }
    }

    // ---- the end

    /** It is made before all that it calls. */
    static class Early implements DisposableBean {
        private final ObjectProvider<Inventory> inventory;
        private final AtomicReference<String> last;

        Early(ObjectProvider<Inventory> inventory, AtomicReference<String> last) {
            this.inventory = inventory;
            this.last = last;
        }

        @Override
        public void destroy() {
            last.set(inventory.getObject().stock());
        }
    }

    @Test
    void pipelinesAreClosedAfterTheBeansThatWereMadeBefore() {
        AtomicReference<String> last = new AtomicReference<>("nothing");
        AtomicReference<Pipeline> pipeline = new AtomicReference<>();
        new ApplicationContextRunner()
                .withInitializer(context -> context.getBeanFactory().registerSingleton("last", last))
                .withUserConfiguration(WithEarly.class)
                .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
                .withPropertyValues("holdfast.pipelines.inventory.timeout=1m")
                .run(context -> pipeline.set(context.getBean(Pipeline.class)));
        assertThat(last).hasValue("ten");
        assertThatThrownBy(() -> pipeline.get().run(() -> {})).hasMessageContaining("closed");
    }

    @Configuration(proxyBeanMethods = false)
    static class WithEarly {
        @Bean
        Early early(ObjectProvider<Inventory> inventory, AtomicReference<String> last) {
            return new Early(inventory, last);
        }

        @Bean
        Inventory inventory() {
            return new Inventory();
        }
    }

    // ---- beans that are made too early

    static class First implements BeanPostProcessor, Ordered {
        @Override
        public int getOrder() {
            return HIGHEST_PRECEDENCE;
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class NeededByABeanPostProcessor {
        @Bean
        static First first(Inventory inventory) {
            return new First();
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class NeededByABeanFactoryPostProcessor {
        @Bean
        static BeanFactoryPostProcessor first(Inventory inventory) {
            return beans -> {};
        }
    }

    @Test
    void aBeanThatIsMadeBeforeItCanHaveAProxyEndsTheStart() {
        for (Class<?> needing : List.of(NeededByABeanPostProcessor.class, NeededByABeanFactoryPostProcessor.class)) {
            runner.withUserConfiguration(needing)
                    .withBean(Inventory.class)
                    .run(context -> assertThat(context.getStartupFailure())
                            .hasMessageContaining("first")
                            .rootCause()
                            .hasMessageContaining("@Protected on public java.lang.String " + Inventory.class.getName()
                                    + ".stock(): the bean is made so early that it can have no proxy")
                            .isInstanceOf(WrongSettingException.class));
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class AskedForLater {
        @Bean
        static First first(ObjectProvider<Inventory> inventory) {
            return new First();
        }
    }

    @Test
    void aPostProcessorMayAskForItLater() {
        runner.withUserConfiguration(AskedForLater.class)
                .withBean(Inventory.class)
                .run(context ->
                        assertThat(context.getBean(Inventory.class).stock()).isEqualTo("ten"));
    }

    @Configuration(proxyBeanMethods = false)
    static class Scoped {
        @Bean
        static First first(Inventory inventory) {
            return new First();
        }

        @Bean
        @Scope(value = "prototype", proxyMode = ScopedProxyMode.TARGET_CLASS)
        Inventory inventory() {
            return new Inventory();
        }
    }

    /** What it stands for is made later. */
    @Test
    void theProxyOfAScopeMayBeMadeEarly() {
        runner.withUserConfiguration(Scoped.class)
                .run(context ->
                        assertThat(context.getBean(Inventory.class).stock()).isEqualTo("ten"));
    }

    /** As a test puts its mocks in the place of beans. */
    @Test
    void anObjectThatTheContainerDoesNotMakeIsLeftAlone() {
        Inventory mock = new Inventory();
        runner.withBean("inventory", Inventory.class)
                .withInitializer(context ->
                        context.addBeanFactoryPostProcessor(beans -> beans.registerSingleton("inventory", mock)))
                .run(context -> assertThat(context.getBean(Inventory.class)).isSameAs(mock));
    }

    // ---- circles

    static class Own extends Inventory {
        @Autowired
        @Nullable
        Own self;
    }

    static class OwnLater extends Inventory {
        @Autowired
        @Lazy
        @Nullable
        OwnLater self;

        String bySelf() {
            return Objects.requireNonNull(self, "self").stock();
        }
    }

    /** It asks the context, when its fields are set. */
    static class Asking extends Inventory implements ApplicationContextAware, InitializingBean {
        private final AtomicReference<Object> asked;
        private @Nullable ApplicationContext context;

        Asking() {
            this(new AtomicReference<>());
        }

        Asking(AtomicReference<Object> asked) {
            this.asked = asked;
        }

        @Override
        public void setApplicationContext(ApplicationContext context) {
            this.context = context;
        }

        @Override
        public void afterPropertiesSet() {
            asked.set(Objects.requireNonNull(context, "context").getBean(Asking.class));
        }
    }

    static class Stocked extends Inventory {
        @Autowired
        @Nullable
        Shelf shelf;
    }

    static class Shelf {
        @Autowired
        @Nullable
        Stocked inventory;
    }

    /** It stands between the two of the circle. */
    static class Caller {
        @Autowired
        @Nullable
        Stocked inventory;

        @Autowired
        @Nullable
        Shelf shelf;
    }

    /** Whoever asks would get it without its pipeline, and later callers without its other advice. */
    @Test
    void aProtectedBeanThatIsAskedForBeforeItIsFinishedEndsTheStart() {
        String told = "@Protected on public java.lang.String " + Inventory.class.getName()
                + ".stock(): the bean is asked for before it is finished";
        for (ApplicationContextRunner one :
                List.of(runner.withBean(Own.class), runner.withBean(Asking.class, () -> new Asking()))) {
            one.withAllowCircularReferences(true)
                    .run(context ->
                            assertThat(context.getStartupFailure()).rootCause().hasMessageContaining(told));
        }
        runner.withAllowCircularReferences(true)
                .withBean(Stocked.class)
                .withBean("another", Caller.class)
                .withBean(Shelf.class)
                .run(context ->
                        assertThat(context.getStartupFailure()).rootCause().hasMessageContaining(told));
    }

    @Test
    void aCircleIsAllowedIfTheProtectedBeanIsFinishedFirst() {
        runner.withAllowCircularReferences(true)
                .withBean(Shelf.class)
                .withBean(Stocked.class)
                .run(context -> {
                    Stocked seen = context.getBean(Shelf.class).inventory;
                    assertThat(seen).isSameAs(context.getBean(Stocked.class)).isInstanceOf(Advised.class);
                    assertThat(Objects.requireNonNull(seen, "seen").stock()).isEqualTo("ten");
                });
    }

    @Test
    void aBeanMayCallItselfThroughALazyReference() {
        runner.withAllowCircularReferences(true)
                .withBean(OwnLater.class)
                .run(context ->
                        assertThat(context.getBean(OwnLater.class).bySelf()).isEqualTo("ten"));
    }

    /** A proxy that a configuration makes is what callers reach: it takes the advice later. */
    @Test
    void aProxyThatIsAskedForEarlyIsTheOneThatIsFinished() {
        AtomicReference<Object> asked = new AtomicReference<>();
        ProxyFactory proxy = new ProxyFactory(new Asking(asked));
        proxy.setProxyTargetClass(true);
        runner.withAllowCircularReferences(true)
                .withBean(Asking.class, () -> (Asking) proxy.getProxy())
                .run(context -> {
                    assertThat(asked).hasValue(context.getBean(Asking.class));
                    assertThat(proxy.getAdvisors()).hasSize(1);
                });
    }

    // ---- beans that a configuration names

    @Configuration(proxyBeanMethods = false)
    static class Numbers {
        @Bean
        IntSupplier processes() {
            return () -> 7;
        }

        @Bean
        ToIntFunction<Object> status() {
            return value -> 404;
        }
    }

    @Test
    void functionsOfNumbersAreNamedAsOthers() {
        runner.withUserConfiguration(Numbers.class)
                .withPropertyValues(
                        "holdfast.pipelines.inventory.throttle.replicas=processes",
                        "holdfast.pipelines.inventory.classifier.status=status",
                        "holdfast.pipelines.inventory.classifier.failures=404")
                .run(context -> {
                    Pipeline pipeline = context.getBean(Pipeline.class);
                    assertThat(pipeline.policy(ThrottlePolicy.class).settings().replicas())
                            .isEqualTo(7);
                    assertThat(pipeline.classifier().classify("answer", null)).isEqualTo(Verdict.FAILURE);
                });
    }

    @Test
    void whatACustomizerBindsTakesThePlaceOfABean() {
        runner.withUserConfiguration(Numbers.class)
                .withBean(
                        HoldfastCustomizer.class,
                        () -> builder -> builder.bind("processes", IntSupplier.class, () -> 8))
                .withPropertyValues("holdfast.pipelines.inventory.throttle.replicas=processes")
                .run(context -> assertThat(context.getBean(Pipeline.class)
                                .policy(ThrottlePolicy.class)
                                .settings()
                                .replicas())
                        .isEqualTo(8));
    }

    @Configuration(proxyBeanMethods = false)
    static class Functions {
        static final AtomicInteger MADE = new AtomicInteger();

        @Bean
        @Lazy
        Function<Throwable, Object> lazy() {
            MADE.incrementAndGet();
            return error -> "lazy";
        }

        @Bean
        @Scope("request")
        Function<Throwable, Object> ofARequest() {
            MADE.incrementAndGet();
            return error -> "of a request";
        }

        @Bean
        @Lazy
        Classifier strict() {
            MADE.incrementAndGet();
            return Classifier.DEFAULT;
        }
    }

    @Test
    void beansThatNoConfigurationNamesAreNotMade() {
        Functions.MADE.set(0);
        runner.withUserConfiguration(Functions.class).run(context -> {
            assertThat(context).hasNotFailed();
            assertThat(Functions.MADE).hasValue(0);
        });
        runner.withUserConfiguration(Functions.class)
                .withPropertyValues("holdfast.pipelines.prices.fallback.function=lazy")
                .run(context -> {
                    Pipeline prices = context.getBean(Holdfast.class).pipeline("prices");
                    assertThat(prices.<Object, RuntimeException>call(() -> {
                                throw new IllegalStateException("by intent");
                            }))
                            .isEqualTo("lazy");
                    assertThat(Functions.MADE).hasValue(1);
                });
    }

    static class Stock implements Function<Throwable, Object> {
        Stock(Inventory inventory) {
            assertThat(inventory).isNotNull();
        }

        @Override
        public Object apply(Throwable error) {
            return "none";
        }
    }

    static class StockLater implements Function<Throwable, Object> {
        private final ObjectProvider<Inventory> inventory;

        StockLater(ObjectProvider<Inventory> inventory) {
            this.inventory = inventory;
        }

        @Override
        public Object apply(Throwable error) {
            return inventory.getObject().stock();
        }
    }

    /** Such as what to do with a bean that is made in the background. */
    @Test
    void whatSpringSaysOfPipelinesThatAreNotMadeYetIsTold() {
        runner.withBean(Inventory.class)
                .withPropertyValues("holdfast.pipelines.prices.fallback.function=last")
                .withBean("last", Stock.class)
                .run(context -> assertThat(new ConfigFailureAnalyzer()
                                .analyze(Objects.requireNonNull(context.getStartupFailure(), "failure")))
                        .extracting(FailureAnalysis::getDescription)
                        .asString()
                        .contains("Spring says: Error creating bean with name", "is currently in creation"));
    }

    @Test
    void aFunctionThatNeedsAProtectedBeanIsToldToAskForItLater() {
        ApplicationContextRunner named =
                runner.withBean(Inventory.class).withPropertyValues("holdfast.pipelines.prices.fallback.function=last");
        named.withBean("last", Stock.class)
                .run(context -> assertThat(context.getStartupFailure())
                        .hasStackTraceContaining("the pipeline 'inventory' is not made yet")
                        .hasStackTraceContaining("ObjectProvider"));
        named.withBean("last", StockLater.class)
                .run(context -> assertThat(context.getBean(Holdfast.class)
                                .pipeline("prices")
                                .<Object, RuntimeException>call(() -> {
                                    throw new IllegalStateException("by intent");
                                }))
                        .isEqualTo("ten"));
    }

    // ---- beans that are made in the background

    @Configuration(proxyBeanMethods = false)
    static class Waiting {
        /** The context goes on when the bean is made, or cannot be. */
        @Bean
        static Executor bootstrapExecutor() {
            return task -> {
                Thread background = new Thread(task, "background");
                background.start();
                try {
                    background.join();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            };
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class InTheBackground {
        @Bean(bootstrap = Bean.Bootstrap.BACKGROUND)
        Inventory inventory() {
            return new Inventory();
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class WithPipelines {
        @Bean(bootstrap = Bean.Bootstrap.BACKGROUND)
        Holdfast mine() {
            return own();
        }
    }

    private static Holdfast own() {
        return Holdfast.builder()
                .load(
                        "mine",
                        () -> List.of(List.of(
                                new Property(List.of("pipelines", "inventory", "deadline"), "7s", "mine", 0, 0))));
    }

    @Configuration(proxyBeanMethods = false)
    static class OfAnyType {
        @Bean(bootstrap = Bean.Bootstrap.BACKGROUND)
        Object hidden() {
            return new Inventory();
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class OfAnyTypeThatWaits {
        @Bean(bootstrap = Bean.Bootstrap.BACKGROUND)
        @DependsOn("holdfast")
        Object hidden() {
            return new Inventory();
        }
    }

    @Test
    void aBeanThatIsMadeInTheBackgroundWaitsForThePipelines() {
        runner.withUserConfiguration(Waiting.class, InTheBackground.class)
                .run(context ->
                        assertThat(context.getBean(Inventory.class).stock()).isEqualTo("ten"));
    }

    @Test
    void soItDoesForTheApplicationsOwnUnlessTheyAreMadeInTheBackgroundToo() {
        ApplicationContextRunner background = new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
                .withUserConfiguration(Waiting.class, InTheBackground.class);
        for (ApplicationContextRunner own : List.of(
                background.withBean("mine", Holdfast.class, ContextsTest::own),
                background.withUserConfiguration(WithPipelines.class))) {
            own.run(context ->
                    assertThat(context.getBean(Inventory.class).stock()).isEqualTo("ten"));
        }
    }

    @Test
    void aBeanOfTheBackgroundWhoseTypeShowsNoAnnotationIsToldToWait() {
        ApplicationContextRunner background = runner.withUserConfiguration(Waiting.class);
        background
                .withUserConfiguration(OfAnyType.class)
                .run(context -> assertThat(context.getStartupFailure())
                        .hasStackTraceContaining("is made in the background. It needs @DependsOn(\"holdfast\")"));
        background
                .withUserConfiguration(OfAnyTypeThatWaits.class)
                .run(context -> assertThat(
                                context.getBean("hidden", Inventory.class).stock())
                        .isEqualTo("ten"));
    }

    // ---- whose pipelines they are

    @Test
    @Logs("properties below holdfast.pipelines .* mean nothing: the application makes the bean 'mine'")
    void anApplicationsOwnPipelinesMayHaveAnyNameOfABean() {
        runner.withBean("mine", Holdfast.class, ContextsTest::own)
                .withBean(Inventory.class)
                .run(context -> {
                    assertThat(context.getBean(Pipeline.class))
                            .isSameAs(context.getBean("mine", Holdfast.class).pipeline("inventory"));
                    assertThat(context.getBean(Inventory.class).stock()).isEqualTo("ten");
                });
    }

    @Test
    void aChildContextThatSaysNothingMoreIsNotWarnedOf() {
        List<String> told = told(
                Holdfast.class,
                () -> runner.run(parent -> new ApplicationContextRunner()
                        .withParent(parent)
                        .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
                        .run(child ->
                                assertThat(child.getBean(Holdfast.class)).isSameAs(parent.getBean(Holdfast.class)))));
        assertThat(told).isEmpty();
    }

    private static List<String> told(Class<?> by, Runnable action) {
        List<String> told = new CopyOnWriteArrayList<>();
        Logger logger = Logger.getLogger(by.getName());
        logger.setFilter(record -> {
            told.add(record.getMessage());
            return false;
        });
        try {
            action.run();
        } finally {
            logger.setFilter(null);
        }
        return told;
    }

    @Test
    @Logs("a child context has properties below holdfast.pipelines that its parent has not")
    void aChildContextUsesThePipelinesOfItsParent() {
        runner.run(parent -> new ApplicationContextRunner()
                .withParent(parent)
                .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
                .withInitializer(context -> context.getEnvironment()
                        .getPropertySources()
                        .addFirst(new MapPropertySource(
                                "of the child",
                                Map.of(
                                        "holdfast.pipelines.inventory.timeout", "2m",
                                        "holdfast.pipelines.prices.timeout", "1s"))))
                .withBean(Inventory.class)
                .run(child -> {
                    assertThat(child.getBean(Inventory.class).stock()).isEqualTo("ten");
                    assertThat(child.getBean(Holdfast.class)).isSameAs(parent.getBean(Holdfast.class));
                    assertThat(child.containsBean("holdfast.pipeline.prices")).isFalse();
                }));
    }

    private static ApplicationContextRunner childWithClients(ApplicationContext parent) {
        return new ApplicationContextRunner()
                .withParent(parent)
                .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
                .withInitializer(context -> context.getEnvironment()
                        .getPropertySources()
                        .addFirst(new MapPropertySource(
                                "of the child", Map.of("holdfast.spring.http-clients", "inventory"))));
    }

    /** What its parent is told does not matter. */
    private static void runChildWithClients(ApplicationContext parent) {
        childWithClients(parent).run(child -> assertThat(child).hasNotFailed());
    }

    private static void runChildWithOptions(ApplicationContext parent) {
        childWithClients(parent)
                .withBean(HoldfastInterceptorCustomizer.class, () -> options -> {})
                .withBean(HoldfastFilterCustomizer.class, () -> options -> {})
                .run(child -> assertThat(child).hasNotFailed());
    }

    /** Customizers have seen it. */
    private static RestClient.Builder asOfSpringBoot() {
        return RestClient.builder().requestInterceptor(HoldfastInterceptor.of(authority -> {
            throw new IllegalStateException("nobody calls");
        }));
    }

    /** The builder asks the parent alone. */
    @Test
    void optionsOfAChildContextWhoseBuildersAreItsParentsAreWarnedOf() {
        List<String> told = told(Holdfast.class, () -> {
            runner.run(ContextsTest::runChildWithOptions);
            runner.withBean("restClientBuilder", RestClient.Builder.class, ContextsTest::asOfSpringBoot)
                    .withPropertyValues("holdfast.spring.http-clients=inventory")
                    .withBean(HoldfastInterceptorCustomizer.class, () -> options -> {})
                    .run(ContextsTest::runChildWithClients);
        });
        assertThat(told).isEmpty();
        assertThat(told(
                        Holdfast.class,
                        () -> runner.withBean(
                                        "restClientBuilder", RestClient.Builder.class, ContextsTest::asOfSpringBoot)
                                .withPropertyValues("holdfast.spring.http-clients=inventory")
                                .run(ContextsTest::runChildWithOptions)))
                .singleElement()
                .asString()
                .contains(
                        "a child context has a HoldfastInterceptorCustomizer, which does nothing",
                        "the parent's: restClientBuilder; expected the bean in the parent");
        assertThat(told(
                        Holdfast.class,
                        () -> runner.withBean("webClientBuilder", Object.class, Object::new)
                                .withPropertyValues("holdfast.spring.http-clients=inventory")
                                .run(ContextsTest::runChildWithOptions)))
                .singleElement()
                .asString()
                .contains("a child context has a HoldfastFilterCustomizer", "the parent's: webClientBuilder;");
    }

    /** Spring Boot makes none for the child, and that of the parent knows nothing of the property. */
    @Test
    void aChildContextWhoseBuildersGetNoPipelineIsWarnedOf() {
        List<String> told = told(
                Holdfast.class,
                () -> runner.withBean("restClientBuilder", RestClient.Builder.class, ContextsTest::asOfSpringBoot)
                        .run(ContextsTest::runChildWithClients));
        assertThat(told)
                .singleElement()
                .asString()
                .contains("a child context has holdfast.spring.http-clients: inventory", "restClientBuilder");
    }

    @Test
    void aChildContextWithBuildersOfItsOwnOrWithThePipelineOfItsParentsIsNotWarnedOf() {
        List<String> told = told(Holdfast.class, () -> {
            runner.run(ContextsTest::runChildWithClients);
            runner.withBean("restClientBuilder", RestClient.Builder.class, ContextsTest::asOfSpringBoot)
                    .withPropertyValues("holdfast.spring.http-clients=inventory")
                    .run(ContextsTest::runChildWithClients);
        });
        assertThat(told).isEmpty();
    }

    // ---- beans of which there are many

    @Configuration(proxyBeanMethods = false)
    static class Prototypes {
        @Bean
        @Scope("prototype")
        Inventory each() {
            return new Inventory();
        }
    }

    @Test
    void aClassIsLookedAtOnceHoweverManyBeansItHas() {
        List<String> told = told(
                Protected.class,
                () -> runner.withUserConfiguration(Prototypes.class).run(context -> {
                    for (int i = 0; i < 3; i++) {
                        assertThat(context.getBean(Inventory.class).order()).isEqualTo("ten");
                    }
                }));
        assertThat(told).hasSize(1).first().asString().contains("from inside the bean");
    }
}
