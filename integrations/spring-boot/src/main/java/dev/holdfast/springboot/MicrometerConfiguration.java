/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.micrometer.MicrometerObserver;
import dev.holdfast.spi.CallObserver;
import io.micrometer.core.instrument.MeterRegistry;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Meters of all pipelines in the registry of the application. */
@Configuration(proxyBeanMethods = false)
@ConditionalOnClass(MeterRegistry.class)
class MicrometerConfiguration {
    /** Counts in the primary registry; where there is none, nothing is counted. */
    @Bean
    @ConditionalOnMissingBean(MicrometerObserver.class)
    CallObserver holdfastMicrometerObserver(ObjectProvider<MeterRegistry> registries) {
        MeterRegistry registry = registries.getIfUnique();
        return registry == null ? new CallObserver() {} : new MicrometerObserver(registry);
    }
}
