/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.servlet.DeadlineFilter;
import jakarta.servlet.DispatcherType;
import java.time.Duration;
import java.util.EnumSet;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;
import org.springframework.core.env.Environment;

/** Receives the deadlines of requests, if the application trusts those who send them. */
@Configuration(proxyBeanMethods = false)
@ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.SERVLET)
@ConditionalOnClass(DeadlineFilter.class)
@ConditionalOnSetting("server.max-deadline")
class ServerConfiguration {
    @Bean
    FilterRegistrationBean<DeadlineFilter> holdfastDeadlineFilter(Environment environment) {
        // Not those that are a bean: they are checked against the pipelines, and a server asks for its filters early.
        Duration max =
                SpringSettings.required(SpringSettings.of(environment).server().maxDeadline(), "server.max-deadline");
        FilterRegistrationBean<DeadlineFilter> first = new FilterRegistrationBean<>(DeadlineFilter.of(max));
        // Behind Spring's own filter of observations, so that http.server.requests and traces show what it answers.
        first.setOrder(Ordered.HIGHEST_PRECEDENCE + 2);
        first.setAsyncSupported(true);
        first.setDispatcherTypes(EnumSet.of(DispatcherType.REQUEST, DispatcherType.ASYNC, DispatcherType.ERROR));
        return first;
    }
}
