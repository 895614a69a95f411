/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.architecture;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.PolicyFactory;
import java.time.Clock;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** A policy decides and does not do: what may not be called in a package that has a policy. */
@AnalyzeClasses(packages = "dev.holdfast", importOptions = ImportOption.DoNotIncludeTests.class)
class PolicyRoomsTest {

    /** The packages with a policy in them, and those below: a policy's engine. Those of the tools for tests are none. */
    private static final DescribedPredicate<JavaClass> IN_A_ROOM = describe(
            "are in a package that has a policy, or below one",
            type -> !type.getPackageName().equals("dev.holdfast.spi")
                    && !type.getPackageName().startsWith("dev.holdfast.testing")
                    && hasPolicy(type.getPackage()));

    private static boolean hasPolicy(JavaPackage room) {
        return room.getClasses().stream().anyMatch(type -> type.isAssignableTo(Policy.class))
                || room.getParent().filter(PolicyRoomsTest::hasPolicy).isPresent();
    }

    @ArchTest
    static void allPoliciesAreLookedAt(JavaClasses all) {
        assertThat(all.stream().filter(IN_A_ROOM).map(JavaClass::getPackageName).distinct())
                .contains(
                        "dev.holdfast.retry",
                        "dev.holdfast.timeout",
                        "dev.holdfast.deadline",
                        "dev.holdfast.fallback",
                        "dev.holdfast.hedge",
                        "dev.holdfast.circuitbreaker",
                        "dev.holdfast.circuitbreaker.internal.engine",
                        "dev.holdfast.circuitbreaker.internal.resilience4j",
                        "dev.holdfast.bulkhead",
                        "dev.holdfast.bulkhead.internal.engine",
                        "dev.holdfast.bulkhead.internal.resilience4j",
                        "dev.holdfast.throttling",
                        "dev.holdfast.throttling.internal.engine",
                        "dev.holdfast.throttling.internal.resilience4j",
                        "dev.holdfast.stalecache",
                        "dev.holdfast.chaos");
    }

    @ArchTest
    static final ArchRule policiesReadNoClock = noClasses()
            .that(IN_A_ROOM)
            .should()
            .callMethod(System.class, "nanoTime")
            .orShould()
            .callMethod(System.class, "currentTimeMillis")
            .orShould()
            .callMethodWhere(target(owner(assignableTo(Clock.class))).and(target(nameMatching("system.*|tick.*"))))
            .orShould()
            .callMethodWhere(target(nameMatching("now"))
                    .and(target(owner(describe(
                            "a class of java.time",
                            owner -> owner.getPackageName().equals("java.time"))))));

    /**
     * Beside the policies, and called by resilience4j's classes on the threads of their users: one knows a permission by the
     * thread that took it, the other lets that thread wait, as resilience4j's does.
     */
    private static final String VIEWS = ".*\\.Resilience4j(View|Bulkhead)";

    @ArchTest
    static final ArchRule policiesTouchNoThread = noClasses()
            .that(IN_A_ROOM)
            .and()
            .haveNameNotMatching(VIEWS)
            .should()
            .dependOnClassesThat()
            .belongToAnyOf(Thread.class, LockSupport.class, Executors.class)
            .orShould()
            .callMethodWhere(target(owner(assignableTo(Executor.class))))
            .orShould()
            .callMethodWhere(target(owner(assignableTo(TimeUnit.class))).and(target(nameMatching("sleep|timed.*"))))
            .orShould()
            .callMethodWhere(
                    target(owner(assignableTo(Object.class))).and(target(nameMatching("wait|notify|notifyAll"))));

    @ArchTest
    static final ArchRule policiesTouchNoFuture = noClasses()
            .that(IN_A_ROOM)
            .should()
            .dependOnClassesThat()
            .belongToAnyOf(CompletableFuture.class)
            .orShould()
            .callMethodWhere(target(owner(assignableTo(Future.class))));

    @ArchTest
    static final ArchRule policiesCannotBeExtended = classes()
            .that()
            .areAssignableTo(Policy.class)
            .and()
            .areNotAssignableFrom(Policy.class)
            .and()
            .resideOutsideOfPackage("dev.holdfast.testing..")
            .should()
            .haveModifier(JavaModifier.FINAL);

    @ArchTest
    static final ArchRule whatAFileMakesHasOneFactory =
            classes().that().implement(PolicyFactory.class).should().haveSimpleNameEndingWith("PolicyFactory");
}
