/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import java.time.Duration;

/**
 * An attempt that was started and did not end within its limit. Whether the dependency did the work is not known. It has
 * no stack trace.
 */
public final class CallTimeoutException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String pipeline;
    private final String policy;
    private final long elapsedNanos;

    CallTimeoutException(String pipeline, String policy, int attempt, long elapsedNanos) {
        super(
                "attempt " + attempt + " of '" + pipeline + "' was given up after " + elapsedNanos / 1_000_000
                        + " ms by the " + policy,
                null,
                false,
                false);
        this.pipeline = pipeline;
        this.policy = policy;
        this.elapsedNanos = elapsedNanos;
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
}
