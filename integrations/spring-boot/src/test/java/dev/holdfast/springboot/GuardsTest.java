/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.testlogs.Logs;
import jakarta.validation.ConstraintViolationException;
import jakarta.validation.Validator;
import jakarta.validation.executable.ExecutableValidator;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.aopalliance.aop.Advice;
import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.aop.Advisor;
import org.springframework.aop.Pointcut;
import org.springframework.aop.framework.ProxyFactory;
import org.springframework.aop.framework.ProxyFactoryBean;
import org.springframework.aop.framework.autoproxy.InfrastructureAdvisorAutoProxyCreator;
import org.springframework.aop.support.DefaultBeanFactoryPointcutAdvisor;
import org.springframework.aop.support.DefaultPointcutAdvisor;
import org.springframework.aop.support.annotation.AnnotationMatchingPointcut;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.BeanFactoryAware;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.ConfigurableBeanFactory;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.beans.factory.support.RootBeanDefinition;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Role;
import org.springframework.context.support.GenericApplicationContext;
import org.springframework.core.Ordered;
import org.springframework.security.access.AccessDeniedException;
import org.springframework.security.access.prepost.PostFilter;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.security.authentication.TestingAuthenticationToken;
import org.springframework.security.authorization.method.AuthorizationAdvisor;
import org.springframework.security.authorization.method.AuthorizationAdvisorProxyFactory;
import org.springframework.security.authorization.method.AuthorizationManagerBeforeMethodInterceptor;
import org.springframework.security.authorization.method.PostFilterAuthorizationMethodInterceptor;
import org.springframework.security.config.annotation.method.configuration.EnableMethodSecurity;
import org.springframework.security.core.context.SecurityContextHolder;
import org.springframework.util.ClassUtils;
import org.springframework.validation.annotation.Validated;
import org.springframework.validation.beanvalidation.MethodValidationInterceptor;
import org.springframework.validation.beanvalidation.MethodValidationPostProcessor;

/** Methods with {@link Protected} and advice that refuses calls. */
class GuardsTest {
    private static final String OLD_ADVISOR =
            "org.springframework.security.access.intercept.aopalliance.MethodSecurityMetadataSourceAdvisor";
    private static final String OLD_SOURCE = "org.springframework.security.access.method.MethodSecurityMetadataSource";

    private static final Pointcut COUNTED = AnnotationMatchingPointcut.forMethodAnnotation(Counted.class);

    private final ApplicationContextRunner runner = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
            .withPropertyValues(
                    "holdfast.pipelines.cached.stale-cache.fresh=1h",
                    "holdfast.pipelines.repeated.retry.max-attempts=3",
                    "holdfast.pipelines.repeated.retry.backoff.initial=1ms",
                    "holdfast.pipelines.repeated.retry.budget.enabled=false",
                    "holdfast.pipelines.answered.fallback.only-of-operations=true",
                    "holdfast.pipelines.broken.circuit-breaker.minimum-number-of-calls=2",
                    "holdfast.pipelines.broken.circuit-breaker.failure-rate-threshold=1");

    @AfterEach
    void logOut() {
        SecurityContextHolder.clearContext();
    }

    private static void logIn(String role) {
        SecurityContextHolder.getContext().setAuthentication(new TestingAuthenticationToken("someone", "", role));
    }

    static class Payroll {
        @PreAuthorize("hasAuthority('admin')")
        @Protected("cached")
        public String salary() {
            return "much";
        }

        @PreAuthorize("hasAuthority('admin')")
        @Protected(value = "answered", fallback = "unknown")
        public String bonus() {
            return "some";
        }

        String unknown() {
            return "unknown";
        }

        @PreAuthorize("hasAuthority('admin')")
        @Protected("broken")
        public String tax() {
            return "more";
        }

        @PreAuthorize("hasAuthority('admin')")
        @Counted
        @Protected("repeated")
        public String pay() {
            throw new IllegalStateException("by intent");
        }
    }

