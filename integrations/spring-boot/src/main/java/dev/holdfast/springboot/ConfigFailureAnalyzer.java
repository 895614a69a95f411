/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.config.ConfigException;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.diagnostics.FailureAnalyzer;

/** Shows what is wrong in place of a stack trace. */
final class ConfigFailureAnalyzer implements FailureAnalyzer {
    /** Where the pages stand. */
    static final String PAGES = "https://holdfast.dev/docs/";

    private static final int MOST_CAUSES = 32;
    private static final String DOTS =
            " If the name of a pipeline has a dot, put it into brackets, \"[shop.v2]\": Spring splits it otherwise.";

    @Override
    public @Nullable FailureAnalysis analyze(Throwable failure) {
        Throwable cause = failure;
        for (int i = 0; cause != null && i < MOST_CAUSES; i++, cause = cause.getCause()) {
            if (cause instanceof ConfigException || cause instanceof WrongSettingException) {
                String what = String.valueOf(cause.getMessage());
                return new FailureAnalysis(
                        "Holdfast cannot be set up:\n\n" + what,
                        "Correct this. All keys: " + PAGES + "configuration.md and " + PAGES + "spring-boot.md."
                                + (isOfDots(what) ? DOTS : ""),
                        cause);
            }
        }
        return null;
    }

    /** Whether a dot in a name may be the reason: not where a near name is told. */
    private static boolean isOfDots(String what) {
        return what.lines().anyMatch(line -> line.contains("unknown section") && !line.contains("did you mean"));
    }
}
