/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.http.AlreadySent;
import dev.holdfast.internal.IoExceptions;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import org.apache.hc.core5.http.HttpException;

/** What goes wrong with a request. */
final class Errors {
    private Errors() {}

    /** As callers of Apache's clients expect it: an {@link IOException}, an {@link HttpException} or what is neither's. */
    static Exception toCaller(Throwable thrown, boolean cancelled) {
        Throwable original = AlreadySent.original(thrown);
        // Where the client takes exceptions alone, an Error is the cause of one.
        Throwable e =
                original instanceof ExecutionException && original.getCause() instanceof Error error ? error : original;
        if (cancelled || e instanceof CancellationException) {
            InterruptedIOException interrupted = new InterruptedIOException("the request was cancelled");
            interrupted.initCause(e);
            return interrupted;
        }
        boolean isOfPolicies = e instanceof CallRejectedException || e instanceof CallTimeoutException;
        boolean asItIs = e instanceof HttpException || e instanceof RuntimeException;
        return asItIs && !isOfPolicies ? (Exception) e : IoExceptions.of(e);
    }
}
