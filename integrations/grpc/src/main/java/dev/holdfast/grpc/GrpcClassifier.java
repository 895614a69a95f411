/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.grpc;

import dev.holdfast.Classifier;
import dev.holdfast.Outcome;
import dev.holdfast.Verdict;
import dev.holdfast.headers.RetryAfter;
import dev.holdfast.internal.Causes;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a status of gRPC means.
 *
 * <table>
 * <caption>verdicts</caption>
 * <tr><th>status</th><th>verdict</th></tr>
 * <tr><td>UNAVAILABLE, UNKNOWN, INTERNAL, DATA_LOSS, DEADLINE_EXCEEDED</td><td>failure</td></tr>
 * <tr><td>RESOURCE_EXHAUSTED</td><td>pushback, if the call may be done twice; else failure. Ignored after the headers of a
 *     response: a message was too large</td></tr>
 * <tr><td>one of these with {@code grpc-retry-pushback-ms} (gRPC proposal A6)</td><td>pushback for that time; {@link Verdict#STOP} if
 *     it is negative or unreadable</td></tr>
 * <tr><td>CANCELLED, INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED, UNAUTHENTICATED, FAILED_PRECONDITION,
 *     OUT_OF_RANGE, ABORTED, UNIMPLEMENTED</td><td>ignored</td></tr>
 * <tr><td>any other exception</td><td>ignored</td></tr>
 * </table>
 *
 * <p>Only the trailer says that the work has not begun. So a code that is told to be a pushback is a failure for a call that must not be
 * done twice, if it comes without the trailer, or after the headers of a response.
 *
 * <p>Where the pipeline has a classifier of its own, that one decides. Where it has lists of a file, their codes come first, then their
 * exceptions, and the table is for the rest. Immutable.
 */
public final class GrpcClassifier implements Classifier.Coded {
    private static final Metadata.Key<String> PUSHBACK =
            Metadata.Key.of("grpc-retry-pushback-ms", Metadata.ASCII_STRING_MARSHALLER);

    private final Map<Status.Code, Verdict> verdicts;
    private final Supplier<Classifier> own;

    GrpcClassifier(Map<Status.Code, Verdict> verdicts, Supplier<Classifier> own) {
        this.verdicts = verdicts;
        this.own = own;
    }

    /**
     * For pipelines around a stub without the interceptor: the statuses of {@link StatusRuntimeException} and {@link
     * StatusException}. It does not know which calls may be done twice, so RESOURCE_EXHAUSTED without a pushback is a failure.
     */
    public static Classifier ofDefaults() {
        return new GrpcClassifier(Map.of(), () -> DEFAULT);
    }

    @Override
    public Verdict classify(@Nullable Object value, @Nullable Throwable error) {
        if (error != null) {
            return ofError(error);
        }
        if (value instanceof Exchange<?, ?> exchange) {
            Object message = exchange.message();
            // A stub makes an error of it.
            return message == null ? Verdict.FAILURE : own.get().classify(message, null);
        }
        return value == StreamCall.BEGUN ? Verdict.SUCCESS : own.get().classify(value, null);
    }

    private Verdict ofError(Throwable error) {
        Thrown thrown = Thrown.in(error);
        Classifier rest = own.get();
        while (rest instanceof Listed listed) {
            Verdict ofCode = ofCode(error, listed);
            Verdict told = ofCode == null ? listed.ofError(error) : ofCode;
            if (told != null) {
                return thrown == null ? told : ofStatus(thrown, told);
            }
            rest = listed.base();
        }
        if (rest != DEFAULT) {
            return rest.classify(null, error);
        }
        return thrown == null ? Verdict.IGNORED : ofStatus(thrown, verdicts.get(thrown.code()));
    }

    @Override
    public @Nullable Verdict ofCode(Throwable error, Listed lists) {
        Thrown thrown = Thrown.in(error);
        Verdict told = thrown == null ? null : lists.ofCode(thrown.code().name());
        return thrown == null || told == null ? null : ofStatus(thrown, told);
    }

    private static Verdict ofStatus(Thrown thrown, @Nullable Verdict told) {
        Failed failed = thrown.error() instanceof Failed known ? known : null;
        boolean begun = failed != null && failed.response.headers() != null;
        boolean again = failed != null && failed.idempotent;
        Verdict verdict = told != null ? told : ofCode(thrown.code(), begun, again);
        Metadata trailers = thrown.trailers();
        String pushback = trailers == null ? null : trailers.get(PUSHBACK);
        if (verdict.outcome() == Outcome.IGNORED || verdict.outcome() == Outcome.SUCCESS) {
            return verdict;
        }
        if (pushback == null) {
            // That the server has not begun, only the trailer says: a code alone may come after the work.
            return verdict.outcome() == Outcome.PUSHBACK && !again ? Verdict.FAILURE : verdict;
        }
        Verdict pushed = RetryAfter.grpc(pushback);
        return begun && !again && pushed != Verdict.STOP ? Verdict.FAILURE : pushed;
    }

    private static Verdict ofCode(Status.Code code, boolean begun, boolean again) {
        return switch (code) {
            case OK -> Verdict.SUCCESS;
            case UNAVAILABLE, UNKNOWN, INTERNAL, DATA_LOSS, DEADLINE_EXCEEDED -> Verdict.FAILURE;
            // A handler may run out of something in the middle of its work. Only a pushback says that it has not begun.
            case RESOURCE_EXHAUSTED -> begun ? Verdict.IGNORED : again ? Verdict.PUSHBACK : Verdict.FAILURE;
            default -> Verdict.IGNORED;
        };
    }

    /** A status as it was thrown. */
    private record Thrown(
            Throwable error, Status.Code code, @Nullable Metadata trailers) {
        /** The first of an error and its causes; null if there is none. */
        static @Nullable Thrown in(Throwable error) {
            Throwable cause = error;
            for (int i = 0; cause != null && i < Causes.MOST; i++, cause = Causes.of(cause)) {
                if (cause instanceof StatusRuntimeException thrown) {
                    return new Thrown(thrown, thrown.getStatus().getCode(), thrown.getTrailers());
                }
                if (cause instanceof StatusException thrown) {
                    return new Thrown(thrown, thrown.getStatus().getCode(), thrown.getTrailers());
                }
            }
            return null;
        }
    }
}
