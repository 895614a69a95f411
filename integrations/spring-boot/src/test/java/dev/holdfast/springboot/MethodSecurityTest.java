/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallRejectedException;
import dev.holdfast.testlogs.Logs;
import jakarta.annotation.security.DenyAll;
import jakarta.annotation.security.RolesAllowed;
import java.io.IOException;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Stream;
import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.aop.framework.ProxyFactory;
import org.springframework.aop.framework.autoproxy.BeanNameAutoProxyCreator;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;
import org.springframework.security.access.AccessDeniedException;
import org.springframework.security.access.annotation.Secured;
import org.springframework.security.access.prepost.PostAuthorize;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.security.access.prepost.PreFilter;
import org.springframework.security.authentication.TestingAuthenticationToken;
import org.springframework.security.config.annotation.method.configuration.EnableMethodSecurity;
import org.springframework.security.config.annotation.method.configuration.EnableReactiveMethodSecurity;
import org.springframework.security.core.context.ReactiveSecurityContextHolder;
import org.springframework.security.core.context.SecurityContextHolder;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Spring Security's annotations on methods with {@link Protected}, as an application switches them on. */
class MethodSecurityTest {
    private static final String ADMIN = "hasRole('ADMIN')";

    private final ApplicationContextRunner runner = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
            .withPropertyValues(
                    "holdfast.pipelines.cached.stale-cache.fresh=1h",
                    "holdfast.pipelines.answered.fallback.only-of-operations=true",
                    "holdfast.pipelines.broken.circuit-breaker.minimum-number-of-calls=2",
                    "holdfast.pipelines.broken.circuit-breaker.failure-rate-threshold=1");

    @AfterEach
    void logOut() {
        SecurityContextHolder.clearContext();
    }

    private static TestingAuthenticationToken user(String role) {
        return new TestingAuthenticationToken("someone", "", "ROLE_" + role);
    }

    private static void logIn(String role) {
        SecurityContextHolder.getContext().setAuthentication(user(role));
    }

    private static void denied(ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOf(AccessDeniedException.class);
    }

    @Configuration(proxyBeanMethods = false)
    @EnableMethodSecurity(securedEnabled = true, jsr250Enabled = true)
    static class Enabled {}

    /** Behind the advice of others. */
    @Configuration(proxyBeanMethods = false)
    @EnableMethodSecurity(securedEnabled = true, jsr250Enabled = true, offset = Integer.MAX_VALUE - 1000)
    static class EnabledLast {}

    @Configuration(proxyBeanMethods = false)
    @EnableReactiveMethodSecurity
    static class EnabledForMono {}

    interface Payroll {
        @Protected("cached")
        String salary();

        @Protected(value = "answered", fallback = "unknown")
        String bonus();

        @Protected("broken")
        String tax();

        default String unknown() {
            return "unknown";
        }
    }

    /** What a guard must keep a guest from: the answer for another one, one in place of the method's, and the breaker. */
    private void guards(Class<? extends Payroll> type) {
        for (Class<?> security : new Class<?>[] {Enabled.class, EnabledLast.class}) {
            for (String ofClass : new String[] {"true", "false"}) {
                runner.withUserConfiguration(security)
                        .withBean(type)
                        .withPropertyValues("spring.aop.proxy-target-class=" + ofClass)
                        .run(context -> {
                            Payroll payroll = context.getBean(Payroll.class);
                            logIn("ADMIN");
                            assertThat(payroll.salary()).isEqualTo("much");
                            logIn("GUEST");
                            denied(payroll::salary);
                            denied(payroll::bonus);
                            for (int i = 0; i < 10; i++) {
                                denied(payroll::tax);
                            }
                            logIn("ADMIN");
                            assertThat(payroll.bonus()).isEqualTo("some");
                            assertThat(payroll.tax()).isEqualTo("more");
                        });
            }
        }
    }

    static class OfMethods implements Payroll {
        @Override
        @PreAuthorize(ADMIN)
        public String salary() {
            return "much";
        }

        @Override
        @PreAuthorize(ADMIN)
        public String bonus() {
            return "some";
        }

        @Override
        @PreAuthorize(ADMIN)
        public String tax() {
            return "more";
        }
    }

    @Test
    void preAuthorizeStandsOutside() {
        guards(OfMethods.class);
    }

    @PreAuthorize(ADMIN)
    static class OfClass implements Payroll {
        @Override
        public String salary() {
            return "much";
        }

        @Override
        public String bonus() {
            return "some";
        }

        @Override
        public String tax() {
            return "more";
        }
    }

    @Test
    void oneOfAClassStandsOutside() {
        guards(OfClass.class);
    }

    interface Guarded extends Payroll {
        @Override
        @PreAuthorize(ADMIN)
        String salary();

