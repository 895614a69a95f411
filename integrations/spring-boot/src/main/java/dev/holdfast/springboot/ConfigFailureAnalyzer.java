/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.springboot;

import dev.holdfast.config.ConfigException;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.diagnostics.FailureAnalyzer;

/** Shows what is wrong in place of a stack trace. */
final class ConfigFailureAnalyzer implements FailureAnalyzer {
    private static final int MOST_CAUSES = 32;

    @Override
    public @Nullable FailureAnalysis analyze(Throwable failure) {
        Throwable cause = failure;
        for (int i = 0; cause != null && i < MOST_CAUSES; i++, cause = cause.getCause()) {
            if (cause instanceof ConfigException || cause instanceof WrongSettingException) {
                return new FailureAnalysis(
                        "Holdfast cannot be set up:\n\n" + cause.getMessage(),
                        "Correct this. Holdfast's pages configuration.md and spring-boot.md have all keys.",
                        cause);
            }
        }
        return null;
    }
}
