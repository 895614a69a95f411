/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.internal.Fatal;
import dev.holdfast.spi.Passage;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/** The meaning of a call's end for the cache. */
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

    /** Whether the dependency answered, or may have answered, that the value does not exist, or not for this caller. */
    static boolean isGone(Passage passage) {
        Throwable error = passage.error();
        if (!passage.started() || error instanceof Error || error instanceof CancellationException) {
            return false;
        }
        return switch (passage.outcome()) {
            case IGNORED -> !passage.failedHere();
            case FAILURE -> !passage.hasClassifier() && !Outage.isSure(error);
            case SUCCESS, PUSHBACK, TIMEOUT, REJECTED, CANCELLED, INTERRUPTED -> false;
        };
    }

    /** Whether the load's thread did not know the caller's partition. Calls on their own threads do not have this problem. */
    static boolean hadNoPartition(Passage passage) {
        return passage.error() instanceof CallRejectedException rejection
                && rejection.reason() == Reason.WRONG_PARTITION
                && rejection.pipeline().equals(passage.pipeline());
    }

    /** Whether the end concerns the leader of a flight alone, and no call that waits for it. */
    static boolean isPersonal(Passage passage) {
        return passage.personal() || couldNotWait(passage);
    }

    /** Whether the leader's thread had no room left on its stack, or was stopped. Other calls have threads of their own. */
    static boolean isOfTheThread(@Nullable Throwable error) {
        return error instanceof StackOverflowError || (Fatal.is(error) && !(error instanceof VirtualMachineError));
    }

    /** Whether the leader had too little time to wait for the throttle. Other calls may have more. */
    private static boolean couldNotWait(Passage passage) {
        return passage.error() instanceof CallRejectedException rejection
                && rejection.reason() == Reason.THROTTLED
                && passage.limitedBy().equals("call")
                && rejection.retryAfterNanos() > passage.remaining();
    }

    /** Whether the limit of the layer of this name ended the call. */
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

    /** Whether the process cannot go on with this call or any other: no thread is free, or the pipeline is closed. */
    static boolean isOfTheProcess(Passage passage) {
        return passage.error() instanceof CallRejectedException rejection
                && (rejection.reason() == Reason.EXECUTOR_FULL || rejection.reason() == Reason.CLOSED);
    }

    /** Whether this call has asked the dependency, which may have begun. */
    static boolean mayHaveBegun(Passage passage) {
        return passage.attempts() > 0 && passage.mayHaveBegun();
    }

    /** Whether the time of this call measures how long a load takes. */
    static boolean tellsItsTime(Passage passage) {
        return passage.started() && !passage.personal() && passage.outcome() != Outcome.REJECTED;
    }
}