    @Retention(RetentionPolicy.RUNTIME)
    @interface Counted {}

    @Configuration(proxyBeanMethods = false)
    @EnableMethodSecurity
    static class EnabledSecurity {}

    /** The advisors themselves. */
    @Configuration(proxyBeanMethods = false)
    static class Security {
        @Bean
        static InfrastructureAdvisorAutoProxyCreator creator() {
            InfrastructureAdvisorAutoProxyCreator creator = new InfrastructureAdvisorAutoProxyCreator();
            creator.setProxyTargetClass(true);
            creator.setOrder(Ordered.HIGHEST_PRECEDENCE);
            return creator;
        }

        @Bean
        @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
        static Advisor preAuthorize() {
            return AuthorizationManagerBeforeMethodInterceptor.preAuthorize();
        }

        @Bean
        @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
        static Advisor postFilter() {
            return new PostFilterAuthorizationMethodInterceptor();
        }
    }

    private void denied(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOf(AccessDeniedException.class);
    }

    @ParameterizedTest
    @ValueSource(classes = {EnabledSecurity.class, Security.class})
    void aDeniedCallerGetsNoAnswerOfThePipeline(Class<?> security) {
        runner.withUserConfiguration(security).withBean(Payroll.class).run(context -> {
            Payroll payroll = context.getBean(Payroll.class);
            logIn("admin");
            assertThat(payroll.salary()).isEqualTo("much");
            logIn("guest");
            denied(payroll::salary);
            denied(payroll::bonus);
        });
    }

    @ParameterizedTest
    @ValueSource(classes = {EnabledSecurity.class, Security.class})
    void aDeniedCallerOpensNoBreaker(Class<?> security) {
        runner.withUserConfiguration(security).withBean(Payroll.class).run(context -> {
            Payroll payroll = context.getBean(Payroll.class);
            logIn("guest");
            for (int i = 0; i < 10; i++) {
                denied(payroll::tax);
            }
            logIn("admin");
            assertThat(payroll.tax()).isEqualTo("more");
        });
    }

    static class Files {
        @PostFilter("hasAuthority('admin') or filterObject == 'open'")
        @Protected("cached")
        public List<String> all() {
            return new ArrayList<>(List.of("open", "secret"));
        }
    }

    @PostFilter("hasAuthority('admin') or filterObject == 'open'")
    static class Folders {
        @Protected("cached")
        public List<String> all() {
            return new ArrayList<>(List.of("open", "secret"));
        }
    }

    /** Its filter takes them out of the list that it is given. */
    @ParameterizedTest
    @ValueSource(classes = {EnabledSecurity.class, Security.class})
    @Logs("takes out of the answer itself what a caller may not see")
    void whatOneCallerMayNotSeeIsNotTakenFromTheNextOne(Class<?> security) {
        runner.withUserConfiguration(security)
                .withBean(Files.class)
                .withBean(Folders.class)
                .run(context -> {
                    Files files = context.getBean(Files.class);
                    Folders folders = context.getBean(Folders.class);
                    logIn("guest");
                    assertThat(files.all()).containsExactly("open");
                    assertThat(folders.all()).containsExactly("open");
                    logIn("admin");
                    assertThat(files.all()).containsExactly("open", "secret");
                    assertThat(folders.all()).containsExactly("open", "secret");
                });
    }

    static boolean hasOldSecurity() {
        return ClassUtils.isPresent(OLD_ADVISOR, GuardsTest.class.getClassLoader());
    }

    /** As with {@code @EnableGlobalMethodSecurity}, for each method that is counted. */
    private static Advisor oldAdvisor(BeanFactory beans) {
        try {
            ClassLoader loader = GuardsTest.class.getClassLoader();
            Class<?> source = Class.forName(OLD_SOURCE, true, loader);
            Object attributes = Proxy.newProxyInstance(loader, new Class<?>[] {source}, (proxy, method, arguments) -> {
                boolean asks = method.getName().equals("getAttributes") && arguments.length == 2;
                return asks && ((Method) arguments[0]).isAnnotationPresent(Counted.class) ? List.of("any") : List.of();
            });
            Advisor advisor = Class.forName(OLD_ADVISOR, true, loader)
                    .asSubclass(Advisor.class)
                    .getConstructor(String.class, source, String.class)
                    .newInstance("interceptor", attributes, "source");
            ((BeanFactoryAware) advisor).setBeanFactory(beans);
            return advisor;
        } catch (ReflectiveOperationException none) {
            throw new LinkageError("the old authorization", none);
        }
    }

