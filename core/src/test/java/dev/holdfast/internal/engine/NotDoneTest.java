/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.deadline.DeadlinePolicy;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpTimeoutException;
import java.nio.channels.SocketChannel;
import java.nio.channels.UnresolvedAddressException;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.apache.hc.core5.http.ConnectionRequestTimeoutException;
import org.apache.hc.core5.http.RequestNotExecutedException;
import org.apache.hc.core5.util.DeadlineTimeoutException;
import org.apache.http.conn.ConnectTimeoutException;
import org.apache.http.conn.ConnectionPoolTimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Which errors show that the work was surely not done. */
class NotDoneTest {

    static Stream<Throwable> connectionsNeverMade() {
        return Stream.of(
                new ConnectException("Connection refused"),
                new UnknownHostException("nowhere"),
                new NoRouteToHostException("No route to host"),
                new UnresolvedAddressException(),
                new SSLHandshakeException("No appropriate protocol"),
                new SSLPeerUnverifiedException("Hostname a not verified"),
                new HttpConnectTimeoutException("HTTP connect timed out"),
                new SocketTimeoutException("connect timed out"),
                new SocketTimeoutException("Connect timed out"),
                new ConnectTimeoutException("Connect to a:80 failed"),
                new ConnectionPoolTimeoutException("Timeout waiting for connection from pool"),
                new org.apache.hc.client5.http.ConnectTimeoutException("Connect to http://a failed"),
                new ConnectionRequestTimeoutException("Timeout deadline: 3 MINUTES"),
                new DeadlineTimeoutException("Deadline: 3 MINUTES"),
                new InterruptedIOException("executor rejected"),
                new IOException("too many concurrent streams"),
                new RequestNotExecutedException("Request execution deadline"),
                new CallRejectedException(Reason.CIRCUIT_OPEN, "inner", "circuit-breaker", "open", -1, null));
    }

    static Stream<Throwable> everythingElse() {
        return Stream.of(
                new SocketTimeoutException("Read timed out"),
                new SocketTimeoutException("timeout"),
                new SocketTimeoutException(),
                new SocketTimeoutException("could not connect timed out"),
                new InterruptedIOException("timeout"),
                new HttpTimeoutException("request timed out"),
                new SQLTimeoutException("t"),
                new SQLException("gone", "08S01"),
                new TimeoutException(),
                new SocketException("Connection reset"),
                new SocketException("Broken pipe"),
                new IOException("Connection timed out"),
                new EOFException(),
                new IllegalStateException("HTTP 500"),
                new IOException("connect timed out"),
                new Error("of the action"));
    }

    private static List<Throwable> wrapped(Throwable error) {
        List<Throwable> wrapped = new ArrayList<>(List.of(
                error,
                new RuntimeException(error),
                new CompletionException(error),
                new ExecutionException(error),
                new SQLException("no connection", "08001", error),
                new Exception("of a client", new RuntimeException(new Exception(error)))));
        wrapped.add(new UncheckedIOException(error instanceof IOException io ? io : new IOException(error)));
        return wrapped;
    }

    @ParameterizedTest
    @MethodSource("connectionsNeverMade")
    void connectionThatWasNeverMadeIsSureWhateverWrapsIt(Throwable error) {
        assertThat(wrapped(error)).allMatch(NotDone::surely);
    }

    @ParameterizedTest
    @MethodSource("everythingElse")
    void everythingElseMayHaveBeenDoneWhateverWrapsIt(Throwable error) {
        assertThat(wrapped(error)).noneMatch(NotDone::surely);
    }

    @Test
    void failureThatIsAValueIsNotSure() {
        assertThat(NotDone.surely(null)).isFalse();
    }

    @Test
    void suppressedExceptionIsNoCause() {
        IOException reset = new IOException("reset");
        reset.addSuppressed(new ConnectException("refused"));
        assertThat(NotDone.surely(reset)).isFalse();
        assertThat(NotDone.surely(new RuntimeException(reset))).isFalse();
    }

    /** OkHttp repeats over a new connection what failed on a stale one, which may have taken all of it. */
    @Test
    void refusedConnectionAfterATryThatMayHaveBeenSentIsNotSure() {
        ConnectException refused = new ConnectException("Failed to connect to /127.0.0.1:80");
        refused.addSuppressed(new ConnectException("of the other address"));
        refused.addSuppressed(new Exception("#block terminated with an error"));
        assertThat(NotDone.surely(refused)).isTrue();
        refused.addSuppressed(new IOException("unexpected end of stream"));
        assertThat(NotDone.surely(refused)).isFalse();
        assertThat(NotDone.surely(new RuntimeException(refused))).isFalse();
        ConnectException wrapped = new ConnectException();
        wrapped.addSuppressed(new RuntimeException(new IOException("unexpected end of stream")));
        assertThat(NotDone.surely(wrapped)).isFalse();
        RuntimeException around = new RuntimeException(new ConnectException());
        around.addSuppressed(new TimeoutException());
        assertThat(NotDone.surely(around)).isFalse();
    }

