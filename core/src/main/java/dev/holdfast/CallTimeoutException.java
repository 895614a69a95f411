/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An attempt that was started and did not end within its limit. It is not known whether the dependency did the work. It has no
 * stack trace.
 */
public final class CallTimeoutException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String pipeline;
    private final String policy;
    private final int attempt;
    private final long elapsedNanos;
    private final transient @Nullable List<Attempt.End> history;

    /**
     * Makes a timeout. The pipeline does this, and a policy for a call that waited for another call's attempt.
     *
     * @param policy the policy that set the limit
     * @param attempt the number of the attempt, from 1
     * @param elapsedNanos how long it had run
     */
    public CallTimeoutException(String pipeline, String policy, int attempt, long elapsedNanos) {
        this(pipeline, policy, attempt, elapsedNanos, List.of());
    }

    /**
     * As above, with the history of the call.
     *
     * @param history how the attempts of the call ended; not copied
     */
    public CallTimeoutException(
            String pipeline, String policy, int attempt, long elapsedNanos, List<Attempt.End> history) {
        super(
                "attempt " + attempt + " of '" + pipeline + "' was given up after " + elapsedNanos / 1_000_000
                        + " ms by the " + (policy.equals("call") ? "deadline of the call" : policy),
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

    /** The limit that struck: {@code timeout}, {@code deadline}, or {@code call} for the call's own or an inherited deadline. */
    public String policy() {
        return policy;
    }

    /** The number of the attempt; the first is 1. */
    public int attempt() {
        return attempt;
    }

    /** How long the attempt had run when it was given up. */
    public Duration elapsed() {
        return Duration.ofNanos(elapsedNanos);
    }

    /** How the attempts of the call ended, in their order, with this one: the last 16 at most. */
    public List<Attempt.End> history() {
        List<Attempt.End> told = history;
        return told == null ? List.of() : told;
    }
}
