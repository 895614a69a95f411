/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.architecture;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.lang.annotation.Annotation;

/** The package of a class bears this annotation. */
final class PackagesAreAnnotated extends ArchCondition<JavaClass> {
    private final Class<? extends Annotation> annotation;

    PackagesAreAnnotated(Class<? extends Annotation> annotation) {
        super("be in a package with @" + annotation.getSimpleName());
        this.annotation = annotation;
    }

    @Override
    public void check(JavaClass item, ConditionEvents events) {
        boolean annotated = item.getPackage().isAnnotatedWith(annotation);
        String message = item.getPackageName() + (annotated ? " has @" : " has no @") + annotation.getSimpleName();
        events.add(new SimpleConditionEvent(item, annotated, message));
    }
}
