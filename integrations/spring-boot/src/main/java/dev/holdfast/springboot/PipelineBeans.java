/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.Pipeline;
import dev.holdfast.config.Holdfast;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.beans.factory.support.AutowireCandidateQualifier;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.beans.factory.support.RootBeanDefinition;
import org.springframework.context.annotation.ImportBeanDefinitionRegistrar;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.Environment;
import org.springframework.core.type.AnnotationMetadata;

/** Makes a bean of each pipeline, whose qualifier is the pipeline's name. */
final class PipelineBeans implements ImportBeanDefinitionRegistrar {
    private final BeanFactory beans;
    private final Environment environment;

    PipelineBeans(BeanFactory beans, Environment environment) {
        this.beans = beans;
        this.environment = environment;
    }

    @Override
    public void registerBeanDefinitions(AnnotationMetadata importing, BeanDefinitionRegistry registry) {
        if (!(environment instanceof ConfigurableEnvironment configurable)) {
            return;
        }
        for (String name : new EnvironmentProperties(configurable).pipelines()) {
            RootBeanDefinition definition = new RootBeanDefinition(
                    Pipeline.class, () -> beans.getBean(Holdfast.class).pipeline(name));
            definition.addQualifier(new AutowireCandidateQualifier(Qualifier.class, name));
            definition.setDependsOn(HoldfastAutoConfiguration.HOLDFAST);
            // Holdfast closes it.
            definition.setDestroyMethodName("");
            // A bean of the application's own may have the pipeline's name.
            registry.registerBeanDefinition("holdfast.pipeline." + name, definition);
        }
    }
}
