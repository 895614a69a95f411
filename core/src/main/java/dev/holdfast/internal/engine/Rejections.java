/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Reason;
import dev.holdfast.internal.Checks;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** The rejections by the pipeline itself, not by a policy. */
final class Rejections {
    private static final String PIPELINE = "pipeline";

    private final String name;
    private final BooleanSupplier closed;

    Rejections(String name, BooleanSupplier closed) {
        this.name = name;
        this.closed = closed;
    }

    /** There is no thread to go on with. */
    CallRejectedException noThread() {
        return closed.getAsBoolean()
                ? of(Reason.CLOSED, PIPELINE, "pipeline '" + name + "' is closed")
                : of(Reason.EXECUTOR_FULL, PIPELINE, "the executor of '" + name + "' refused to go on with the call");
    }

    CallRejectedException noTime(CallState call) {
        String owner = call.limitedBy();
        return of(
                Reason.DEADLINE_EXCEEDED,
                owner,
                "call of '" + name + "' could not be made within the time of its "
                        + (owner.equals("call") ? deadline(call) : owner),
                call.struckLimit(false));
    }

    private static String deadline(CallState call) {
        long limit = call.limitNanos();
        if (call.inheritsLimit && limit <= 0) {
            return "inherited deadline, which was over when the call began";
        }
        return (call.inheritsLimit ? "inherited" : "own") + " deadline (limit " + Checks.time(Math.max(0, limit)) + ")";
    }

    CallRejectedException interrupted() {
        return of(Reason.INTERRUPTED, PIPELINE, "call of '" + name + "' was interrupted while it waited");
    }

    CallRejectedException hedgeWouldWait(String policy) {
        return of(Reason.OTHER, policy, "hedge of '" + name + "' would have to wait");
    }

    CallRejectedException begunMeanwhile() {
        return of(
                Reason.OTHER,
                PIPELINE,
                "call of '" + name
                        + "' is not idempotent, and work inside its last attempt began while the next one waited");
    }

    CallRejectedException otherPartition() {
        return of(
                Reason.WRONG_PARTITION,
                PIPELINE,
                "a call through '" + name + "' has another partition on "
                        + Thread.currentThread().getName()
                        + " than it had when it began: register what the partition is read from as a CallContext");
    }

    private CallRejectedException of(Reason reason, String policy, String message) {
        return of(reason, policy, message, null);
    }

    private CallRejectedException of(Reason reason, String policy, String message, @Nullable StruckLimit limit) {
        return new CallRejectedException(reason, name, policy, () -> message, -1, null, new AttemptEnds(limit));
    }
}
