/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What the {@link Classifier} says about an answer: success, failure, pushback or ignored. Immutable.
 */
public final class Verdict {
    /** In {@link #retryAfterNanos}: the call must not be retried. Negative, because it is not a time. */
    public static final long NEVER = -2;

    /** A good answer. */
    public static final Verdict SUCCESS = new Verdict(Outcome.SUCCESS, null);
    /** The dependency's fault: retried, and counted by the circuit breaker. */
    public static final Verdict FAILURE = new Verdict(Outcome.FAILURE, null);
    /** The caller's own fault: neither retried nor counted. */
    public static final Verdict IGNORED = new Verdict(Outcome.IGNORED, null);
    /** The dependency asks for less, and does not say for how long. */
    public static final Verdict PUSHBACK = new Verdict(Outcome.PUSHBACK, null);

    /**
     * The dependency asks for less, and forbids a retry of this call (a negative {@code grpc-retry-pushback-ms}).
     */
    public static final Verdict STOP = new Verdict(NEVER);

    private static final Duration LONGEST = Duration.ofDays(1);

    private final Outcome outcome;
    private final long retryAfterNanos;

    private Verdict(Outcome outcome, @Nullable Duration retryAfter) {
        this.outcome = outcome;
        this.retryAfterNanos = retryAfter == null ? -1 : retryAfter.toNanos();
    }

    private Verdict(long retryAfterNanos) {
        this.outcome = Outcome.PUSHBACK;
        this.retryAfterNanos = retryAfterNanos;
    }

    /**
     * The dependency asks not to be called again before this time has passed.
     *
     * @param retryAfter as the dependency said; a negative time counts as zero, more than a day as a day
     */
    public static Verdict pushback(Duration retryAfter) {
        Objects.requireNonNull(retryAfter, "retryAfter");
        Duration atMost = retryAfter.compareTo(LONGEST) > 0 ? LONGEST : retryAfter;
        return new Verdict(Outcome.PUSHBACK, atMost.isNegative() ? Duration.ZERO : atMost);
    }

    /** {@link Outcome#SUCCESS}, {@link Outcome#FAILURE}, {@link Outcome#PUSHBACK} or {@link Outcome#IGNORED}. */
    public Outcome outcome() {
        return outcome;
    }

    /**
     * For how long the dependency asked not to be called, in nanoseconds; -1 if it did not say, {@link #NEVER} if it forbids a
     * retry.
     */
    public long retryAfterNanos() {
        return retryAfterNanos;
    }

    @Override
    public String toString() {
        if (retryAfterNanos == NEVER) {
            return outcome + "(no retry)";
        }
        return retryAfterNanos < 0
                ? outcome.name()
                : outcome + "(retry after " + Duration.ofNanos(retryAfterNanos) + ")";
    }
}