    private interface OwnKind extends AuthorizationAdvisor {}

    private record OwnAdvisor(MethodInterceptor denying) implements OwnKind {
        @Override
        public Pointcut getPointcut() {
            return COUNTED;
        }

        @Override
        public Advice getAdvice() {
            return denying;
        }

        @Override
        public int getOrder() {
            return 0;
        }

        @Override
        public @Nullable Object invoke(MethodInvocation invocation) throws Throwable {
            return denying.invoke(invocation);
        }
    }

    private static AuthorizationManagerBeforeMethodInterceptor presentAdvisor(MethodInterceptor denying) {
        return new AuthorizationManagerBeforeMethodInterceptor(COUNTED, (who, call) -> {
            throw denial(denying, call);
        });
    }

    private static RootBeanDefinition later(Class<?> declared, MethodInterceptor denying) {
        RootBeanDefinition definition = new RootBeanDefinition(declared);
        definition.setInstanceSupplier(() -> presentAdvisor(denying));
        return definition;
    }

    /** Each kind that the version of Spring Security has. */
    private static List<Named<BiFunction<BeanFactory, MethodInterceptor, Advisor>>> authorizations() {
        List<Named<BiFunction<BeanFactory, MethodInterceptor, Advisor>>> all = new ArrayList<>();
        all.add(Named.of("present", (beans, denying) -> presentAdvisor(denying)));
        all.add(Named.of(
                "of the application, with Spring Security's advice",
                (beans, denying) -> new DefaultPointcutAdvisor(COUNTED, presentAdvisor(denying))));
        all.add(Named.of("of the application, of a bean with Spring Security's advice", (beans, denying) -> {
            ((ConfigurableBeanFactory) beans).registerSingleton("present", presentAdvisor(denying));
            DefaultBeanFactoryPointcutAdvisor advisor = new DefaultBeanFactoryPointcutAdvisor();
            advisor.setPointcut(COUNTED);
            advisor.setAdviceBeanName("present");
            advisor.setBeanFactory(beans);
            return advisor;
        }));
        for (Class<?> declared : List.of(MethodInterceptor.class, Object.class)) {
            all.add(Named.of("of the application, of a bean that is not made yet, " + declared, (beans, denying) -> {
                ((BeanDefinitionRegistry) beans).registerBeanDefinition("later", later(declared, denying));
                DefaultBeanFactoryPointcutAdvisor advisor = new DefaultBeanFactoryPointcutAdvisor();
                advisor.setPointcut(COUNTED);
                advisor.setAdviceBeanName("later");
                advisor.setBeanFactory(beans);
                return advisor;
            }));
        }
        all.add(Named.of("of a kind of the application's own", (beans, denying) -> new OwnAdvisor(denying)));
        if (hasOldSecurity()) {
            all.add(Named.of("of Spring Boot 3", (beans, denying) -> oldAdvisor(beans)));
        }
        return all;
    }

    private static AccessDeniedException denial(MethodInterceptor denying, MethodInvocation call) {
        try {
            throw new IllegalStateException("not denied: " + denying.invoke(call));
        } catch (AccessDeniedException denied) {
            return denied;
        } catch (Throwable other) {
            throw new IllegalStateException(other);
        }
    }

