/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Reason;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpTimeoutException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.AccessDeniedException;
import java.sql.SQLException;
import java.sql.SQLRecoverableException;
import java.sql.SQLTimeoutException;
import java.sql.SQLTransientConnectionException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class OutageTest {

    /** As a client of the Apache project has it. */
    private static final class HttpResponseException extends IOException {
        private static final long serialVersionUID = 1L;
    }

    /** As a client has it that knows no other. */
    private static class ReadTimeoutException extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    private static final class NotFound extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    static Stream<Throwable> outages() {
        return Stream.of(
                new IOException("HTTP/1.1 header parser received no bytes"),
                new ConnectException("refused"),
                new SocketException("Connection reset"),
                new SocketTimeoutException("Read timed out"),
                new UnknownHostException("stock"),
                new EOFException(),
                new ClosedChannelException(),
                new HttpTimeoutException("request timed out"),
                new HttpConnectTimeoutException("connect timed out"),
                new IOException("Server returned HTTP response code: 503 for URL: http://stock/"),
                new TimeoutException(),
                new ReadTimeoutException(),
                new SQLTimeoutException(),
                new SQLTransientConnectionException(),
                new SQLRecoverableException(),
                new RejectedExecutionException(),
                new CallTimeoutException("inner", "timeout", 1, 5),
                new CallRejectedException(Reason.BULKHEAD_FULL, "inner", "bulkhead", "full", -1, null),
                new UncheckedIOException(new IOException("reset")),
                new RuntimeException("I/O error on GET request", new ConnectException("refused")),
                new IllegalStateException(new CompletionException(new ReadTimeoutException())));
    }

    static Stream<Throwable> answers() {
        return Stream.of(
                new NotFound(),
                new RuntimeException("404 Not Found"),
                new IllegalStateException(new NotFound()),
                new SQLException("no such table"),
                new FileNotFoundException("http://stock/sku-1"),
                new UncheckedIOException(new FileNotFoundException("http://stock/sku-1")),
                new AccessDeniedException("/etc/shadow"),
                new HttpResponseException(),
                new IOException("Server returned HTTP response code: 403 for URL: http://stock/"),
                new AssertionError("wrong"));
    }

    @ParameterizedTest
    @MethodSource("outages")
    void noAnswerIsAnOutage(Throwable error) {
        assertThat(Outage.isSure(error)).isTrue();
    }

    @ParameterizedTest
    @MethodSource("answers")
    void whatMayBeAnAnswerIsNone(Throwable error) {
        assertThat(Outage.isSure(error)).isFalse();
    }

    @Test
    void causesThatGoInACircleAreFollowedOnlyForAWhile() {
        RuntimeException one = new RuntimeException("one");
        one.initCause(new RuntimeException("other", one));
        assertThat(Outage.isSure(one)).isFalse();
        assertThat(Outage.isSure(null)).isFalse();
    }
}
