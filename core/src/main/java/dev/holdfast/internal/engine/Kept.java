/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.Outcome;
import dev.holdfast.Reply.Source;
import org.jspecify.annotations.Nullable;

/** The outcome that a retry put aside until the next attempt has started. */
final class Kept {
    boolean full;

    @Nullable
    Object value;

    boolean common;
    private Outcome outcome = Outcome.FAILURE;
    private @Nullable Throwable error;
    private boolean failedHere;
    private long retryAfter;
    private Source source = Source.LIVE;
    private long ageNanos;
    private int endedBy;
    private long outlived;
    private boolean passStarted;

    void take(CallOutcome call) {
        full = true;
        outcome = call.outcome;
        value = call.value;
        common = call.common;
        error = call.error;
        failedHere = call.failedHere;
        retryAfter = call.retryAfter;
        source = call.source;
        ageNanos = call.ageNanos;
        endedBy = call.endedBy;
        outlived = call.outlived;
        passStarted = call.passStarted;
    }

    void giveBack(CallOutcome call) {
        call.outcome = outcome;
        call.value = value;
        call.common = common;
        call.error = error;
        call.failedHere = failedHere;
        call.retryAfter = retryAfter;
        call.source = source;
        call.ageNanos = ageNanos;
        call.endedBy = endedBy;
        call.outlived = outlived;
        // For the retries around this one.
        call.passStarted = passStarted;
        forget();
    }

    void forget() {
        full = false;
        value = null;
        error = null;
    }
}
