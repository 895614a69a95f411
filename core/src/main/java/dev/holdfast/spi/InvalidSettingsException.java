/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spi;

import java.util.List;
import java.util.stream.Collectors;

/** Settings that cannot be: says all that is wrong with them, each with the option, its value and what was expected. */
public final class InvalidSettingsException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    private final transient List<Problem> problems;

    /** Settings of this policy with these problems. */
    public InvalidSettingsException(String policy, List<Problem> problems) {
        super(policy + ": " + problems.stream().map(Problem::toString).collect(Collectors.joining("; ")));
        this.problems = List.copyOf(problems);
    }

    /** What is wrong, in the order of the options. */
    public List<Problem> problems() {
        return problems;
    }

    /**
     * One thing that is wrong.
     *
     * @param option as the builder's method is called, {@code maxWait}; nested ones with a dot, {@code backoff.initial}
     * @param value what was given
     * @param expected what may be given
     */
    public record Problem(String option, String value, String expected) {
        @Override
        public String toString() {
            return option + " is " + value + " but must be " + expected;
        }
    }
}
