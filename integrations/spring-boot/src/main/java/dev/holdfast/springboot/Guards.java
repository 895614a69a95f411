/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.aopalliance.aop.Advice;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.Advisor;
import org.springframework.aop.support.AbstractBeanFactoryPointcutAdvisor;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.BeanFactoryUtils;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.core.annotation.MergedAnnotations;
import org.springframework.core.annotation.MergedAnnotations.SearchStrategy;
import org.springframework.util.ClassUtils;

/** Advice that decides whether a call may begin at all. By names: an application may have neither. */
final class Guards {
    /**
     * Of all that Spring Security puts around methods. Its configuration wraps its own advisors in others of no public type. One that
     * is not known yet must rather stand outside of the pipeline, where it does no harm.
     */
    private static final String SECURITY = "org.springframework.security.";

    private static final String POST_FILTER = SECURITY + "access.prepost.PostFilter";
    private static final String VALIDATION =
            "org.springframework.validation.beanvalidation.MethodValidationInterceptor";

    private static final String CONFIGURATIONS = SECURITY + "config.annotation.method.configuration.";
    private static final ClassLoader LOADER = Guards.class.getClassLoader();
    private static final boolean MAY_BE_THERE = ClassUtils.isPresent(SECURITY + "access.AccessDeniedException", LOADER);

    private Guards() {}

    /** Whether an application can have Spring Security. */
    static boolean mayBeThere() {
        return MAY_BE_THERE;
    }

    /**
     * Whether the application has {@code @EnableReactiveMethodSecurity}. Such an application cannot have
     * {@code @EnableMethodSecurity}.
     */
    static boolean areReactive(BeanFactory beans) {
        return beans instanceof ListableBeanFactory all
                && Stream.of(
                                "ReactiveAuthorizationManagerMethodSecurityConfiguration",
                                "ReactiveMethodSecurityConfiguration")
                        .map(name -> CONFIGURATIONS + name)
                        .filter(name -> ClassUtils.isPresent(name, LOADER))
                        .map(name -> ClassUtils.resolveClassName(name, LOADER))
                        .anyMatch(type ->
                                BeanFactoryUtils.beanNamesForTypeIncludingAncestors(all, type, true, false).length > 0);
    }

    /** Of Spring Security, such as {@code @PreAuthorize}. */
    static boolean isAuthorization(Advisor advisor, BeanFactory beans) {
        if (isOf(advisor.getClass(), Guards::isOfSecurity)) {
            return true;
        }
        Class<?> advice = advice(advisor, beans);
        // Of a bean that is not made yet, often nothing but an interface is known.
        boolean isUnknown = advice == null
                || !Advice.class.isAssignableFrom(advice)
                || advice.isInterface()
                || Modifier.isAbstract(advice.getModifiers());
        return isUnknown ? MAY_BE_THERE : isOf(advice, Guards::isOfSecurity);
    }

    /** The class of its advice. An advisor that names a bean would make it, perhaps too early; so the bean is not asked for. */
    private static @Nullable Class<?> advice(Advisor advisor, BeanFactory beans) {
        String name = advisor instanceof AbstractBeanFactoryPointcutAdvisor late ? late.getAdviceBeanName() : null;
        return name != null && beans.containsBean(name)
                ? beans.getType(name, false)
                : advisor.getAdvice().getClass();
    }

    /** Whether {@code @PostFilter} takes out of the method's answer what the caller may not see: out of the object itself. */
    static boolean isFiltered(Method method, Class<?> type) {
        return Stream.<AnnotatedElement>of(method, type)
                .anyMatch(element -> MergedAnnotations.from(element, SearchStrategy.TYPE_HIERARCHY)
                        .isPresent(POST_FILTER));
    }

    /** Of {@code @Validated}. */
    static boolean isValidation(Advisor advisor, BeanFactory beans) {
        return isOf(advice(advisor, beans), name -> name.equals(VALIDATION));
    }

    private static boolean isOfSecurity(String type) {
        return type.startsWith(SECURITY);
    }

    /** Whether the name of a class, or of a type above it, is of this kind. */
    private static boolean isOf(@Nullable Class<?> type, Predicate<String> kind) {
        return type != null
                && (kind.test(type.getName())
                        || isOf(type.getSuperclass(), kind)
                        || Stream.of(type.getInterfaces()).anyMatch(above -> isOf(above, kind)));
    }
}
