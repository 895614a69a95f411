/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.Attempt;
import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import java.time.Duration;
import java.util.AbstractList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The history of an exception that the engine made. It is filled only when the call is over. An outer call recognises the
 * exception by it.
 */
final class AttemptEnds extends AbstractList<Attempt.End> {
    /** The caller's limit that ended the call; null if it was anything else. */
    final @Nullable StruckLimit limit;

    private List<Attempt.End> ends = List.of();

    AttemptEnds(@Nullable StruckLimit limit) {
        this.limit = limit;
    }

    /** What the engine knows of this exception; null if it did not make it, or knows nothing. */
    static @Nullable AttemptEnds of(@Nullable Throwable error) {
        List<Attempt.End> history = error instanceof CallTimeoutException timeout
                ? timeout.history()
                : error instanceof CallRejectedException rejection ? rejection.history() : null;
        return history instanceof AttemptEnds ends ? ends : null;
    }

    /**
     * This error with the history of the call that ends with it. An error of another pipeline, or with a history, stays as it
     * is. An error that a policy made may belong to other calls too, and is copied.
     */
    static Throwable told(Throwable error, String pipeline, List<Attempt.End> history) {
        if (!knowsNothing(error, pipeline)) {
            return error;
        }
        AttemptEnds known = of(error);
        if (known != null) {
            known.ends = history;
            return error;
        }
        return error instanceof CallTimeoutException timeout
                ? copy(timeout, history)
                : copy((CallRejectedException) error, history);
    }

    private static boolean knowsNothing(Throwable error, String pipeline) {
        return error instanceof CallTimeoutException timeout
                ? timeout.history().isEmpty() && timeout.pipeline().equals(pipeline)
                : error instanceof CallRejectedException rejection
                        && rejection.history().isEmpty()
                        && rejection.pipeline().equals(pipeline);
    }

    private static CallTimeoutException copy(CallTimeoutException error, List<Attempt.End> history) {
        return new CallTimeoutException(
                error.pipeline(),
                error.policy(),
                error.attempt(),
                error.elapsed().toNanos(),
                error.limit().map(Duration::toNanos).orElse(-1L),
                history);
    }

    private static CallRejectedException copy(CallRejectedException error, List<Attempt.End> history) {
        return new CallRejectedException(
                error.reason(),
                error.pipeline(),
                error.policy(),
                error::getMessage,
                error.retryAfterNanos(),
                error.getCause(),
                history);
    }

    @Override
    public Attempt.End get(int index) {
        return ends.get(index);
    }

    @Override
    public int size() {
        return ends.size();
    }
}
