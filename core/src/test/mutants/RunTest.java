/* SPDX-License-Identifier: Apache-2.0 */

import java.util.ArrayList;
import java.util.List;
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

/** Runs one test, given as Class#method, whatever its parameters. Ends with 0 if all its runs pass, 1 if one fails, 2 if there is none. */
class RunTest {
    public static void main(String[] args) {
        String[] test = args[0].split("#");
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
        failures.forEach(failure -> System.out.println(failure));
        System.exit(runs[0] == 0 && failures.isEmpty() ? 2 : failures.isEmpty() ? 0 : 1);
    }
}
