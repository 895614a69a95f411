/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testlogs.Logged;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.InitializingBean;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

/** Methods that the container calls by itself, on the bean and not on its proxy. */
class ContainerCallsTest {
    static class Stock implements InitializingBean, DisposableBean {
        @Override
        @Protected("stock")
        public void afterPropertiesSet() {}

        @Override
        @Protected("stock")
        public void destroy() {}

        @Protected("stock")
        public void load() {}
    }

    @Test
    void areWarnedOf() {
        try (Logged log = new Logged(Protected.class.getName()).start()) {
            new ApplicationContextRunner()
                    .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
                    .withPropertyValues("holdfast.pipelines.stock.timeout=1s")
                    .withBean(Stock.class)
                    .run(context -> assertThat(context).hasNotFailed());
            assertThat(log.messages())
                    .hasSize(2)
                    .anyMatch(line -> line.contains("Stock: the container calls afterPropertiesSet past the proxy"))
                    .anyMatch(line -> line.contains("Stock: the container calls destroy past the proxy"));
        }
    }
}
