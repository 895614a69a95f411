/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;

/** The policy decides, and the store alone does: it knows the client, futures and threads. */
@AnalyzeClasses(packages = "dev.holdfast.valkey", importOptions = ImportOption.DoNotIncludeTests.class)
class ValkeyArchitectureTest {
    /** The store, its connection, and what is in it. */
    private static final String STORE = ".*\\.(ValkeyStore|Connector|Bucket|Signs)(\\$.*)?";

    @ArchTest
    static final ArchRule onlyTheStoreKnowsTheClient = noClasses()
            .that()
            .haveNameNotMatching(STORE)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.lettuce..", "io.netty..");

    @ArchTest
    static final ArchRule thePolicyTouchesNoThreadNoFutureAndNoClock = noClasses()
            .that()
            .haveNameNotMatching(STORE)
            .should()
            .dependOnClassesThat()
            .belongToAnyOf(Thread.class, LockSupport.class, Executors.class, CompletableFuture.class)
            .orShould()
            .callMethodWhere(target(owner(assignableTo(Future.class))))
            .orShould()
            .callMethodWhere(target(owner(assignableTo(Executor.class))))
            .orShould()
            .callMethod(System.class, "nanoTime")
            .orShould()
            .callMethod(System.class, "currentTimeMillis");
}
