/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An attempt that was started and did not end within its limit. Whether the dependency did the work is not known. It has
 * no stack trace.
 */
public final class CallTimeoutException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String pipeline;
    private final String policy;
    private final int attempt;
    private final long elapsedNanos;
    private final transient @Nullable List<AttemptEnd> history;

    /**
     * An attempt that was given up; made by the pipeline, and by policies for calls that waited for another one's attempt.
     *
     * @param policy whose limit it was
     * @param attempt its number, from 1
     * @param elapsedNanos how long it had run
     */
    public CallTimeoutException(String pipeline, String policy, int attempt, long elapsedNanos) {
        this(pipeline, policy, attempt, elapsedNanos, List.of());
    }

    /**
     * As above, with the history of the call.
     *
     * @param history how the attempts of the call ended; kept as it is
     */
    public CallTimeoutException(
            String pipeline, String policy, int attempt, long elapsedNanos, List<AttemptEnd> history) {
        super(
                "attempt " + attempt + " of '" + pipeline + "' was given up after " + elapsedNanos / 1_000_000
                        + " ms by the " + policy,
                null,
                false,
                false);
        this.pipeline = pipeline;
        this.policy = policy;
        this.attempt = attempt;
        this.elapsedNanos = elapsedNanos;
        this.history = history;
    }

    /** The name of the pipeline. */
    public String pipeline() {
        return pipeline;
    }

    /** Whose limit it was: {@code timeout}, {@code deadline}, or {@code call} for the call's own or an inherited one. */
    public String policy() {
        return policy;
    }

    /** Which attempt it was; the first is 1. */
    public int attempt() {
        return attempt;
    }

    /** How long the attempt had run when it was given up. */
    public Duration elapsed() {
        return Duration.ofNanos(elapsedNanos);
    }

    /** How the attempts of the call ended, in their order, this one included: at most the last 16. */
    public List<AttemptEnd> history() {
        List<AttemptEnd> told = history;
        return told == null ? List.of() : told;
    }
}
