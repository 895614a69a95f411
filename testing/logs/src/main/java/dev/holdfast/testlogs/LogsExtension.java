/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testlogs;

import static org.junit.platform.commons.support.AnnotationSupport.findRepeatableAnnotations;
import static org.junit.platform.commons.support.AnnotationSupport.isAnnotated;

import java.lang.reflect.Method;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.platform.commons.annotation.Testable;
import org.junit.platform.commons.support.HierarchyTraversalMode;
import org.junit.platform.commons.support.ReflectionSupport;

/** Captures the records that {@link Logs} announces, and asks for them when a class has ended. Test classes run one after the other. */
public final class LogsExtension implements BeforeAllCallback, BeforeEachCallback, AfterAllCallback {
    /** How long a class waits for a late record, as an ISO duration; a minute if it is not set. */
    static final String PATIENCE = "dev.holdfast.testlogs.patience";

    private static final Namespace NAMESPACE = Namespace.create(LogsExtension.class);
    private static final RootHandler ROOT = RootHandler.inPlaceOfTheUsual();

    /** JUnit makes it. */
    public LogsExtension() {}

    @Override
    public void beforeAll(ExtensionContext context) {
        Run run = new Run(context.getRequiredTestClass());
        ROOT.begin(context.getRequiredTestClass().getName(), run.ofClass);
        context.getStore(NAMESPACE).put(Run.class, run);
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        ROOT.open(run(context).starts(context.getRequiredTestMethod()));
    }

    @Override
    public void afterAll(ExtensionContext context) throws InterruptedException {
        Run run = run(context);
        Duration patience =
                context.getConfigurationParameter(PATIENCE, Duration::parse).orElse(Duration.ofMinutes(1));
        List<Pattern> missing = Announced.neverSeen(run.due(), patience.toNanos());
        ROOT.close(run.all());
        if (!missing.isEmpty()) {
            throw new AssertionError(
                    context.getRequiredTestClass().getName() + " announces, but did not log: " + missing);
        }
    }

    private static Run run(ExtensionContext context) {
        return Objects.requireNonNull(context.getStore(NAMESPACE).get(Run.class, Run.class));
    }

    /** One run of a test class, perhaps of some of its tests only. */
    private static final class Run {
        final List<Announced> ofClass;
        private final List<Announced> ofTests = new ArrayList<>();
        private final Set<Method> notStarted;
        private final Set<Method> started = new HashSet<>();

        Run(Class<?> testClass) {
            ofClass = Announced.by(findRepeatableAnnotations(testClass, Logs.class));
            notStarted = new HashSet<>(ReflectionSupport.findMethods(
                    testClass, method -> isAnnotated(method, Testable.class), HierarchyTraversalMode.TOP_DOWN));
        }

        /** A test of many invocations announces once. */
        List<Announced> starts(Method test) {
            notStarted.remove(test);
            if (!started.add(test)) {
                return List.of();
            }
            List<Announced> announced = Announced.by(findRepeatableAnnotations(test, Logs.class));
            ofTests.addAll(announced);
            return announced;
        }

        List<Announced> due() {
            return notStarted.isEmpty() ? all() : ofTests;
        }

        List<Announced> all() {
            List<Announced> all = new ArrayList<>(ofClass);
            all.addAll(ofTests);
            return all;
        }
    }
}