    @ParameterizedTest
    @MethodSource("authorizations")
    void aDeniedCallIsNotRepeated(BiFunction<BeanFactory, MethodInterceptor, Advisor> authorization) {
        AtomicInteger asked = new AtomicInteger();
        MethodInterceptor denying = invocation -> {
            asked.incrementAndGet();
            throw new AccessDeniedException("by intent");
        };
        runner.withBean(InfrastructureAdvisorAutoProxyCreator.class, Security::creator)
                .withBean("interceptor", MethodInterceptor.class, () -> denying)
                .withInitializer(context -> ((GenericApplicationContext) context)
                        .registerBean(
                                "authorization",
                                Advisor.class,
                                () -> authorization.apply(context.getBeanFactory(), denying),
                                GuardsTest::ofInfrastructure))
                .withBean(Payroll.class)
                .run(context -> {
                    denied(context.getBean(Payroll.class)::pay);
                    assertThat(asked).as("attempts").hasValue(1);
                });
    }

    interface Till {
        String count();
    }

    static class Cash implements Till {
        @Override
        @PreAuthorize("hasAuthority('admin')")
        @Protected("cached")
        public String count() {
            return "much";
        }
    }

    private static Till proxy(Till behind, Consumer<ProxyFactory> how) {
        ProxyFactory factory = new ProxyFactory(behind);
        factory.setProxyTargetClass(true);
        how.accept(factory);
        return (Till) factory.getProxy(GuardsTest.class.getClassLoader());
    }

    private static Till guarded(Consumer<ProxyFactory> how) {
        return proxy(new Cash(), factory -> {
            factory.addAdvisor(AuthorizationManagerBeforeMethodInterceptor.preAuthorize());
            how.accept(factory);
        });
    }

