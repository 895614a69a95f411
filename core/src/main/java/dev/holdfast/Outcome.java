/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

/**
 * How an attempt or a call ended.
 *
 * <p>The first four are verdicts of the {@link Classifier} on what the dependency answered; the pipeline
 * decides the others.
 */
public enum Outcome {
    /** The dependency gave a good answer. */
    SUCCESS,
    /** The dependency failed: an error, or a value that the classifier calls a failure (a 500 response). */
    FAILURE,
    /** The dependency asks for less (429, or 503 with {@code Retry-After}). */
    PUSHBACK,
    /**
     * The caller's own fault (a 404), or an error of the process itself (an {@link OutOfMemoryError}): delivered as it is; no policy
     * counts it, but as a value it shows a half-open circuit breaker that the dependency answers.
     */
    IGNORED,
    /**
     * Rejected locally; never reached the dependency. The error is a {@link CallRejectedException}, or says that the HTTP client's own
     * pool has no free connection or thread, or is what a fallback has thrown then.
     */
    REJECTED,
    /** The attempt was started and did not end within its limit. The error is a {@link CallTimeoutException}, or what a fallback has thrown then. */
    TIMEOUT,
    /** The caller gave up: the returned future was cancelled or completed from outside. */
    CANCELLED,
    /** The calling thread was interrupted, and not by the pipeline. */
    INTERRUPTED
}