    @Test
    void ringOfCausesEnds() {
        Exception first = new Exception("first");
        Exception second = new Exception("second", first);
        first.initCause(second);
        assertThat(NotDone.surely(second)).isFalse();
        Throwable deep = new ConnectException();
        for (int i = 0; i < 10_000; i++) {
            deep = new RuntimeException("around", deep);
        }
        assertThat(NotDone.surely(deep)).isFalse();
    }

    /** What an inner pipeline rejects after an attempt of its own: it may have been that one's work. */
    @Test
    void rejectionAfterAnAttemptIsNotSure() {
        try (VirtualTime time = new VirtualTime()) {
            Policy opens = new Policy("opens", Policy.ENTER) {
                @Override
                public int enter(Passage passage) {
                    return passage.attempts() == 0 ? PROCEED : passage.fail(rejection());
                }

                private CallRejectedException rejection() {
                    return new CallRejectedException(Reason.CIRCUIT_OPEN, "inner", "opens", "open", -1, null);
                }
            };
            Pipeline inner = Pipeline.builder("inner")
                    .time(time)
                    .policies(RetryPolicy.ofDefaults(), opens)
                    .build();
            assertThatThrownBy(() -> inner.call(() -> {
                        throw new IOException("may have been done");
                    }))
                    .isInstanceOf(CallRejectedException.class)
                    .satisfies(error -> assertThat(NotDone.surely(error)).isFalse());
        }
    }

    @Test
    void timeoutOfAnInnerPipelineIsNotSure() {
        try (VirtualTime time = new VirtualTime()) {
            Pipeline inner = Pipeline.builder("inner")
                    .time(time)
                    .policies(DeadlinePolicy.of(Duration.ofSeconds(1)), TimeoutPolicy.of(Duration.ofMillis(5)))
                    .build();
            assertThatThrownBy(() -> inner.call(() -> {
                        time.sleep(Duration.ofMinutes(1));
                        return "never";
                    }))
                    .isInstanceOf(CallTimeoutException.class)
                    .satisfies(error -> assertThat(wrapped(error)).noneMatch(NotDone::surely));
        }
    }

    // ---- what the JDK's sockets say

    private static InetAddress loopback() {
        return InetAddress.getLoopbackAddress();
    }

    @Test
    void jdksRefusedConnectionIsSure() throws IOException {
        // Bound, so that nobody else has the port, and not listening.
        try (Socket deaf = new Socket()) {
            deaf.bind(new InetSocketAddress(loopback(), 0));
            int port = deaf.getLocalPort();
            assertThatThrownBy(() -> new Socket(loopback(), port)).matches(NotDone::surely);
            assertThatThrownBy(() -> SocketChannel.open(new InetSocketAddress(loopback(), port)))
                    .matches(NotDone::surely);
            assertThatThrownBy(() -> SocketChannel.open(InetSocketAddress.createUnresolved("nowhere.invalid", port)))
                    .matches(NotDone::surely);
        }
    }

    /** A full queue of connections is the one way to a connection that does not come about which needs no network. */
    @Test
    void jdksConnectionThatDoesNotComeAboutIsSure() throws IOException {
        List<Socket> queued = new ArrayList<>();
        try (ServerSocket server = new ServerSocket(0, 1, loopback())) {
            IOException failed = null;
            while (failed == null && queued.size() < 5_000) {
                Socket socket = new Socket();
                queued.add(socket);
                try {
                    socket.connect(server.getLocalSocketAddress(), 200);
                } catch (IOException e) {
                    failed = e;
                }
            }
            assertThat(failed).matches(NotDone::surely, "says that no connection was made");
        } finally {
            for (Socket socket : queued) {
                socket.close();
            }
        }
    }

    @Test
    void jdksReadThatTimesOutIsNotSure() throws IOException {
        try (ServerSocket server = new ServerSocket(0, 1, loopback());
                Socket socket = new Socket(loopback(), server.getLocalPort())) {
            socket.setSoTimeout(1);
            assertThatThrownBy(() -> socket.getInputStream().read())
                    .isInstanceOf(SocketTimeoutException.class)
                    .matches(error -> !NotDone.surely(error));
        }
    }
}
