/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.springframework.context.annotation.Conditional;

/**
 * Whether the starter is told something below {@code holdfast.spring}. As {@code @ConditionalOnProperty}, but a blank value is as one
 * that is not set.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@Conditional(OnSetting.class)
public @interface ConditionalOnSetting {
    /** The key, such as {@code http-clients}. */
    String value();

    /** Whether it holds if nothing is said. */
    boolean matchIfMissing() default false;
}
