/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.aopalliance.intercept.MethodInterceptor;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.springframework.aop.ProxyMethodInvocation;
import org.springframework.aop.framework.ProxyFactory;
import org.springframework.beans.factory.FactoryBean;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.support.GenericApplicationContext;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.client.ResourceAccessException;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.support.RestClientAdapter;
import org.springframework.web.service.annotation.GetExchange;
import org.springframework.web.service.invoker.HttpServiceProxyFactory;
import reactor.core.publisher.Mono;

/** {@link Protected} in interfaces of which something makes proxies: clients of HTTP, repositories. */
class JdkProxiesTest {
    private final AtomicInteger calls = new AtomicInteger();
    private final ApplicationContextRunner runner = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
            .withPropertyValues(
                    "holdfast.pipelines.inventory.retry.max-attempts=3",
                    "holdfast.pipelines.inventory.retry.backoff.initial=1ms",
                    "holdfast.pipelines.inventory.retry.budget.enabled=false",
                    "holdfast.pipelines.inventory.fallback.only-of-operations=true",
                    "holdfast.pipelines.inventory.stale-cache.fresh=1h");

    interface Later<T> {
        @Protected("inventory")
        T later(String sku);
    }

    interface Client extends Later<Mono<String>> {
        @Protected("inventory")
        String stock(String sku);

        @Protected(value = "inventory", fallback = "instead")
        String broken(String sku);

        default String instead(String sku) {
            return "instead of " + sku;
        }
    }

    /** Is not a client, as what is behind a repository is none. */
    static class Behind {
        @Override
        public String toString() {
            return "behind";
        }
    }

    private @Nullable Object answer(String method, String sku) {
        int call = calls.incrementAndGet();
        return switch (method) {
            case "stock" -> {
                if (call % 2 == 1) {
                    throw new IllegalStateException("the first time");
                }
                yield sku + call;
            }
            case "later" -> call % 2 == 1 ? Mono.error(new IllegalStateException("first")) : Mono.just(sku + call);
            default -> throw new IllegalStateException(method);
        };
    }

    /** As the factory of HTTP clients makes them. */
    private Client ofSpring(@Nullable Object target) {
        ProxyFactory factory = new ProxyFactory();
        factory.addInterface(Client.class);
        if (target != null) {
            factory.setTarget(target);
        }
        factory.addAdvice((MethodInterceptor) invocation -> {
            if (invocation.getMethod().isDefault()) {
                return InvocationHandler.invokeDefault(
                        ((ProxyMethodInvocation) invocation).getProxy(),
                        invocation.getMethod(),
                        invocation.getArguments());
            }
            return invocation.getMethod().getDeclaringClass() == Object.class
                    ? invocation.proceed()
                    : answer(
                            invocation.getMethod().getName(),
                            String.valueOf(invocation.getArguments()[0]));
        });
        return (Client) factory.getProxy(Client.class.getClassLoader());
    }

    private Client byHand() {
        return (Client) Proxy.newProxyInstance(
                Client.class.getClassLoader(), new Class<?>[] {Client.class}, (proxy, method, arguments) -> {
                    if (method.isDefault()) {
                        return InvocationHandler.invokeDefault(proxy, method, arguments);
                    }
                    return switch (method.getName()) {
                        case "hashCode" -> System.identityHashCode(proxy);
                        case "equals" -> proxy == arguments[0];
                        case "toString" -> "by hand";
                        default -> answer(method.getName(), (String) arguments[0]);
                    };
                });
    }

    private void check(Client client) {
        calls.set(0);
        assertThat(client.stock("a")).isEqualTo("a2");
        assertThat(client.stock("a")).as("kept").isEqualTo("a2");
        assertThat(client.stock("b")).isEqualTo("b4");
        assertThat(client.later("c").block()).isEqualTo("c6");
        assertThat(client.broken("d")).isEqualTo("instead of d");
        assertThat(calls).hasValue(9);
    }

    @Test
    void aProxyOfSpringsWithNothingBehindItIsProtected() {
        runner.withBean(Client.class, () -> ofSpring(null)).run(context -> check(context.getBean(Client.class)));
    }

    @Test
    void soIsOneWhoseTargetHasNotTheInterface() {
        runner.withBean(Client.class, () -> ofSpring(new Behind()))
                .run(context -> check(context.getBean(Client.class)));
    }

    @Test
    void soIsOneMadeByHand() {
        runner.withBean(Client.class, this::byHand).run(context -> check(context.getBean(Client.class)));
    }

    /** Its product is the bean. */
    static class Factory implements FactoryBean<Client> {
        private final Client client;

