/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Classifier;
import dev.holdfast.Outcome;
import dev.holdfast.Verdict;
import dev.holdfast.internal.Causes;
import dev.holdfast.internal.Fatal;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/** Decides what the end of an attempt means: once, for all policies. */
final class Judge {
    private final String pipeline;

    Judge(String pipeline) {
        this.pipeline = pipeline;
    }

    /** Also writes into the call what comes with the verdict. */
    Outcome judge(CallState call, @Nullable Object value, @Nullable Throwable thrown) {
        Classifier classifier = call.spec.operation().classifier();
        if (thrown == null && classifier == Classifier.DEFAULT) {
            return Outcome.SUCCESS;
        }
        Throwable error = unwrapped(thrown);
        if (Fatal.is(error)) {
            return Outcome.IGNORED;
        }
        Throwable rejection = rejectionIn(error);
        if (rejection != null) {
            call.retryAfter = rejection instanceof CallRejectedException inner ? inner.retryAfterNanos() : -1;
            return Outcome.REJECTED;
        }
        try {
            Verdict verdict = call.async ? inside(call, classifier, value, error) : classifier.classify(value, error);
            if (verdict == null) {
                throw new NullPointerException(noVerdict(call, classifier));
            }
            call.retryAfter = verdict.retryAfterNanos();
            return verdict.outcome();
        } catch (Throwable broken) {
            // Once: an exception may be thrown again and again.
            if (error != null && error != broken && broken.getSuppressed().length == 0) {
                broken.addSuppressed(error);
            }
            call.brokenBy(broken);
            return Outcome.IGNORED;
        }
    }

    /** A blocking call stands on its thread until it is over. So what the classifier calls has the call's limits in both. */
    private static @Nullable Verdict inside(
            CallState call, Classifier classifier, @Nullable Object value, @Nullable Throwable error) {
        Ambient ambient = Ambient.get();
        CallState before = ambient.inner();
        CallState judgedBefore = ambient.judged;
        try {
            ambient.enter(call);
            ambient.judged = call;
            return classifier.classify(value, error);
        } finally {
            ambient.judged = judgedBefore;
            ambient.leave(before);
        }
    }

    private String noVerdict(CallState call, Classifier classifier) {
        String operation = call.operation();
        return "classifier " + classifier.getClass().getName() + " of "
                + (operation == null ? "" : "operation '" + operation + "' of ")
                + "pipeline '" + pipeline + "' returned null, but must return a Verdict";
    }

    static @Nullable Throwable unwrapped(@Nullable Throwable thrown) {
        Throwable error = thrown;
        for (int i = 0;
                i < Causes.MOST && (error instanceof CompletionException || error instanceof ExecutionException);
                i++) {
            Throwable cause = Causes.of(error);
            if (cause == null) {
                break;
            }
            error = cause;
        }
        return error;
    }

    /** The rejection of an inner pipeline or of a client's full pool, also where a client has wrapped it; null if it is none. */
    private static @Nullable Throwable rejectionIn(@Nullable Throwable error) {
        Throwable cause = error;
        for (int i = 0; cause != null && i < Causes.MOST; i++, cause = Causes.of(cause)) {
            if (cause instanceof CallRejectedException || FullPools.isSaidBy(cause)) {
                return cause;
            }
        }
        return null;
    }
}
