/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.util.Set;

/** What may know what inside core. The rules for all modules together are tested where all modules are: in config. */
@AnalyzeClasses(packages = "dev.holdfast", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    /** What everything else is said with: values and functional types, which know only one another. */
    private static final DescribedPredicate<JavaClass> WORDS = describe(
            "words",
            type -> type.getPackageName().equals("dev.holdfast")
                    && Set.of(
                                    "Attempt",
                                    "Attempt.End",
                                    "CallRejectedException",
                                    "CallTimeoutException",
                                    "CheckedFunction",
                                    "CheckedRunnable",
                                    "CheckedSupplier",
                                    "Classifier",
                                    "Outcome",
                                    "Reason",
                                    "Refusal",
                                    "Reply",
                                    "StackTraces",
                                    "Verdict")
                            .contains(outermost(type).getSimpleName()));

    /** What a service holds in its hands: in the same package, since it uses both. */
    private static final DescribedPredicate<JavaClass> FACADE =
            describe("facade", type -> type.getPackageName().equals("dev.holdfast") && !WORDS.test(type));

    private static JavaClass outermost(JavaClass type) {
        return type.getEnclosingClass().map(ArchitectureTest::outermost).orElse(type);
    }

    @ArchTest
    static final ArchRule dependenciesPointDownward = layeredArchitecture()
            .consideringOnlyDependenciesInLayers()
            .layer("words")
            .definedBy(WORDS)
            .layer("spi")
            .definedBy("dev.holdfast.spi..")
            .layer("shared")
            .definedBy("dev.holdfast.internal")
            .layer("engine")
            .definedBy("dev.holdfast.internal.engine..")
            .layer("policies")
            .definedBy(
                    "dev.holdfast.deadline..",
                    "dev.holdfast.fallback..",
                    "dev.holdfast.hedge..",
                    "dev.holdfast.retry..",
                    "dev.holdfast.shadow..",
                    "dev.holdfast.timeout..")
            .layer("change")
            .definedBy("dev.holdfast.internal.change..")
            .layer("keyed")
            .definedBy("dev.holdfast.internal.keyed..")
            .layer("time")
            .definedBy("dev.holdfast.time..")
            .layer("facade")
            .definedBy(FACADE)
            .layer("around")
            .definedBy(
                    "dev.holdfast.headers..",
                    "dev.holdfast.log..",
                    "dev.holdfast.micrometer..",
                    "dev.holdfast.internal.context..",
                    "dev.holdfast.internal.factories..",
                    "dev.holdfast.internal.micrometer..")
            .whereLayer("around")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("time")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("change")
            .mayOnlyBeAccessedByLayers("facade", "around")
            .whereLayer("keyed")
            .mayOnlyBeAccessedByLayers("facade", "around")
            .whereLayer("facade")
            .mayOnlyBeAccessedByLayers("around")
            .whereLayer("policies")
            .mayOnlyBeAccessedByLayers("change", "keyed", "facade", "around")
            .whereLayer("engine")
            .mayOnlyBeAccessedByLayers("change", "keyed", "facade", "around")
            .whereLayer("shared")
            .mayOnlyBeAccessedByLayers("engine", "policies", "change", "keyed", "time", "facade", "around")
            .whereLayer("spi")
            .mayOnlyBeAccessedByLayers("shared", "engine", "policies", "change", "keyed", "time", "facade", "around");

    /** Except that hedges may be paid from the budget of a retry. */
    @ArchTest
    static final ArchRule corePoliciesDoNotKnowOneAnother = slices().matching(
                    "dev.holdfast.(retry|timeout|deadline|fallback|hedge|shadow)..")
            .should()
            .notDependOnEachOther()
            .ignoreDependency(resideInAPackage("dev.holdfast.hedge"), resideInAPackage("dev.holdfast.retry"));

    /** The lints know policies by their names. */
    @ArchTest
    static final ArchRule facadeAndEngineKnowNoPolicyButTheShadow = noClasses()
            .that()
            .resideInAnyPackage("dev.holdfast", "dev.holdfast.internal.engine", "dev.holdfast.spi")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "dev.holdfast.retry..",
                    "dev.holdfast.timeout..",
                    "dev.holdfast.deadline..",
                    "dev.holdfast.fallback..",
                    "dev.holdfast.hedge..");

    @ArchTest
    static final ArchRule onlyTheObserverKnowsMicrometer = noClasses()
            .that()
            .resideOutsideOfPackages("dev.holdfast.micrometer..", "dev.holdfast.internal.micrometer..")
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