        Factory(Client client) {
            this.client = client;
        }

        @Override
        public Client getObject() {
            return client;
        }

        @Override
        public Class<?> getObjectType() {
            return Client.class;
        }
    }

    @Test
    void soIsTheProductOfAFactory() {
        for (Client client : new Client[] {ofSpring(null), byHand()}) {
            runner.withBean(Factory.class, () -> new Factory(client))
                    .run(context -> check(context.getBean(Client.class)));
        }
    }

    interface Left {
        @Protected("inventory")
        default String stock() {
            throw new IllegalStateException("left");
        }
    }

    interface Right {
        @Protected(value = "inventory", idempotent = false)
        String stock();
    }

    /** Overrides the first one, and so counts more than it. */
    interface Lower extends Left {
        @Override
        @Protected(value = "inventory", fallback = "instead")
        String stock();

        default String instead() {
            return "instead";
        }
    }

    interface Both extends Left, Right {
        @Override
        String stock();
    }

    interface OfBoth extends Left, Right {
        @Override
        @Protected(value = "inventory", fallback = "instead")
        String stock();

        default String instead() {
            return "instead";
        }
    }

    static class OfTwo implements Left, Right {
        @Override
        public String stock() {
            throw new IllegalStateException("two");
        }
    }

    static class OfItsOwn implements Left, Right {
        @Override
        @Protected(value = "inventory", fallback = "instead")
        public String stock() {
            throw new IllegalStateException("own");
        }

        String instead() {
            return "instead";
        }
    }

    static class OfLower implements Left, Lower {
        @Override
        public String stock() {
            throw new IllegalStateException("lower");
        }
    }

    static class Plain {
        public String stock() {
            throw new IllegalStateException("plain");
        }
    }

    static class Inheriting extends Plain implements Lower {}

    static class InheritingForTwo extends Plain implements Lower, Right {}

