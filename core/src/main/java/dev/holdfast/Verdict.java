/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import java.time.Duration;
import java.util.Objects;

/**
 * What the {@link Classifier} says about an answer: success, failure, pushback or ignored. Immutable.
 */
public final class Verdict {
    /** In {@link #retryAfterNanos}: the call must not be retried. Negative, because it is not a time. */
    public static final long NEVER = -2;

    /** In {@link #retryAfterNanos}: the dependency said a time that cannot be read. Negative, because it is not a time. */
    public static final long UNREADABLE = -3;

    /** A good answer. */
    public static final Verdict SUCCESS = new Verdict(Outcome.SUCCESS, -1);
    /** The dependency's fault: retried, and counted by the circuit breaker. */
    public static final Verdict FAILURE = new Verdict(Outcome.FAILURE, -1);
    /** The caller's own fault: neither retried nor counted. */
    public static final Verdict IGNORED = new Verdict(Outcome.IGNORED, -1);
    /** The dependency asks for less, and does not say for how long. */
    public static final Verdict PUSHBACK = new Verdict(Outcome.PUSHBACK, -1);

    /**
     * The dependency asks for less, and forbids a retry of this call (a negative {@code grpc-retry-pushback-ms}).
     */
    public static final Verdict STOP = new Verdict(Outcome.PUSHBACK, NEVER);

    private static final Duration LONGEST = Duration.ofDays(1);

    private final Outcome outcome;
    private final long retryAfterNanos;

    private Verdict(Outcome outcome, long retryAfterNanos) {
        this.outcome = outcome;
        this.retryAfterNanos = retryAfterNanos;
    }

    /**
     * The dependency asks not to be called again before this time has passed.
     *
     * @param retryAfter as the dependency said; a negative time counts as zero, more than a day as a day
     */
    public static Verdict pushback(Duration retryAfter) {
        return PUSHBACK.withRetryAfter(retryAfter);
    }

    /**
     * The same verdict on an answer with which the dependency also asks not to be called before this time has passed, such as a
     * good answer that used up the last of a quota. A retry waits so long, and a gate holds all callers.
     *
     * @param retryAfter as the dependency said; a negative time counts as zero, more than a day as a day
     */
    public Verdict withRetryAfter(Duration retryAfter) {
        Objects.requireNonNull(retryAfter, "retryAfter");
        Duration atMost = retryAfter.compareTo(LONGEST) > 0 ? LONGEST : retryAfter;
        return new Verdict(outcome, atMost.isNegative() ? 0 : atMost.toNanos());
    }

    /** The same verdict on an answer that says such a time in a way that cannot be read: it counts as no time. */
    public Verdict withUnreadableRetryAfter() {
        return new Verdict(outcome, UNREADABLE);
    }

    /** {@link Outcome#SUCCESS}, {@link Outcome#FAILURE}, {@link Outcome#PUSHBACK} or {@link Outcome#IGNORED}. */
    public Outcome outcome() {
        return outcome;
    }

    /**
     * For how long the dependency asked not to be called, in nanoseconds; -1 if it did not say, {@link #UNREADABLE} if what it
     * said cannot be read, {@link #NEVER} if it forbids a retry.
     */
    public long retryAfterNanos() {
        return retryAfterNanos;
    }

    @Override
    public String toString() {
        if (retryAfterNanos == NEVER) {
            return outcome + "(no retry)";
        }
        if (retryAfterNanos == UNREADABLE) {
            return outcome + "(unreadable retry after)";
        }
        return retryAfterNanos < 0
                ? outcome.name()
                : outcome + "(retry after " + Duration.ofNanos(retryAfterNanos) + ")";
    }
}
