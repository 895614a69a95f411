/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spi;

import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Settings are invalid. The message names each problem with the option, its value and the expected values. */
public final class InvalidSettingsException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    private final transient @Nullable List<Problem> problems;

    /** The problems of one policy's settings. */
    public InvalidSettingsException(String policy, List<Problem> problems) {
        super(policy + ": " + problems.stream().map(Problem::toString).collect(Collectors.joining("; ")));
        this.problems = List.copyOf(problems);
    }

    /** The problems, in the order of the options; empty after serialization, which keeps the message alone. */
    public List<Problem> problems() {
        List<Problem> known = problems;
        return known == null ? List.of() : known;
    }

    /**
     * One problem.
     *
     * @param option the name of the builder's method, {@code maxWait}; a nested one with a dot, {@code backoff.initial}
     * @param value the given value
     * @param expected the allowed values
     */
    public record Problem(String option, String value, String expected) {
        @Override
        public String toString() {
            return option + " is " + value + " but must be " + expected;
        }
    }
}
