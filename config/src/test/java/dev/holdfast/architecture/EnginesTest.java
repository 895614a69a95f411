/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.architecture;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The rooms inside a policy's module: the engine, what knows resilience4j, and what users call. */
@AnalyzeClasses(packages = "dev.holdfast", importOptions = ImportOption.DoNotIncludeTests.class)
class EnginesTest {
    private static final String[] MODULES = {
        "dev.holdfast.circuitbreaker..", "dev.holdfast.bulkhead..", "dev.holdfast.throttling.."
    };
    private static final String ENGINES = "dev.holdfast..internal.engine..";
    private static final String RESILIENCE4J = "io.github.resilience4j..";

    @ArchTest
    static void enginesAreWhereTheseRulesLook(JavaClasses all) {
        assertThat(all.that(resideInAnyPackage(ENGINES)).stream().map(JavaClass::getSimpleName))
                .contains("Engine", "Permits", "AdaptiveLimit", "Gcra");
    }

    @ArchTest
    static final ArchRule enginesKnowNoResilience4j = noClasses()
            .that()
            .resideInAPackage(ENGINES)
            .should()
            .dependOnClassesThat()
            .resideInAPackage(RESILIENCE4J);

    /** A policy and its settings know it by the methods that take or give its types. */
    @ArchTest
    static final ArchRule resilience4jHasARoomOfItsOwn = noClasses()
            .that()
            .resideInAnyPackage(MODULES)
            .and()
            .resideOutsideOfPackage("..internal.resilience4j..")
            .and()
            .haveNameNotMatching(".*\\.(CircuitBreaker|Bulkhead|Throttle)(Policy|PolicyFactory|Settings)(\\$Builder)?")
            .should()
            .dependOnClassesThat()
            .resideInAPackage(RESILIENCE4J);

    @ArchTest
    static void packagesOfAModuleFormNoCycle(JavaClasses all) {
        slices().matching("dev.holdfast.(**)").should().beFreeOfCycles().check(all.that(resideInAnyPackage(MODULES)));
    }
}
