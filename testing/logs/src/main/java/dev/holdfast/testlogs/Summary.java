/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testlogs;

import java.nio.file.Path;
import org.junit.platform.launcher.TestPlan;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/** Says in one line how a module's tests ended. Surefire is told to say only what failed: two lines a class are too many. */
public final class Summary extends SummaryGeneratingListener {
    /** JUnit makes it. */
    public Summary() {}

    @Override
    public void testPlanExecutionFinished(TestPlan plan) {
        super.testPlanExecutionFinished(plan);
        String module = System.getProperty("basedir");
        if (module != null) {
            TestExecutionSummary all = getSummary();
            System.out.printf(
                    "%s: %d tests, %d failed, %d skipped%n",
                    Path.of(module).getFileName(),
                    all.getTestsFoundCount(),
                    all.getTotalFailureCount(),
                    all.getTestsSkippedCount());
        }
    }
}
