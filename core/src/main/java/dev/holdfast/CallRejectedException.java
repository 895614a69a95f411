/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import java.io.IOException;
import java.io.ObjectOutputStream;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A call that was rejected locally and never reached the dependency. It has no stack trace, because under load there are many of
 * them; {@code -Ddev.holdfast.stack-traces=true} gives it one. Its message is made when it is first read.
 */
public final class CallRejectedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Reason reason;
    private final String pipeline;
    private final String policy;
    private final long retryAfterNanos;
    private final transient Supplier<String> text;
    private @Nullable String message;
    private final transient @Nullable List<Attempt.End> history;

    /**
     * Makes a rejection. Policies use {@link dev.holdfast.spi.Passage#reject} instead.
     *
     * @param retryAfterNanos after this time another call may be allowed; -1 if not known
     */
    public CallRejectedException(
            Reason reason,
            String pipeline,
            String policy,
            String message,
            long retryAfterNanos,
            @Nullable Throwable cause) {
        this(reason, pipeline, policy, () -> message, retryAfterNanos, cause, List.of());
    }

    /**
     * As above, with the history of the call, and a message that is made when somebody reads it.
     *
     * @param message called once, on any thread
     * @param history how the attempts before the rejection ended; not copied
     */
    public CallRejectedException(
            Reason reason,
            String pipeline,
            String policy,
            Supplier<String> message,
            long retryAfterNanos,
            @Nullable Throwable cause,
            List<Attempt.End> history) {
        super(null, cause, false, StackTraces.ON);
        this.text = message;
        this.history = history;
        this.reason = reason;
        this.pipeline = pipeline;
        this.policy = policy;
        this.retryAfterNanos = retryAfterNanos;
    }

    @Override
    public String getMessage() {
        // Without care for other threads: they come to the same words.
        String known = message;
        if (known == null) {
            known = made(text);
            message = known;
        }
        return known;
    }

    /** Whoever catches or logs a rejection must not fail because of its words. */
    private String made(Supplier<String> words) {
        try {
            return words.get();
        } catch (Throwable broken) {
            return policy + " of '" + pipeline + "' rejected the call, and the message for it cannot be made: "
                    + broken;
        }
    }

    private void writeObject(ObjectOutputStream out) throws IOException {
        message = getMessage();
        out.defaultWriteObject();
    }

    /** Why the call was rejected. */
    public Reason reason() {
        return reason;
    }

    /** The name of the pipeline that rejected it. */
    public String pipeline() {
        return pipeline;
    }

    /** The name of the policy that rejected it, such as {@code bulkhead}; {@code pipeline} if it was not a policy. */
    public String policy() {
        return policy;
    }

    /** The time after which another call may be allowed; empty if the policy does not know. */
    public Optional<Duration> retryAfter() {
        return retryAfterNanos < 0 ? Optional.empty() : Optional.of(Duration.ofNanos(retryAfterNanos));
    }

    /** {@link #retryAfter} in nanoseconds; -1 if not known, {@link Verdict#NEVER} if this call could never be allowed. */
    public long retryAfterNanos() {
        return retryAfterNanos;
    }

    /** How the attempts before the rejection ended, in their order: the last 16 at most; empty if there was none. */
    public List<Attempt.End> history() {
        List<Attempt.End> told = history;
        return told == null ? List.of() : told;
    }
}
