/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.config.Holdfast;
import org.springframework.boot.actuate.autoconfigure.endpoint.condition.ConditionalOnAvailableEndpoint;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The endpoint, where there is an actuator. */
@Configuration(proxyBeanMethods = false)
@ConditionalOnClass({Endpoint.class, ConditionalOnAvailableEndpoint.class})
class ActuatorConfiguration {
    @Bean
    @ConditionalOnAvailableEndpoint
    HoldfastEndpoint holdfastEndpoint(Holdfast holdfast) {
        return new HoldfastEndpoint(holdfast);
    }

    @Bean
    @ConditionalOnBean(HoldfastEndpoint.class)
    @ConditionalOnAvailableEndpoint
    HoldfastWebEndpoint holdfastWebEndpoint(HoldfastEndpoint endpoint) {
        return new HoldfastWebEndpoint(endpoint);
    }
}
