/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.config.Holdfast;
import java.util.Objects;
import org.springframework.beans.factory.BeanFactoryUtils;
import org.springframework.boot.autoconfigure.condition.ConditionMessage;
import org.springframework.boot.autoconfigure.condition.ConditionOutcome;
import org.springframework.boot.autoconfigure.condition.SpringBootCondition;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.context.annotation.ConfigurationCondition;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.type.AnnotatedTypeMetadata;

/**
 * Whether the application has any property of Holdfast that needs pipelines, or any at all and pipelines that it makes itself. A wrong
 * one counts, so that it is told.
 */
final class OnPipelines extends SpringBootCondition implements ConfigurationCondition {
    @Override
    public ConfigurationPhase getConfigurationPhase() {
        return ConfigurationPhase.REGISTER_BEAN;
    }

    @Override
    public ConditionOutcome getMatchOutcome(ConditionContext context, AnnotatedTypeMetadata metadata) {
        ConditionMessage.Builder message = ConditionMessage.forCondition("Holdfast");
        boolean any = context.getEnvironment() instanceof ConfigurableEnvironment environment
                && isAny(new EnvironmentProperties(environment), context);
        return any
                ? ConditionOutcome.match(message.foundExactly("properties below holdfast"))
                : ConditionOutcome.noMatch(
                        message.didNotFind("properties below holdfast").atAll());
    }

    private static boolean isAny(EnvironmentProperties properties, ConditionContext context) {
        return properties.isAny(true)
                || (properties.isAny(false)
                        && BeanFactoryUtils.beanNamesForTypeIncludingAncestors(
                                                Objects.requireNonNull(context.getBeanFactory(), "beans"),
                                                Holdfast.class,
                                                true,
                                                false)
                                        .length
                                > 0);
    }
}
