/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testlogs;

import java.nio.file.Path;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.TestExecutionResult.Status;
import org.junit.platform.launcher.LauncherSession;
import org.junit.platform.launcher.LauncherSessionListener;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;

/**
 * Says in one line how the tests of a process ended, once they all have: Surefire hands it one class after the other.
 * Surefire itself is told to say only what failed: two lines a class are too many.
 */
public final class Summary implements LauncherSessionListener, TestExecutionListener {
    private int tests;
    private int failed;
    private int skipped;

    /** JUnit makes it. */
    public Summary() {}

    @Override
    public void launcherSessionOpened(LauncherSession session) {
        session.getLauncher().registerTestExecutionListeners(this);
    }

    @Override
    public void executionFinished(TestIdentifier identifier, TestExecutionResult result) {
        tests += identifier.isTest() ? 1 : 0;
        failed += result.getStatus() == Status.FAILED ? 1 : 0;
    }

    @Override
    public void executionSkipped(TestIdentifier identifier, String reason) {
        skipped++;
    }

    @Override
    public void launcherSessionClosed(LauncherSession session) {
        String module = System.getProperty("basedir");
        if (module != null && tests + failed + skipped > 0) {
            System.out.printf(
                    "%s, process %s: %,d tests, %d failed, %d skipped%n",
                    Path.of(module).getFileName(),
                    System.getProperty("dev.holdfast.testlogs.process"),
                    tests,
                    failed,
                    skipped);
        }
    }
}
