/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testlogs;

import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** What every subclass of {@code PolicyContract} logs; the contract itself is published and cannot say so. */
@Inherited
@Logs({
    "an observer of '.*' threw; told once: .*observer: hearsCalls",
    "abandon of trouble in '.*' threw; told once: .*trouble: ABANDON_THROWS",
    "ended of trouble in '.*' threw; told once: .*trouble: ENDED_THROWS"
})
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface LogsOfContract {}
