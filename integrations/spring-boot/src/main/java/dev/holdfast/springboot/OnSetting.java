/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.autoconfigure.condition.ConditionMessage;
import org.springframework.boot.autoconfigure.condition.ConditionOutcome;
import org.springframework.boot.autoconfigure.condition.SpringBootCondition;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.core.type.AnnotatedTypeMetadata;

/** See {@link ConditionalOnSetting}. */
final class OnSetting extends SpringBootCondition {
    @Override
    public ConditionOutcome getMatchOutcome(ConditionContext context, AnnotatedTypeMetadata metadata) {
        Map<String, @Nullable Object> said = Objects.requireNonNull(
                metadata.getAnnotationAttributes(ConditionalOnSetting.class.getName()), "annotation");
        String key = String.valueOf(said.get("value"));
        String value = SpringSettings.text(context.getEnvironment(), key);
        boolean matches = Boolean.TRUE.equals(said.get("isSwitch"))
                ? SpringSettings.isOn(context.getEnvironment(), key)
                : value != null;
        return new ConditionOutcome(
                matches,
                ConditionMessage.forCondition(ConditionalOnSetting.class, key)
                        .because(value == null ? "it is not set" : "it is " + value));
    }
}
