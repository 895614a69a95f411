/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * An attempt that was started and did not end within its limit. It is not known whether the dependency did the work. It has no
 * stack trace; {@code -Ddev.holdfast.stack-traces=true} gives it one.
 */
public final class CallTimeoutException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String pipeline;
    private final String policy;
    private final int attempt;
    private final long elapsedNanos;
    private final long limitNanos;
    private final transient @Nullable List<Attempt.End> history;

    /**
     * Makes a timeout. The pipeline does this, and a policy for a call that waited for another call's attempt.
     *
     * @param policy the policy that set the limit
     * @param attempt the number of the attempt, from 1
     * @param elapsedNanos how long it had run
     */
    public CallTimeoutException(String pipeline, String policy, int attempt, long elapsedNanos) {
        this(pipeline, policy, attempt, elapsedNanos, -1, List.of());
    }

    /**
     * As above, with the limit and the history of the call.
     *
     * @param limitNanos how long the limit is; -1 if not known
     * @param history how the attempts of the call ended; not copied
     */
    public CallTimeoutException(
            String pipeline,
            String policy,
            int attempt,
            long elapsedNanos,
            long limitNanos,
            List<Attempt.End> history) {
        super(
                "attempt " + attempt + " of '" + pipeline + "' was given up after " + elapsedNanos / 1_000_000
                        + " ms by the " + (policy.equals("call") ? "deadline of the call" : policy)
                        + (limitNanos < 0 ? "" : " (limit " + limitNanos / 1_000_000 + " ms)"),
                null,
                false,
                StackTraces.ON);
        this.pipeline = pipeline;
        this.policy = policy;
        this.attempt = attempt;
        this.elapsedNanos = elapsedNanos;
        this.limitNanos = limitNanos;
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

    /**
     * How long the limit is: of the policy, or the time that the call had when it began. Empty if it is not known, as for a
     * policy of your own that sets another limit for each call.
     */
    public Optional<Duration> limit() {
        return limitNanos < 0 ? Optional.empty() : Optional.of(Duration.ofNanos(limitNanos));
    }

    /** How the attempts of the call ended, in their order, with this one: the last 16 at most. */
    public List<Attempt.End> history() {
        List<Attempt.End> told = history;
        return told == null ? List.of() : told;
    }
}
