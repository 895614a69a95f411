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
 * A call that was turned away locally and never reached the dependency. It has no stack trace: under load there are many,
 * and where it was thrown says nothing. Its message is put together when it is first asked for.
 */
public final class CallRejectedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Reason reason;
    private final String pipeline;
    private final String policy;
    private final long retryAfterNanos;
    private final transient Supplier<String> text;
    private @Nullable String message;
    private final transient @Nullable List<AttemptEnd> history;

    /**
     * A rejection; made by policies through {@link dev.holdfast.spi.Passage#reject}.
     *
     * @param retryAfterNanos when it may be worth trying again; -1 if not known
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
     * As above, with the history of the call, and a message that is put together when somebody reads it.
     *
     * @param message asked for once, on any thread
     * @param history how the attempts before the rejection ended; kept as it is
     */
    public CallRejectedException(
            Reason reason,
            String pipeline,
            String policy,
            Supplier<String> message,
            long retryAfterNanos,
            @Nullable Throwable cause,
            List<AttemptEnd> history) {
        super(null, cause, false, false);
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
            known = text.get();
            message = known;
        }
        return known;
    }

    private void writeObject(ObjectOutputStream out) throws IOException {
        message = getMessage();
        out.defaultWriteObject();
    }

    /** Why the call was turned away. */
    public Reason reason() {
        return reason;
    }

    /** The name of the pipeline that turned it away. */
    public String pipeline() {
        return pipeline;
    }

    /** The name of the policy that turned it away, such as {@code bulkhead}; {@code pipeline} if it was no policy. */
    public String policy() {
        return policy;
    }

    /** After which time another call may be let through, where the policy knows. */
    public Optional<Duration> retryAfter() {
        return retryAfterNanos < 0 ? Optional.empty() : Optional.of(Duration.ofNanos(retryAfterNanos));
    }

    /** {@link #retryAfter} in nanoseconds; -1 if not known. */
    public long retryAfterNanos() {
        return retryAfterNanos;
    }

    /** How the attempts before the rejection ended, in their order: at most the last 16; empty if there was none. */
    public List<AttemptEnd> history() {
        List<AttemptEnd> told = history;
        return told == null ? List.of() : told;
    }
}
