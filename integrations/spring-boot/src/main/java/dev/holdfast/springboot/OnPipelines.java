/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import org.springframework.boot.autoconfigure.condition.ConditionMessage;
import org.springframework.boot.autoconfigure.condition.ConditionOutcome;
import org.springframework.boot.autoconfigure.condition.SpringBootCondition;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.type.AnnotatedTypeMetadata;

/** Whether the application has any property of Holdfast. A wrong one counts, so that it is told. */
final class OnPipelines extends SpringBootCondition {
    @Override
    public ConditionOutcome getMatchOutcome(ConditionContext context, AnnotatedTypeMetadata metadata) {
        ConditionMessage.Builder message = ConditionMessage.forCondition("Holdfast");
        boolean any = context.getEnvironment() instanceof ConfigurableEnvironment environment
                && !new EnvironmentProperties(environment).isEmpty();
        return any
                ? ConditionOutcome.match(message.foundExactly("properties below holdfast"))
                : ConditionOutcome.noMatch(
                        message.didNotFind("properties below holdfast").atAll());
    }
}
