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
    private final long elapsedNanos;
    private transient @Nullable List<AttemptEnd> history;

    /** The caller's limit that struck; null if it was one of the pipeline's own. */
    final transient @Nullable StruckLimit limit;

    /**
     * An attempt that was given up; made by the pipeline, and by policies for calls that waited for another one's attempt.
     *
     * @param policy whose limit it was
     * @param attempt its number, from 1
     * @param elapsedNanos how long it had run
     */
    public CallTimeoutException(String pipeline, String policy, int attempt, long elapsedNanos) {
        this(pipeline, policy, attempt, elapsedNanos, null);
    }

    CallTimeoutException(String pipeline, String policy, int attempt, long elapsedNanos, @Nullable StruckLimit limit) {
        super(
                "attempt " + attempt + " of '" + pipeline + "' was given up after " + elapsedNanos / 1_000_000
                        + " ms by the " + policy,
                null,
                false,
                false);
        this.pipeline = pipeline;
        this.policy = policy;
        this.elapsedNanos = elapsedNanos;
        this.limit = limit;
    }

    /** The name of the pipeline. */
    public String pipeline() {
        return pipeline;
    }

    /** Whose limit it was: {@code timeout}, {@code deadline}, or {@code call} for the call's own or an inherited one. */
    public String policy() {
        return policy;
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

    /** By the pipeline that made it, before anybody else sees it; an outer one that it passes through has nothing to add. */
    void tell(Pipeline by, List<AttemptEnd> attemptEnds) {
        if (history == null && by.name().equals(pipeline)) {
            history = attemptEnds;
        }
    }
}
