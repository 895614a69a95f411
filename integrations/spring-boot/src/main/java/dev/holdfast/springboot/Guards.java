/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import org.aopalliance.aop.Advice;
import org.springframework.aop.Advisor;
import org.springframework.aop.support.AbstractGenericPointcutAdvisor;
import org.springframework.util.ClassUtils;

/** Advice that decides whether a call may begin at all. By names: an application may have neither. */
final class Guards {
    private static final String AUTHORIZATION =
            "org.springframework.security.authorization.method.AuthorizationAdvisor";
    private static final String VALIDATION =
            "org.springframework.validation.beanvalidation.MethodValidationInterceptor";

    private Guards() {}

    /** Of Spring Security, such as {@code @PreAuthorize}. */
    static boolean isAuthorization(Advisor advisor) {
        return ClassUtils.getAllInterfacesForClassAsSet(advisor.getClass()).stream()
                .anyMatch(type -> type.getName().equals(AUTHORIZATION));
    }

    /** Of {@code @Validated}. Other kinds of advisors may make a bean if they are asked for their advice. */
    static boolean isValidation(Advisor advisor) {
        if (advisor instanceof AbstractGenericPointcutAdvisor simple) {
            Advice advice = simple.getAdvice();
            for (Class<?> type = advice.getClass(); type != null; type = type.getSuperclass()) {
                if (type.getName().equals(VALIDATION)) {
                    return true;
                }
            }
        }
        return false;
    }
}
