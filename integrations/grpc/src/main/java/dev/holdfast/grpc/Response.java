/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.grpc;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Reason;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * What the listener of a call hears.
 *
 * @param headers null: none came
 * @param messages heard only if the status is OK
 */
record Response<R>(@Nullable Metadata headers, List<R> messages, Status status, Metadata trailers) {

    /** Of a call that has ended with this status here. */
    static <R> Response<R> of(Status status) {
        return new Response<>(null, List.of(), status, new Metadata());
    }

    /** Of a fallback. */
    static <R> Response<R> ofMessage(@Nullable R message) {
        return new Response<>(
                new Metadata(), message == null ? List.of() : List.of(message), Status.OK, new Metadata());
    }

    /** Of what a pipeline says, in gRPC's words. */
    @SuppressWarnings("unchecked") // it is of the call's type
    static <R> Response<R> of(Throwable error) {
        if (error instanceof Failed failed) {
            return (Response<R>) failed.response;
        }
        if (error instanceof CancellationException) {
            return of(said(Status.CANCELLED, error));
        }
        if (error instanceof CallTimeoutException) {
            return of(said(Status.DEADLINE_EXCEEDED, error));
        }
        if (error instanceof CallRejectedException rejected) {
            return of(said(
                    rejected.reason() == Reason.DEADLINE_EXCEEDED ? Status.DEADLINE_EXCEEDED : Status.UNAVAILABLE,
                    error));
        }
        Metadata trailers = Status.trailersFromThrowable(error);
        Status status = Status.fromThrowable(error);
        if (status.getCause() == error && status.getDescription() == null) {
            status = status.withDescription("the client threw " + error); // the server has not said UNKNOWN
        }
        return new Response<>(null, List.of(), status, trailers == null ? new Metadata() : trailers);
    }

    private static Status said(Status status, Throwable cause) {
        return status.withDescription(cause.getMessage()).withCause(cause);
    }
}
