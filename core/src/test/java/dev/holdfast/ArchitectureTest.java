/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** What may know what inside core. The rules for all modules together are tested where all modules are: in config. */
@AnalyzeClasses(packages = "dev.holdfast", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

    @ArchTest
    static final ArchRule corePoliciesDoNotKnowOneAnother = slices().matching(
                    "dev.holdfast.(retry|timeout|deadline|fallback)..")
            .should()
            .notDependOnEachOther();

    @ArchTest
    static final ArchRule onlyTheLintOfOrdersKnowsPolicies = noClasses()
            .that()
            .resideInAnyPackage("dev.holdfast", "dev.holdfast.spi")
            .and()
            .doNotHaveSimpleName("OrderLint")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "dev.holdfast.retry..",
                    "dev.holdfast.timeout..",
                    "dev.holdfast.deadline..",
                    "dev.holdfast.fallback..");

    @ArchTest
    static final ArchRule onlyTheObserverKnowsMicrometer = noClasses()
            .that()
            .resideOutsideOfPackage("dev.holdfast.micrometer..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.micrometer..", "dev.holdfast.micrometer..");

    @ArchTest
    static final ArchRule whatAnExtenderWritesNeedsNoOtherLibrary = noClasses()
            .that()
            .resideInAPackage("dev.holdfast.spi..")
            .should()
            .dependOnClassesThat()
            .resideOutsideOfPackages("dev.holdfast..", "java..", "org.jspecify..");
}