        @Override
        @PreAuthorize(ADMIN)
        String bonus();

        @Override
        @PreAuthorize(ADMIN)
        String tax();
    }

    static class OfInterface implements Guarded {
        @Override
        public String salary() {
            return "much";
        }

        @Override
        public String bonus() {
            return "some";
        }

        @Override
        public String tax() {
            return "more";
        }
    }

    @Test
    void oneOfAnInterfaceStandsOutside() {
        guards(OfInterface.class);
    }

    @Retention(RetentionPolicy.RUNTIME)
    @PreAuthorize(ADMIN)
    @interface Admin {}

    static class OfAnnotation implements Payroll {
        @Override
        @Admin
        public String salary() {
            return "much";
        }

        @Override
        @Admin
        public String bonus() {
            return "some";
        }

        @Override
        @Admin
        public String tax() {
            return "more";
        }
    }

    @Test
    void oneOfAnAnnotationOfTheApplicationStandsOutside() {
        guards(OfAnnotation.class);
    }

    static class OfSecured implements Payroll {
        @Override
        @Secured("ROLE_ADMIN")
        public String salary() {
            return "much";
        }

        @Override
        @Secured("ROLE_ADMIN")
        public String bonus() {
            return "some";
        }

        @Override
        @Secured("ROLE_ADMIN")
        public String tax() {
            return "more";
        }
    }

    @Test
    void securedStandsOutside() {
        guards(OfSecured.class);
    }

    static class OfRoles implements Payroll {
        @Override
        @RolesAllowed("ADMIN")
        public String salary() {
            return "much";
        }

        @Override
        @RolesAllowed("ADMIN")
        public String bonus() {
            return "some";
        }

        @Override
        @RolesAllowed("ADMIN")
        public String tax() {
            return "more";
        }
    }

    @Test
    void rolesAllowedStandsOutside() {
        guards(OfRoles.class);
    }

    static class OfAnswers implements Payroll {
        @Override
        @PostAuthorize(ADMIN)
        public String salary() {
            return "much";
        }

        @Override
        @PostAuthorize(ADMIN)
        public String bonus() {
            return "some";
        }

        @Override
        @PostAuthorize(ADMIN)
        public String tax() {
            return "more";
        }
    }

    @Test
    void postAuthorizeStandsOutside() {
        guards(OfAnswers.class);
    }

    static class Closed {
        @DenyAll
        @Protected(value = "answered", fallback = "unknown")
        public String enter() {
            return "inside";
        }

        String unknown() {
            return "unknown";
        }
    }

    @Test
    void denyAllStandsOutside() {
        runner.withUserConfiguration(Enabled.class).withBean(Closed.class).run(context -> {
            logIn("ADMIN");
            denied(context.getBean(Closed.class)::enter);
        });
    }

    static class Archive {
        @PreFilter("hasRole('ADMIN') or filterObject == 'open'")
        @Protected("cached")
        public String read(List<String> files) {
            return String.join(" ", files);
        }
    }

    @Test
    void preFilterStandsOutside() {
        runner.withUserConfiguration(Enabled.class).withBean(Archive.class).run(context -> {
            Archive archive = context.getBean(Archive.class);
            logIn("ADMIN");
            assertThat(archive.read(new ArrayList<>(List.of("open", "secret")))).isEqualTo("open secret");
            logIn("GUEST");
            assertThat(archive.read(new ArrayList<>(List.of("open", "secret")))).isEqualTo("open");
        });
    }

    static class Plain {
        @PreAuthorize(ADMIN)
        @Protected("cached")
        public String secret() {
            return "much";
        }
    }

    /** Of the application's own, for logs or metrics: they do nothing here. */
    static Stream<BeanPostProcessor> around() {
        BeanNameAutoProxyCreator named = new BeanNameAutoProxyCreator();
        named.setBeanNames("plain");
        named.setInterceptorNames("nothing");
        named.setProxyTargetClass(true);
        named.setOrder(Ordered.LOWEST_PRECEDENCE);
        return Stream.of(named, proxying(false), proxying(true));
    }

    private static BeanPostProcessor proxying(boolean isOpaque) {
        return new BeanPostProcessor() {
            @Override
            public Object postProcessAfterInitialization(Object bean, String name) {
                if (!name.equals("plain")) {
                    return bean;
                }
                ProxyFactory around = new ProxyFactory(bean);
                around.setProxyTargetClass(true);
                around.setOpaque(isOpaque);
                around.addAdvice((MethodInterceptor) MethodInvocation::proceed);
                return around.getProxy();
            }
        };
    }

