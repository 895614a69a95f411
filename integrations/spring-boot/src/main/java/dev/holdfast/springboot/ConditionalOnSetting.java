/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.springframework.context.annotation.Conditional;

/**
 * Matches if this property below {@code holdfast.spring} is set, or is a switch that is on. A blank value counts as not set.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@Conditional(OnSetting.class)
public @interface ConditionalOnSetting {
    /** The key, such as {@code http-clients}. */
    String value();

    /** Whether it is a switch. It is on if it is not set. */
    boolean isSwitch() default false;
}
