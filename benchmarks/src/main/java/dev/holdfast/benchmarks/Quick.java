/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import java.util.List;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/** The cases of a quick run: what the targets speak of, and the peer beside it. */
final class Quick {
    private Quick() {}

    static List<ChainedOptionsBuilder> series() {
        return List.of(
                of("Floor"),
                of("NoOpPipelines", "limited", "false", "profile", "CLEAN"),
                of("NoOpPipelines", "limited", "false", "profile", "POLLUTED", "policies", "4"),
                of("NoOpPipelines", "limited", "true", "policies", "4"),
                of("OnePolicy"),
                of("StaleCacheHit"),
                of("FourPolicies.call$", "micrometer", "false"),
                of("FourPolicies.call$", "micrometer", "true", "profile", "CLEAN"),
                of("FourPolicies.callAsync", "micrometer", "false", "profile", "CLEAN"),
                of("Resilience4jFour.call$", "micrometer", "false"),
                of("Resilience4jFour.call$", "micrometer", "true", "profile", "CLEAN"),
                of("Resilience4jFour.callAsync", "micrometer", "false", "profile", "CLEAN"),
                two("Floor.twoClockReads"),
                two("FourPolicies.call$", "micrometer", "false", "profile", "CLEAN"),
                two("Resilience4jFour.call$", "micrometer", "false", "profile", "CLEAN"));
    }

    private static ChainedOptionsBuilder two(String benchmark, String... parameters) {
        return of(benchmark, parameters).threads(2);
    }

    private static ChainedOptionsBuilder of(String benchmark, String... parameters) {
        ChainedOptionsBuilder options =
                new OptionsBuilder().include("\\." + benchmark).threads(1);
        for (int i = 0; i < parameters.length; i += 2) {
            options.param(parameters[i], parameters[i + 1]);
        }
        return options;
    }
}