    @ParameterizedTest
    @MethodSource("around")
    void anotherProxyAroundTheBeanKeepsNoGuardInside(BeanPostProcessor around) {
        runner.withUserConfiguration(Enabled.class)
                .withBean("nothing", MethodInterceptor.class, () -> MethodInvocation::proceed)
                .withBean("around", BeanPostProcessor.class, () -> around)
                .withBean("plain", Plain.class)
                .run(context -> {
                    Plain plain = context.getBean(Plain.class);
                    logIn("ADMIN");
                    assertThat(plain.secret()).isEqualTo("much");
                    logIn("GUEST");
                    denied(plain::secret);
                });
    }

    static class Later {
        @PreAuthorize(ADMIN)
        @Protected("cached")
        public Mono<String> salary() {
            return Mono.just("much");
        }

        @PostAuthorize(ADMIN)
        @Protected("cached")
        public Mono<String> pension() {
            return Mono.just("little");
        }

        @PreAuthorize(ADMIN)
        @Protected(value = "answered", fallback = "unknown")
        public Mono<String> bonus() {
            return Mono.just("some");
        }

        Mono<String> unknown() {
            return Mono.just("unknown");
        }

        @PreAuthorize(ADMIN)
        @Protected("broken")
        public Mono<String> tax() {
            return Mono.just("more");
        }

        @PreAuthorize(ADMIN)
        @Protected("broken")
        public Flux<String> all() {
            return Flux.just("much", "little");
        }
    }

    static class Again {
        @PreAuthorize(ADMIN)
        @Protected("broken")
        public Mono<String> failing() {
            return Mono.error(new IOException("down"));
        }

        @PreAuthorize("permitAll()")
        @PostAuthorize(ADMIN)
        @Protected("cached")
        public Mono<String> secret() {
            return Mono.just("secret");
        }

        @PreAuthorize(ADMIN)
        @Protected("broken")
        public Flux<String> failingFlux() {
            return Flux.error(new IOException("down"));
        }
    }

    /** By itself, Spring Security lets each further subscription to the same object skip what stands behind its first guard. */
    @Test
    @Logs("circuit-breaker was closed and is open: 2 of 2 calls failed")
    void eachSubscriptionPassesAllGuardsAndThePipeline() {
        runner.withUserConfiguration(EnabledForMono.class).withBean(Again.class).run(context -> {
            Again again = context.getBean(Again.class);
            Mono<String> secret = again.secret();
            assertThat(of("ADMIN", secret.flux())).containsExactly("secret");
            denied(() -> of("GUEST", secret.flux()));
        });
        for (Function<Again, Flux<String>> failing :
                List.<Function<Again, Flux<String>>>of(of -> of.failing().flux(), Again::failingFlux)) {
            runner.withUserConfiguration(EnabledForMono.class)
                    .withBean(Again.class)
                    .run(context -> {
                        Flux<String> one = failing.apply(context.getBean(Again.class));
                        for (int i = 0; i < 2; i++) {
                            assertThatThrownBy(() -> of("ADMIN", one)).hasCauseInstanceOf(IOException.class);
                        }
                        assertThatThrownBy(() -> of("ADMIN", one)).isInstanceOf(CallRejectedException.class);
                        denied(() -> of("GUEST", one));
                    });
        }
    }

    private static List<String> of(String role, Flux<String> answer) {
        return Objects.requireNonNull(
                answer.contextWrite(ReactiveSecurityContextHolder.withAuthentication(user(role)))
                        .collectList()
                        .block(),
                "list");
    }

    @Test
    void guardsOfAMonoStandOutside() {
        runner.withUserConfiguration(EnabledForMono.class).withBean(Later.class).run(context -> {
            Later later = context.getBean(Later.class);
            assertThat(of("ADMIN", later.salary().flux())).containsExactly("much");
            assertThat(of("ADMIN", later.pension().flux())).containsExactly("little");
            denied(() -> of("GUEST", later.salary().flux()));
            denied(() -> of("GUEST", later.pension().flux()));
            denied(() -> of("GUEST", later.bonus().flux()));
            for (int i = 0; i < 10; i++) {
                denied(() -> of("GUEST", later.tax().flux()));
                denied(() -> of("GUEST", later.all()));
            }
            assertThat(of("ADMIN", later.bonus().flux())).containsExactly("some");
            assertThat(of("ADMIN", later.tax().flux())).containsExactly("more");
            assertThat(of("ADMIN", later.all())).containsExactly("much", "little");
        });
    }

    /** A user's role is asked on the thread of the call, as without a pipeline. */
    @Test
    void aGuardOfTheThreadHoldsForAMono() {
        runner.withUserConfiguration(Enabled.class).withBean(Later.class).run(context -> {
            Later later = context.getBean(Later.class);
            logIn("ADMIN");
            assertThat(later.salary().block()).isEqualTo("much");
            logIn("GUEST");
            denied(() -> later.salary().block());
            denied(() -> later.bonus().block());
        });
    }
}
