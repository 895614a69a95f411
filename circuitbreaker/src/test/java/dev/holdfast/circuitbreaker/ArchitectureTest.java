/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.belongToAnyOf;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.core.IntervalFunction;

/** What may know what inside the circuit breaker. */
@AnalyzeClasses(packages = "dev.holdfast.circuitbreaker", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    private static final String ENGINE = "dev.holdfast.circuitbreaker.internal.engine";

    @ArchTest
    static final ArchRule dependenciesPointDownward = layeredArchitecture()
            .consideringOnlyDependenciesInLayers()
            .layer("engine")
            .definedBy(ENGINE)
            .layer("resilience4j")
            .definedBy("dev.holdfast.circuitbreaker.internal.resilience4j")
            .layer("policy")
            .definedBy("dev.holdfast.circuitbreaker")
            .layer("factory")
            .definedBy("dev.holdfast.circuitbreaker.internal")
            .whereLayer("factory")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("policy")
            .mayOnlyBeAccessedByLayers("factory")
            .whereLayer("resilience4j")
            .mayOnlyBeAccessedByLayers("policy")
            .whereLayer("engine")
            .mayOnlyBeAccessedByLayers("resilience4j", "policy");

    @ArchTest
    static final ArchRule engineNeedsNoOtherLibrary = noClasses()
            .that()
            .resideInAPackage(ENGINE)
            .should()
            .dependOnClassesThat()
            .resideOutsideOfPackages("java..", "org.jspecify..", "dev.holdfast.spi", "dev.holdfast.internal", ENGINE);

    /** Beside the names of these, which users give or get. */
    @ArchTest
    static final ArchRule resilience4jHasARoomOfItsOwn = noClasses()
            .that()
            .resideOutsideOfPackage("dev.holdfast.circuitbreaker.internal.resilience4j")
            .should()
            .dependOnClassesThat(resideInAPackage("io.github.resilience4j..")
                    .and(not(belongToAnyOf(CircuitBreaker.class, CircuitBreakerConfig.class, IntervalFunction.class))));
}
