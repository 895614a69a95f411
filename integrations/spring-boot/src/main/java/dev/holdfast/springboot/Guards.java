/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
import java.util.stream.Stream;
import org.aopalliance.aop.Advice;
import org.springframework.aop.Advisor;
import org.springframework.aop.support.AbstractGenericPointcutAdvisor;
import org.springframework.core.annotation.MergedAnnotations;
import org.springframework.core.annotation.MergedAnnotations.SearchStrategy;
import org.springframework.util.ClassUtils;

/** Advice that decides whether a call may begin at all. By names: an application may have neither. */
final class Guards {
    private static final String AUTHORIZATION =
            "org.springframework.security.authorization.method.AuthorizationAdvisor";
    /** Of the old {@code @EnableGlobalMethodSecurity}, which Spring Boot 3 still has. */
    private static final String OLD_AUTHORIZATION =
            "org.springframework.security.access.intercept.aopalliance.MethodSecurityMetadataSourceAdvisor";

    private static final String POST_FILTER = "org.springframework.security.access.prepost.PostFilter";
    private static final String VALIDATION =
            "org.springframework.validation.beanvalidation.MethodValidationInterceptor";

    private Guards() {}

    /** Of Spring Security, such as {@code @PreAuthorize}. */
    static boolean isAuthorization(Advisor advisor) {
        return advisor.getClass().getName().equals(OLD_AUTHORIZATION)
                || ClassUtils.getAllInterfacesForClassAsSet(advisor.getClass()).stream()
                        .anyMatch(type -> type.getName().equals(AUTHORIZATION));
    }

    /** Whether {@code @PostFilter} takes out of the method's answer what the caller may not see: out of the object itself. */
    static boolean isFiltered(Method method, Class<?> type) {
        return Stream.<AnnotatedElement>of(method, type)
                .anyMatch(element -> MergedAnnotations.from(element, SearchStrategy.TYPE_HIERARCHY)
                        .isPresent(POST_FILTER));
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