    @Test
    void anAuthorizationThatCannotStandOutsideEndsTheStart() {
        List<Till> proxies = List.of(
                guarded(factory -> factory.setFrozen(true)),
                guarded(factory -> factory.setOpaque(true)),
                proxy(guarded(factory -> {}), factory -> {}),
                (Till) AuthorizationAdvisorProxyFactory.withDefaults().proxy(new Cash()));
        for (Till each : proxies) {
            runner.withBean(Till.class, () -> each)
                    .run(context -> assertThat(context.getStartupFailure())
                            .hasStackTraceContaining("Cash.count(): the bean is around a proxy that ")
                            .hasStackTraceContaining("has authorization: refused calls"));
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableMethodSecurity(proxyTargetClass = true)
    static class Around {
        @Bean
        Till inner() {
            return new Cash();
        }

        @Bean
        ProxyFactoryBean outer(@Qualifier("inner") Till inner) {
            ProxyFactoryBean outer = new ProxyFactoryBean();
            outer.setTarget(inner);
            outer.setInterfaces(Till.class);
            return outer;
        }
    }

    @Test
    @Logs("bean 'outer' is no singleton")
    void aProxyAroundABeanHasNoPipelineAroundItsAuthorization() {
        runner.withUserConfiguration(Around.class).run(context -> {
            Till till = context.getBean("outer", Till.class);
            logIn("admin");
            assertThat(till.count()).isEqualTo("much");
            logIn("guest");
            denied(till::count);
        });
    }

    private static Advisor counting(AtomicInteger calls, int order) {
        DefaultPointcutAdvisor advisor = new DefaultPointcutAdvisor(
                AnnotationMatchingPointcut.forMethodAnnotation(Counted.class), (MethodInterceptor) invocation -> {
                    calls.incrementAndGet();
                    return invocation.proceed();
                });
        advisor.setOrder(order);
        return advisor;
    }

    /** What an application puts around its authorization stays there: it may say who calls. */
    @ParameterizedTest
    @ValueSource(classes = {EnabledSecurity.class, Security.class})
    void adviceOfTheApplicationStaysWhereItIs(Class<?> security) {
        AtomicInteger outside = new AtomicInteger();
        AtomicInteger inside = new AtomicInteger();
        runner.withUserConfiguration(security)
                .withBean("outside", Advisor.class, () -> counting(outside, 1), GuardsTest::ofInfrastructure)
                .withBean(
                        "inside",
                        Advisor.class,
                        () -> counting(inside, Ordered.LOWEST_PRECEDENCE),
                        GuardsTest::ofInfrastructure)
                .withBean(Payroll.class)
                .run(context -> {
                    Payroll payroll = context.getBean(Payroll.class);
                    logIn("guest");
                    denied(payroll::pay);
                    assertThat(outside).hasValue(1);
                    assertThat(inside).hasValue(0);
                    logIn("admin");
                    assertThatThrownBy(payroll::pay).isInstanceOf(IllegalStateException.class);
                    assertThat(outside).hasValue(2);
                    assertThat(inside).hasValue(3);
                });
    }

    private static void ofInfrastructure(BeanDefinition definition) {
        definition.setRole(BeanDefinition.ROLE_INFRASTRUCTURE);
    }

    @Validated
    static class Shop {
        @Protected("repeated")
        public String buy(int pieces) {
            return "bought " + pieces;
        }
    }

    /** Refuses each call. */
    private static Validator refusing(AtomicInteger asked) {
        InvocationHandler of = (proxy, method, arguments) -> {
            if (method.getName().equals("validateParameters")) {
                asked.incrementAndGet();
                throw new ConstraintViolationException("too many", Set.of());
            }
            return method.getName().equals("forExecutables") ? executables(proxy) : defaults(method);
        };
        return (Validator) Proxy.newProxyInstance(
                GuardsTest.class.getClassLoader(), new Class<?>[] {Validator.class, ExecutableValidator.class}, of);
    }

    static class Vault {
        @Counted
        @PreAuthorize("hasAuthority('admin')")
        @Protected("repeated")
        public String open(int number) {
            return "opened " + number;
        }
    }

    private static MethodValidationInterceptor validation(AtomicInteger asked) {
        return new MethodValidationInterceptor(refusing(asked));
    }

    /** As that of an application which has advice between it and the authorization, such as Spring's cache. */
    @Test
    void validationOutsideOfTheAuthorizationStaysThere() {
        AtomicInteger asked = new AtomicInteger();
        AtomicInteger between = new AtomicInteger();
        runner.withUserConfiguration(Security.class)
                .withBean(
                        "validation",
                        Advisor.class,
                        () -> {
                            DefaultPointcutAdvisor advisor = new DefaultPointcutAdvisor(
                                    AnnotationMatchingPointcut.forMethodAnnotation(Counted.class), validation(asked));
                            advisor.setOrder(1);
                            return advisor;
                        },
                        GuardsTest::ofInfrastructure)
                .withBean("between", Advisor.class, () -> counting(between, 2), GuardsTest::ofInfrastructure)
                .withBean(Vault.class)
                .run(context -> {
                    Vault vault = context.getBean(Vault.class);
                    logIn("admin");
                    assertThatThrownBy(() -> vault.open(1)).isInstanceOf(ConstraintViolationException.class);
                    assertThat(asked).hasValue(1);
                    assertThat(between).hasValue(0);
                });
    }

    private static Object executables(Object proxy) {
        return proxy;
    }

    private static @Nullable Object defaults(Method method) {
        return method.getReturnType() == boolean.class ? Boolean.FALSE : null;
    }

    /** Where its post-processor is registered before ours, and where after it. */
    @Test
    void aCallWithWrongArgumentsIsNotRepeated() {
        for (int order : new int[] {0, Ordered.LOWEST_PRECEDENCE}) {
            AtomicInteger asked = new AtomicInteger();
            runner.withBean(MethodValidationPostProcessor.class, () -> {
                        MethodValidationPostProcessor validation = new MethodValidationPostProcessor();
                        validation.setValidator(refusing(asked));
                        validation.setOrder(order);
                        return validation;
                    })
                    .withBean(Shop.class)
                    .run(context -> {
                        Shop shop = context.getBean(Shop.class);
                        assertThatThrownBy(() -> shop.buy(1000)).isInstanceOf(ConstraintViolationException.class);
                        assertThat(asked).as("order %s", order).hasValue(1);
                    });
        }
    }
}