    private static <T> T failing(Class<T> type) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
                    if (method.isDefault() && method.getName().equals("instead")) {
                        return InvocationHandler.invokeDefault(proxy, method);
                    }
                    return switch (method.getName()) {
                        case "hashCode" -> System.identityHashCode(proxy);
                        case "equals" -> proxy == arguments[0];
                        case "toString" -> "failing";
                        default -> throw new IllegalStateException(method.getName());
                    };
                }));
    }

    /** One of them would win, and nobody would see which. */
    @Test
    void twoInterfacesThatSayDifferentThingsOfOneMethodEndTheStart() {
        for (ApplicationContextRunner two : List.of(
                runner.withBean(OfTwo.class),
                runner.withBean(InheritingForTwo.class),
                runner.withBean(Both.class, () -> failing(Both.class)))) {
            two.run(context -> assertThat(context.getStartupFailure())
                    .hasStackTraceContaining("both have the annotation on this method")
                    .hasStackTraceContaining("expected the annotation on the method that overrides both"));
        }
    }

    @Test
    void theAnnotationOfTheMethodThatOverridesOthersCounts() {
        runner.withBean(OfItsOwn.class)
                .run(context ->
                        assertThat(context.getBean(OfItsOwn.class).stock()).isEqualTo("instead"));
        runner.withBean(OfLower.class)
                .run(context ->
                        assertThat(context.getBean(OfLower.class).stock()).isEqualTo("instead"));
        runner.withBean(OfBoth.class, () -> failing(OfBoth.class))
                .run(context ->
                        assertThat(context.getBean(OfBoth.class).stock()).isEqualTo("instead"));
    }

    @Test
    void anInheritedMethodHasTheAnnotationOfAnInterface() {
        runner.withBean(Inheriting.class).run(context -> {
            assertThat(context.getBean(Inheriting.class).stock()).isEqualTo("instead");
            assertThat(((Lower) context.getBean(Inheriting.class)).stock()).isEqualTo("instead");
        });
    }

    interface AnyOfHttp<T> {
        default String instead(T sku, Throwable error) {
            return "any";
        }

        @GetExchange("http://inventory.example/{sku}")
        @Protected(value = "inventory", fallback = "instead")
        String stock(@PathVariable T sku);
    }

    interface OfHttp extends AnyOfHttp<String> {
        @GetExchange("http://inventory.example/{sku}")
        @Protected(value = "inventory", fallback = "sorry")
        String order(@PathVariable String sku);

        @Override
        default String instead(String sku, Throwable error) {
            return "instead of " + sku + ": " + error.getMessage();
        }

        default String sorry(String sku, ResourceAccessException error) {
            return "sorry, " + error.getMessage();
        }
    }

    /** Spring's client is in another package, and cannot call it. */
    @Test
    void theFallbackOfAClientWhoseInterfaceIsNotPublicAnswers() {
        RestClient down = RestClient.builder()
                .requestFactory((uri, method) -> {
                    throw new IOException("down");
                })
                .build();
        runner.withBean(
                        OfHttp.class,
                        () -> HttpServiceProxyFactory.builderFor(RestClientAdapter.create(down))
                                .build()
                                .createClient(OfHttp.class))
                .run(context -> {
                    OfHttp client = context.getBean(OfHttp.class);
                    assertThat(client.stock("a")).startsWith("instead of a: ").contains("down");
                    assertThat(client.order("b")).startsWith("sorry, ").contains("down");
                });
    }

    private static final List<String> INSTEAD = List.of("instead of a", "instead of b", "instead of c");

    interface Shop<T> {
        @Protected(value = "inventory", fallback = "instead")
        String buy(T sku);

        default String instead(T sku) {
            return "instead of " + sku;
        }
    }

    static class Seller {
        public String buy(String sku) {
            throw new IllegalStateException(sku);
        }
    }

    static class OfGenericInterface extends Seller implements Shop<String> {}

    interface ShopOfNames {
        @Protected(value = "inventory", fallback = "instead")
        Object buy(String sku);

        default String instead(String sku) {
            return "instead of " + sku;
        }
    }

    static class GenericSeller<T> {
        public Object buy(T sku) {
            throw new IllegalStateException(String.valueOf(sku));
        }
    }

    static class OfGenericClass extends GenericSeller<String> implements ShopOfNames {}

    static class OfNarrowerResult extends Seller implements ShopOfNames {}

    /** For each of these classes the compiler makes a bridge from the method of the interface to the inherited one. */
    @Test
    void soHasOneThatABridgeJoinsToTheInterface() {
        runner.withBean(OfGenericInterface.class).run(context -> {
            OfGenericInterface bean = context.getBean(OfGenericInterface.class);
            Shop<String> shop = bean;
            Seller seller = bean;
            assertThat(List.of(bean.buy("a"), shop.buy("b"), seller.buy("c"))).isEqualTo(INSTEAD);
        });
        runner.withBean(OfGenericClass.class).run(context -> {
            OfGenericClass bean = context.getBean(OfGenericClass.class);
            ShopOfNames shop = bean;
            GenericSeller<String> seller = bean;
            assertThat(List.of(bean.buy("a"), shop.buy("b"), seller.buy("c"))).isEqualTo(INSTEAD);
        });
        runner.withBean(OfNarrowerResult.class).run(context -> {
            OfNarrowerResult bean = context.getBean(OfNarrowerResult.class);
            ShopOfNames shop = bean;
            Seller seller = bean;
            assertThat(List.of(bean.buy("a"), shop.buy("b"), seller.buy("c"))).isEqualTo(INSTEAD);
        });
    }

    interface Misspelt {
        @Protected("inventroy")
        String stock(String sku);
    }

    @Test
    void aMistakeInAnInterfaceEndsTheStartWithTheNameOfTheMethod() {
        Object proxy = Proxy.newProxyInstance(
                Misspelt.class.getClassLoader(), new Class<?>[] {Misspelt.class}, (self, method, arguments) -> null);
        runner.withBean(Misspelt.class, () -> (Misspelt) proxy)
                .run(context -> assertThat(context.getStartupFailure())
                        .hasStackTraceContaining("Misspelt.stock(java.lang.String): no pipeline 'inventroy'"));
    }

    interface Stock {
        String stock(String sku);
    }

    static class Behindhand implements Stock {
        @Override
        @Protected("inventory")
        public String stock(String sku) {
            return sku;
        }
    }

    private static Stock proxy(Stock behind, Consumer<ProxyFactory> how) {
        ProxyFactory factory = new ProxyFactory(behind);
        how.accept(factory);
        return (Stock) factory.getProxy(Stock.class.getClassLoader());
    }

    /** Only the class behind them has the annotation. */
    @Test
    void aProxyThatTakesNoAdviceEndsTheStart() {
        Stock simple = proxy(new Behindhand(), factory -> {});
        List<Stock> proxies = List.of(
                proxy(new Behindhand(), factory -> factory.setFrozen(true)),
                proxy(new Behindhand(), factory -> factory.setOpaque(true)),
                proxy(simple, factory -> {}),
                proxy(proxy(simple, factory -> factory.setOpaque(true)), factory -> {}));
        for (Stock each : proxies) {
            runner.withBean(Stock.class, () -> each)
                    .run(context -> assertThat(context.getStartupFailure())
                            .hasStackTraceContaining(
                                    "@Protected on public java.lang.String " + Behindhand.class.getName()
                                            + ".stock(java.lang.String): the bean is a proxy that takes no advice"));
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Doubled {
        @Bean
        Stock inner() {
            return new Behindhand();
        }

        @Bean
        Stock outer(@Qualifier("inner") Stock inner) {
            return proxy(inner, factory -> {});
        }
    }

    @Test
    void aProxyAroundAProtectedBeanIsAllowed() {
        runner.withUserConfiguration(Doubled.class)
                .withPropertyValues("spring.aop.proxy-target-class=false")
                .run(context -> assertThat(context.getBean("outer", Stock.class).stock("a"))
                        .isEqualTo("a"));
    }

    static final class Final implements Later<Map<String, String>> {
        @Override
        public Map<String, String> later(String sku) {
            return Map.of();
        }
    }

    @Test
    void aFinalClassEndsTheStartWithTheNameOfTheMethod() {
        runner.withBean(Final.class)
                .run(context -> assertThat(context.getStartupFailure())
                        .hasStackTraceContaining("Final.later(java.lang.String): the class is final"));
    }

    record Row(String first) implements Later<String> {
        @Override
        public String later(String sku) {
            return first;
        }
    }

    static class Rowing implements FactoryBean<Later<String>> {
        @Override
        public Later<String> getObject() {
            return new Row("a");
        }

        @Override
        public Class<?> getObjectType() {
            return Later.class;
        }
    }

    /** A plug-in's: its class loader is a child of the application's. */
    @Test
    void theMessageOfAClassThatTheProxiesClassLoaderDoesNotSeeSaysSo() throws Exception {
        Class<?> plugin = new PluginLoader().loadClass(Plugin.class.getName());

        runner.withInitializer(context -> ((GenericApplicationContext) context).registerBean("plugin", plugin))
                .run(context -> assertThat(context.getStartupFailure())
                        .hasStackTraceContaining(
                                "Plugin.load(): the class can have no proxy: its class loader is the plug-in's"));
    }

    public static class Plugin {
        @Protected("inventory")
        public String load() {
            return "a";
        }
    }

    /** Loads that class itself, and all others as usual. */
    private static final class PluginLoader extends ClassLoader {
        PluginLoader() {
            super(JdkProxiesTest.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.equals(Plugin.class.getName())) {
                return super.loadClass(name, resolve);
            }
            try (InputStream file = getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
                byte[] code = file.readAllBytes();
                return defineClass(name, code, 0, code.length);
            } catch (IOException e) {
                throw new ClassNotFoundException(name, e);
            }
        }

        @Override
        public String toString() {
            return "the plug-in's";
        }
    }

    /** Of the product of a factory, nobody knows the class before there is one. */
    @Test
    void whereAnInterfaceHasTheMethodTheMessageOfAFinalClassNamesAWayOut() {
        String wayOut = "spring.aop.proxy-target-class";
        runner.withBean(Final.class)
                .run(context -> assertThat(context.getStartupFailure()).hasStackTraceContaining(wayOut));
        runner.withBean(Rows.class, () -> new Rows("a"))
                .run(context -> assertThat(context.getStartupFailure())
                        .message()
                        .contains("Rows.load(): the class is final")
                        .doesNotContain(wayOut));
        runner.withBean(Rowing.class)
                .run(context -> assertThatThrownBy(() -> context.getBean(Later.class))
                        .hasStackTraceContaining(
                                "Row.later(java.lang.String): the class is final, so that it can have no"
                                        + " proxy; expected one that is not, or " + wayOut + "=false, with which"));
        runner.withPropertyValues(wayOut + "=false")
                .withBean(Rowing.class)
                .run(context ->
                        assertThat(context.getBean(Later.class).later("b")).isEqualTo("a"));
    }

    record Rows(String first) {
        @Protected("inventory")
        public String load() {
            return first;
        }
    }

    @Test
    void aBeanThatCanHaveNoProxyOrNoAdviceIsShownWithoutAStackTrace() {
        Stock frozen = proxy(new Behindhand(), factory -> factory.setFrozen(true));
        for (ApplicationContextRunner each : List.of(
                runner.withBean(Final.class),
                runner.withBean(Rows.class, () -> new Rows("a")),
                runner.withBean(Stock.class, () -> frozen))) {
            each.run(context -> assertThat(new ConfigFailureAnalyzer()
                            .analyze(Objects.requireNonNull(context.getStartupFailure(), "failure")))
                    .extracting(FailureAnalysis::getDescription)
                    .asString()
                    .startsWith("Holdfast cannot be set up:\n\n@Protected on public "));
        }
    }
}
