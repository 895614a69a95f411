/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Reason;
import dev.holdfast.http.AlreadySent;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedByInterruptException;
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
            return with(e, new InterruptedIOException("the request was cancelled"));
        }
        if (e instanceof ClosedByInterruptException) {
            return with(e, new InterruptedIOException("interrupted"));
        }
        Reason rejected = e instanceof CallRejectedException rejection ? rejection.reason() : null;
        if (e instanceof CallTimeoutException || rejected == Reason.DEADLINE_EXCEEDED) {
            return with(e, new SocketTimeoutException(e.getMessage()));
        }
        if (rejected == Reason.INTERRUPTED) {
            return with(e, new InterruptedIOException(e.getMessage()));
        }
        boolean asItIs = e instanceof IOException || e instanceof HttpException || e instanceof RuntimeException;
        return asItIs && !(e instanceof CallRejectedException) ? (Exception) e : new IOException(e.getMessage(), e);
    }

    private static IOException with(Throwable cause, IOException e) {
        e.initCause(cause);
        return e;
    }
}
