/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testlogs;

import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Repeatable;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Announces what a test provokes in the log: such a record is not printed, and the test class fails if none comes.
 *
 * <p>On a test, it counts when the test has run; on a class, when all tests of the class have. A class inherits what its
 * superclass announces. A record that nobody announces is printed with the name of the class, and fails nothing.
 */
@Inherited
@Repeatable(Logs.Several.class)
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.TYPE, ElementType.METHOD})
public @interface Logs {
    /** Regular expressions. Each is searched for in a record's message and in the exception behind it. */
    String[] value();

    /** The record depends on the schedule of threads: it is not printed, but a run may do without it. */
    boolean sometimes() default false;

    /** More than one announcement. */
    @Inherited
    @Retention(RetentionPolicy.RUNTIME)
    @Target({ElementType.TYPE, ElementType.METHOD})
    @interface Several {
        /** The announcements. */
        Logs[] value();
    }
}
