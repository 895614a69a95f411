/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import org.jspecify.annotations.Nullable;

/**
 * Says, once for all policies of a pipeline, what an answer of the dependency means.
 *
 * <p>Called by the pipeline exactly once for each outcome of an attempt, on the thread on which the attempt ended. An
 * error is given without the {@code CompletionException} or {@code ExecutionException} around it. A classifier that
 * throws makes its own exception the call's error, which is then {@linkplain Outcome#IGNORED ignored} by the policies.
 *
 * <p>Not asked: a {@link CallRejectedException} of an inner pipeline, which is a rejection here too, whatever has wrapped it, and a
 * {@link VirtualMachineError}, which is never retried and never counted.
 */
@FunctionalInterface
public interface Classifier {

    /** Every value is a success, every exception a failure. The default of a pipeline. */
    Classifier DEFAULT = (value, error) -> error == null ? Verdict.SUCCESS : Verdict.FAILURE;

    /**
     * Says what this answer means.
     *
     * @param value the action's value; null if it threw, or returned null
     * @param error what the action threw; null if it returned
     */
    Verdict classify(@Nullable Object value, @Nullable Throwable error);
}
