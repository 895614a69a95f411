/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.grpc;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.net.ConnectException;
import org.jspecify.annotations.Nullable;

/** An attempt that ended with another status than OK. It tells the pipeline whether anything can have been sent. */
final class Failed extends StatusRuntimeException {
    private static final long serialVersionUID = 1L;

    final transient Response<?> response;
    final boolean idempotent;

    private Failed(Response<?> response, Status status, boolean idempotent) {
        super(status, response.trailers());
        this.response = response;
        this.idempotent = idempotent;
    }

    /** With the streams that gRPC made for it. */
    static Failed of(Response<?> response, Streams streams, boolean idempotent) {
        Status status = response.status();
        if (status.getCode() == Status.Code.UNAVAILABLE && streams.noneMade()) {
            status = status.withCause(notSent(status.getCause()));
        }
        Failed failed = new Failed(response, status, idempotent);
        return streams.anyMade() ? failed.sent() : failed;
    }

    /** A refused connection, which its cause may be, is not all that has happened. */
    Failed sent() {
        if (getCause() != null) {
            addSuppressed(new IOException("the request had been sent when this happened"));
        }
        return this;
    }

    private static ConnectException notSent(@Nullable Throwable cause) {
        ConnectException none = new ConnectException("there was no connection for this call");
        none.initCause(cause);
        return none;
    }

    /** It is thrown nowhere. */
    @Override
    public synchronized Throwable fillInStackTrace() {
        return this;
    }
}
