/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.InitializingBean;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

/** Methods that the container calls by itself, on the bean and not on its proxy. */
class ContainerCallsTest {
    private static final Logger LOGGER = Logger.getLogger(Protected.class.getName());

    private final List<String> logged = new CopyOnWriteArrayList<>();

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

    @BeforeEach
    void hear() {
        LOGGER.setFilter(entry -> !logged.add(entry.getMessage()));
    }

    @AfterEach
    void hearNoMore() {
        LOGGER.setFilter(null);
    }

    @Test
    void areWarnedOf() {
        new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(HoldfastAutoConfiguration.class))
                .withPropertyValues("holdfast.pipelines.stock.timeout=1s")
                .withBean(Stock.class)
                .run(context -> assertThat(context).hasNotFailed());
        assertThat(logged)
                .hasSize(2)
                .anyMatch(line -> line.contains("Stock: the container calls afterPropertiesSet past the proxy"))
                .anyMatch(line -> line.contains("Stock: the container calls destroy past the proxy"));
    }
}
