/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Reason;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedByInterruptException;

/** What callers of HTTP clients expect: an {@link IOException} for all that ends a request. */
public final class IoExceptions {
    private IoExceptions() {}

    /** What a call was ended with. It is the cause, unless it is an {@link IOException} of the client: then it stays as it is. */
    public static IOException of(Throwable e) {
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
        return e instanceof IOException io ? io : new IOException(e.getMessage(), e);
    }

    private static IOException with(Throwable cause, IOException e) {
        e.initCause(cause);
        return e;
    }
}
