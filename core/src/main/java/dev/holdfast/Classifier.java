/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import org.jspecify.annotations.Nullable;

/**
 * Says what an answer of the dependency means, once for all policies of a pipeline.
 *
 * <p>The pipeline calls it exactly once for each attempt that ended by itself, on the thread on which the attempt ended. The error
 * is given without the {@code CompletionException} or {@code ExecutionException} around it. If the classifier throws, its
 * exception ends the call, and the policies {@linkplain Outcome#IGNORED ignore} it. The action's error is added as suppressed,
 * unless the exception has a suppressed one already.
 *
 * <p>It is not called for a {@link CallRejectedException} of an inner pipeline, wrapped or not: that is a rejection here, too. It
 * is not called for a {@link VirtualMachineError} or a {@code ThreadDeath} either, which are never retried and never counted.
 */
@FunctionalInterface
public interface Classifier {

    /** Every value is a success, and every exception is a failure. The default of a pipeline. */
    Classifier DEFAULT = (value, error) -> error == null ? Verdict.SUCCESS : Verdict.FAILURE;

    /**
     * Returns what this answer means; never null.
     *
     * @param value the action's value; null if it threw, or returned null
     * @param error what the action threw; null if it returned
     */
    Verdict classify(@Nullable Object value, @Nullable Throwable error);

    /**
     * A classifier that is made of lists, as a file has them. Where the lists say nothing and the base is {@link #DEFAULT}, an
     * adapter for an HTTP client goes by what HTTP says, and one for gRPC by what gRPC says.
     */
    interface Listed extends Classifier {
        /** What the lists say of this HTTP status; null if none has it. */
        @Nullable
        Verdict ofStatus(int status);

        /** What the lists say of this status code of gRPC, such as {@code UNAVAILABLE}; null if none has it. */
        @Nullable
        Verdict ofCode(String code);

        /** What the lists say of an exception; null if none has its class or a class above it. */
        @Nullable
        Verdict ofError(Throwable error);

        /** What classifies everything that is in no list; {@link #DEFAULT} if nothing was given. */
        Classifier base();
    }

    /** A base of lists that reads the codes of a client, so that the lists can have them. */
    interface Coded extends Classifier {
        /** What the lists say of the code of this error; null if it has none, or one that is in no list. */
        @Nullable
        Verdict ofCode(Throwable error, Listed lists);
    }
}
