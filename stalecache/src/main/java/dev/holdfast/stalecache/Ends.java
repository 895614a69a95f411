/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.spi.Passage;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/** What the end of a call means for a cache. */
final class Ends {
    private Ends() {}

    /** Whether an old value is a better answer. */
    static boolean isError(Passage passage, Outcome outcome, @Nullable Throwable error) {
        return switch (outcome) {
            case PUSHBACK, TIMEOUT, REJECTED -> true;
            case FAILURE -> passage.hasClassifier() || Outage.isSure(error);
            case SUCCESS, IGNORED, CANCELLED, INTERRUPTED -> false;
        };
    }

    /** Whether the dependency answered that there is no such thing, or not for this caller; where in doubt, that it may have. */
    static boolean isGone(Passage passage) {
        Throwable error = passage.error();
        if (!passage.started() || error instanceof Error || error instanceof CancellationException) {
            return false;
        }
        return switch (passage.outcome()) {
            case IGNORED -> true;
            case FAILURE -> !passage.hasClassifier() && !Outage.isSure(error);
            case SUCCESS, PUSHBACK, TIMEOUT, REJECTED, CANCELLED, INTERRUPTED -> false;
        };
    }

    /** Whether it could not be asked on that thread for whom it is: of that, those on threads of their own know nothing. */
    static boolean hadNoPartition(Passage passage) {
        return passage.error() instanceof CallRejectedException rejection
                && rejection.reason() == Reason.WRONG_PARTITION
                && rejection.pipeline().equals(passage.pipeline());
    }

    /** Whether the end concerns the leader of a flight alone, and no one who waits for it. */
    static boolean isPersonal(Passage passage) {
        return passage.personal() || couldNotWait(passage);
    }

    /** A place at the throttle that others, with more time, would have waited for. */
    private static boolean couldNotWait(Passage passage) {
        return passage.error() instanceof CallRejectedException rejection
                && rejection.reason() == Reason.THROTTLED
                && passage.limitedBy().equals("call")
                && rejection.retryAfterNanos() > passage.remaining();
    }

    /** Whether the limit of the layer of this name ended it. */
    static boolean isCut(Passage passage, String layer) {
        Throwable error = passage.error();
        if (error instanceof CallTimeoutException timeout) {
            return timeout.policy().equals(layer) && timeout.pipeline().equals(passage.pipeline());
        }
        return error instanceof CallRejectedException rejection
                && rejection.reason() == Reason.DEADLINE_EXCEEDED
                && rejection.policy().equals(layer)
                && rejection.pipeline().equals(passage.pipeline());
    }

    /** Whether the process has nothing to go on with, for this call or any other. */
    static boolean isOfTheProcess(Passage passage) {
        return passage.error() instanceof CallRejectedException rejection
                && (rejection.reason() == Reason.EXECUTOR_FULL || rejection.reason() == Reason.CLOSED);
    }

    /** Whether it tells how long a load takes. */
    static boolean tellsItsTime(Passage passage) {
        return passage.started() && !passage.personal() && passage.outcome() != Outcome.REJECTED;
    }
}
