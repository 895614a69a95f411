/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Reason;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.assertj.core.api.AbstractThrowableAssert;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;

/** Assertions on how a call failed. The exceptions that a future wraps around its error are taken off. */
public final class CallAssert extends AbstractThrowableAssert<CallAssert, Throwable> {
    private final String otherwise;

    @SuppressWarnings("NullAway") // AssertJ's own way of saying that there is none
    private CallAssert(@Nullable Throwable error, String otherwise) {
        super(unwrapped(error), CallAssert.class);
        this.otherwise = otherwise;
    }

    static CallAssert of(ThrowingCallable call) {
        Throwable error = null;
        try {
            call.call();
        } catch (Throwable thrown) {
            error = thrown;
        }
        return new CallAssert(error, "it ended well");
    }

    static CallAssert of(CompletableFuture<?> call) {
        if (!call.isDone()) {
            return new CallAssert(null, "it has not ended");
        }
        try {
            return new CallAssert(null, "it ended well, with <" + call.join() + ">");
        } catch (CompletionException | CancellationException thrown) {
            return new CallAssert(thrown, "");
        }
    }

    private static @Nullable Throwable unwrapped(@Nullable Throwable thrown) {
        Throwable error = thrown;
        while ((error instanceof CompletionException || error instanceof ExecutionException)
                && error.getCause() != null) {
            error = error.getCause();
        }
        return error;
    }

    /**
     * It was turned away locally, by this policy and for this reason.
     *
     * @param policy the policy's name, such as {@code bulkhead}; {@code pipeline} if it was no policy
     */
    public CallAssert wasRejectedBy(String policy, Reason reason) {
        if (!(actual instanceof CallRejectedException rejection)
                || !rejection.policy().equals(policy)
                || rejection.reason() != reason) {
            throw failure("Expected the call to be rejected by %s: %s, but %s", policy, reason, end());
        }
        return this;
    }

    /** Its last attempt was given up by the limit of this policy, such as {@code timeout}. */
    public CallAssert hasTimedOutBy(String policy) {
        if (!(actual instanceof CallTimeoutException timeout)
                || !timeout.policy().equals(policy)) {
            throw failure("Expected the call to time out by %s, but %s", policy, end());
        }
        return this;
    }

    private String end() {
        if (actual == null) {
            return otherwise;
        }
        if (actual instanceof CallRejectedException rejection) {
            return "it was rejected by " + rejection.policy() + ": " + rejection.reason() + " (" + actual.getMessage()
                    + ")";
        }
        return "it failed with " + actual;
    }
}
