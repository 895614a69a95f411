/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.springframework.aop.framework.ProxyFactory;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.core.Ordered;

/** Objects that a post-processor of the application puts in place of beans. */
class ReplacedBeansTest {
    private final ApplicationContextRunner runner = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
            .withPropertyValues("holdfast.pipelines.inventory.fallback.only-of-operations=true");

    static class Plain {
        public String stock() {
            return "plain";
        }
    }

    static class Guarded extends Plain {
        @Override
        @Protected(value = "inventory", fallback = "none")
        public String stock() {
            throw new IllegalStateException("by intent");
        }

        String none() {
            return "none";
        }
    }

    /** Calls what it stands for. */
    static final class Decorator extends Guarded {
        private final Guarded inside;

        Decorator(Guarded inside) {
            this.inside = inside;
        }

        @Override
        public String stock() {
            return inside.stock();
        }
    }

    static class Replacing implements BeanPostProcessor {
        @Override
        public Object postProcessAfterInitialization(Object bean, String name) {
            return bean.getClass() == Plain.class ? new Guarded() : bean;
        }
    }

    static final class ReplacingBefore extends Replacing implements Ordered {
        @Override
        public int getOrder() {
            return 0;
        }
    }

    static final class Decorating implements BeanPostProcessor {
        @Override
        public Object postProcessAfterInitialization(Object bean, String name) {
            return bean instanceof Guarded guarded ? new Decorator(guarded) : bean;
        }
    }

    /** By a bean that has its pipeline, and by a proxy around that one. */
    record ReplacingByOther(BeanFactory beans, boolean isProxied) implements BeanPostProcessor {
        @Override
        public Object postProcessAfterInitialization(Object bean, String name) {
            if (bean.getClass() != Plain.class) {
                return bean;
            }
            Guarded other = beans.getBean(Guarded.class);
            ProxyFactory around = new ProxyFactory(other);
            around.setProxyTargetClass(true);
            return isProxied ? around.getProxy() : other;
        }
    }

    @Test
    void anObjectWithTheAnnotationThatComesAfterTheProxiesIsRefused() {
        runner.withBean("plain", Plain.class)
                .withBean(Replacing.class)
                .run(context -> assertThat(new ConfigFailureAnalyzer()
                                .analyze(Objects.requireNonNull(context.getStartupFailure(), "failure")))
                        .extracting(FailureAnalysis::getDescription)
                        .asString()
                        .contains(
                                "in place of the bean 'plain'",
                                "Guarded.stock()",
                                "a BeanPostProcessor has put the object",
                                "one that is Ordered"));
    }

    @Test
    void onePutThereBeforeHasItsPipeline() {
        runner.withBean("plain", Plain.class)
                .withBean(ReplacingBefore.class)
                .run(context -> assertThat(context.getBean(Plain.class).stock()).isEqualTo("none"));
    }

    @Test
    void aDecoratorOfAProxyIsLeftAlone() {
        runner.withBean("guarded", Guarded.class)
                .withBean(Decorating.class)
                .run(context -> assertThat(context.getBean(Plain.class).stock()).isEqualTo("none"));
    }

    @Test
    void soIsABeanThatHasItsPipeline() {
        for (boolean isProxied : new boolean[] {false, true}) {
            runner.withBean("plain", Plain.class)
                    .withBean("guarded", Guarded.class)
                    .withInitializer(context -> context.getBeanFactory()
                            .registerSingleton("replacing", new ReplacingByOther(context.getBeanFactory(), isProxied)))
                    .run(context -> assertThat(
                                    context.getBean("plain", Plain.class).stock())
                            .isEqualTo("none"));
        }
    }
}
