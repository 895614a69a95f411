/* SPDX-License-Identifier: Apache-2.0 */

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.platform.engine.FilterResult;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.PostDiscoveryFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * Runs tests, each given as Class#method, whatever its parameters, and says how many seconds each took. Ends with 0 if all runs
 * pass, 1 if one fails, 2 if there is no such test.
 */
class RunTest {
    public static void main(String[] args) {
        int end = 0;
        for (String test : args) {
            long start = System.nanoTime();
            end = Math.max(end, run(test.split("#")));
            System.out.println("took " + test + " " + TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start));
        }
        System.exit(end);
    }

    private static int run(String[] test) {
        PostDiscoveryFilter method = descriptor -> FilterResult.includedIf(descriptor
                .getSource()
                .map(source -> !(source instanceof MethodSource found)
                        || found.getMethodName().equals(test[1]))
                .orElse(true));
        LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                .selectors(DiscoverySelectors.selectClass(test[0]))
                .filters(method)
                .build();
        List<Throwable> failures = new ArrayList<>();
        int[] runs = new int[1];
        LauncherFactory.create().execute(request, new TestExecutionListener() {
            @Override
            public void executionFinished(TestIdentifier identifier, TestExecutionResult result) {
                runs[0] += identifier.isTest() ? 1 : 0;
                result.getThrowable().ifPresent(failures::add);
            }
        });
        failures.forEach(failure -> System.out.println(test[0] + "#" + test[1] + ": " + failure));
        return !failures.isEmpty() ? 1 : runs[0] == 0 ? 2 : 0;
    }
}
