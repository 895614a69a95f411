/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Pattern;
import org.jspecify.annotations.NullMarked;

/** Which module may know which. */
@AnalyzeClasses(packages = "dev.holdfast", importOptions = ImportOption.DoNotIncludeTests.class)
class ModulesTest {
    private static final String[] CORE = {
        "dev.holdfast",
        "dev.holdfast.internal..",
        "dev.holdfast.headers..",
        "dev.holdfast.spi..",
        "dev.holdfast.retry..",
        "dev.holdfast.timeout..",
        "dev.holdfast.deadline..",
        "dev.holdfast.fallback..",
        "dev.holdfast.hedge..",
        "dev.holdfast.log..",
        "dev.holdfast.micrometer..",
        "dev.holdfast.shadow..",
        "dev.holdfast.time.."
    };

    private static final String[] POLICY_MODULES = {
        "dev.holdfast.circuitbreaker..",
        "dev.holdfast.bulkhead..",
        "dev.holdfast.throttling..",
        "dev.holdfast.stalecache.."
    };

    private static final Pattern FOR_TESTS = Pattern.compile("dev\\.holdfast\\.(testing|chaos)(\\..*)?");

    /** BlockHound knows the others. In these, a reload or the log waits. */
    @ArchTest
    static final ArchRule aLockOfACallIsAShortLock = noClasses()
            .that()
            .resideOutsideOfPackage("dev.holdfast.testing..")
            .and()
            .doNotHaveFullyQualifiedName("dev.holdfast.internal.ShortLock")
            .and()
            .doNotHaveFullyQualifiedName("dev.holdfast.Pipeline")
            .and()
            .doNotHaveFullyQualifiedName("dev.holdfast.config.Holdfast")
            .and()
            .doNotHaveFullyQualifiedName("dev.holdfast.log.StateLines")
            .should()
            .callConstructor(ReentrantLock.class);

    @ArchTest
    static final ArchRule noPolicyModuleDependsOnAnother = slices().matching(
                    "dev.holdfast.(circuitbreaker|bulkhead|throttling|stalecache|config|testing)..")
            .should()
            .notDependOnEachOther();

    @ArchTest
    static final ArchRule coreDependsOnNoOtherModule = noClasses()
            .that()
            .resideInAnyPackage(CORE)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "dev.holdfast.circuitbreaker..",
                    "dev.holdfast.bulkhead..",
                    "dev.holdfast.throttling..",
                    "dev.holdfast.stalecache..",
                    "dev.holdfast.config..",
                    "dev.holdfast.testing..",
                    "dev.holdfast.chaos..");

    @ArchTest
    static final ArchRule policyModulesDependOnNoPolicyOfCore = noClasses()
            .that()
            .resideInAnyPackage(POLICY_MODULES)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "dev.holdfast.retry..",
                    "dev.holdfast.timeout..",
                    "dev.holdfast.deadline..",
                    "dev.holdfast.fallback..",
                    "dev.holdfast.hedge..",
                    "dev.holdfast.log..",
                    "dev.holdfast.micrometer..",
                    "dev.holdfast.shadow..",
                    "dev.holdfast.time..");

    @ArchTest
    static final ArchRule onlyConfigReadsYaml = noClasses()
            .that()
            .resideOutsideOfPackage("dev.holdfast.config..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("com.fasterxml..", "org.yaml..");

    @ArchTest
    static void aServiceSeesFewTypes(JavaClasses all) {
        assertThat(publicTypes(all, false)).contains("dev.holdfast.Pipeline").hasSizeLessThanOrEqualTo(60);
    }

    @ArchTest
    static void aTestSeesFewMore(JavaClasses all) {
        assertThat(publicTypes(all, true))
                .contains("dev.holdfast.testing.PolicyContract")
                .hasSizeLessThanOrEqualTo(11);
    }

    /** Of the modules that a service runs with, or of those for its tests alone. */
    private static List<String> publicTypes(JavaClasses all, boolean forTests) {
        return all.stream()
                .filter(type -> type.isTopLevelClass() && type.getModifiers().contains(JavaModifier.PUBLIC))
                .filter(type -> !(type.getPackageName() + ".").contains(".internal."))
                // Of the tests of this repository alone.
                .filter(type -> !List.of("dev.holdfast.testlogs", "dev.holdfast.testcalls")
                        .contains(type.getPackageName()))
                .filter(type ->
                        forTests == FOR_TESTS.matcher(type.getPackageName()).matches())
                .map(JavaClass::getName)
                .toList();
    }

    @ArchTest
    static final ArchRule onlyCoreKnowsTheEngine = noClasses()
            .that()
            .resideOutsideOfPackages(CORE)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("dev.holdfast.internal.engine..", "dev.holdfast.internal.factories..");

    @ArchTest
    static final ArchRule everyPackageSaysWhatMayBeNull = classes().should(new PackagesAreAnnotated(NullMarked.class));
}
