/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.okhttp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.http.HttpClassifier;
import dev.holdfast.http.Pipelines;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.stalecache.StaleCachePolicy;
import java.io.BufferedReader;
import java.io.EOFException;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import okhttp3.Cache;
import okhttp3.Call;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Responses whose headers tell of a body that does not come. */
class NoBodyTest {
    private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final AtomicInteger requests = new AtomicInteger();
    private final Pipeline pipeline = Pipeline.builder("stock")
            .policies(RetryPolicy.of(r -> r.maxAttempts(3).budgetEnabled(false)))
            .classifier(HttpClassifier.ofDefaults())
            .build();
    private final Pipeline withCache = Pipeline.builder("cached")
            .policies(
                    StaleCachePolicy.of(c -> c.staleIfSlow(Duration.ZERO)),
                    RetryPolicy.of(r -> r.maxAttempts(3).budgetEnabled(false)))
            .classifier(HttpClassifier.ofDefaults())
            .build();
    private Call.Factory calls = HoldfastCallFactory.around(new OkHttpClient(), Pipelines.one(pipeline));

    NoBodyTest() throws IOException {}

    @AfterEach
    void close() throws IOException {
        pipeline.close();
        withCache.close();
        server.close();
    }

    /** Answers each request, which has no body, with this, and ends its connection. */
    private Request.Builder answeredWith(String answer) {
        Thread thread = new Thread(() -> {
            try {
                while (true) {
                    answer(answer);
                }
            } catch (IOException closed) {
                // The test is over.
            }
        });
        thread.setDaemon(true);
        thread.start();
        return new Request.Builder().url("http://127.0.0.1:" + server.getLocalPort() + "/a");
    }

    private Request.Builder compressed(String rest) {
        return answeredWith("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n" + rest);
    }

    private void answer(String answer) throws IOException {
        try (Socket connection = server.accept()) {
            BufferedReader lines =
                    new BufferedReader(new InputStreamReader(connection.getInputStream(), StandardCharsets.US_ASCII));
            String line = lines.readLine();
            while (line != null && !line.isEmpty()) {
                line = lines.readLine();
            }
            requests.incrementAndGet();
            String whole = answer.replaceFirst("\r\n", "\r\nConnection: close\r\n");
            connection.getOutputStream().write(whole.getBytes(StandardCharsets.US_ASCII));
        }
    }

    private Call.Factory cached() {
        return HoldfastCallFactory.around(new OkHttpClient(), Pipelines.one(withCache));
    }

    private void assertAnswered(int code, Request request) throws IOException {
        try (Response response = calls.newCall(request).execute()) {
            assertThat(response.code()).isEqualTo(code);
        }
        assertThat(requests).hasValue(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Content-Length: 3000", "Transfer-Encoding: chunked"})
    void theBodyOfA304IsNotWaitedFor(String header) throws IOException {
        assertAnswered(
                304,
                answeredWith("HTTP/1.1 304 Not Modified\r\n" + header + "\r\n\r\n")
                        .build());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theBodyOfA204IsNotWaitedFor(boolean withCache) throws IOException {
        calls = withCache ? cached() : calls;
        Request.Builder request = answeredWith("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n");
        assertAnswered(204, request.build());
    }

    private static List<String> empty() {
        return List.of("Content-Length: 0\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "\r\n");
    }

    @ParameterizedTest
    @MethodSource("empty")
    void anEmptyBodyThatIsCalledCompressedIsNoFailure(String rest) throws IOException {
        Request.Builder request = compressed(rest);
        assertAnswered(200, request.put(RequestBody.create("", null)).build());
    }

    @ParameterizedTest
    @MethodSource("empty")
    void norIsItWhereAStaleCacheReadsBodies(String rest) throws IOException {
        calls = cached();
        assertAnswered(200, compressed(rest).build());
    }

    /** As with the bare client. */
    @ParameterizedTest
    @MethodSource("empty")
    void whoReadsItGetsWhatOkHttpThrows(String rest) throws IOException {
        Request request = compressed(rest).build();
        try (Response response = calls.newCall(request).execute()) {
            assertThatThrownBy(() -> response.body().bytes()).isInstanceOf(EOFException.class);
        }
        assertThat(requests).hasValue(1);
    }

    @Test
    void norIsItIfOkHttpHasKeptIt(@TempDir File directory) throws IOException {
        try (Cache own = new Cache(directory, 1_000_000)) {
            calls = HoldfastCallFactory.around(
                    new OkHttpClient.Builder().cache(own).build(), Pipelines.one(pipeline));
            Request request = compressed("Cache-Control: max-age=600\r\nContent-Length: 0\r\n\r\n")
                    .build();
            assertAnswered(200, request);
            assertAnswered(200, request);
        }
    }

    /** The server says where the body ends, and what is in it is no whole gzip; or it ends before that. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "Content-Length: 3\r\n\r\n\u001f__",
                "Transfer-Encoding: chunked\r\n\r\n3\r\n\u001f__\r\n0\r\n\r\n",
                "Content-Length: 3\r\n\r\n",
                "Transfer-Encoding: chunked\r\n\r\n"
            })
    void aCompressedBodyThatIsCutStaysAFailure(String rest) {
        Request request = compressed(rest).build();
        assertThatThrownBy(() -> calls.newCall(request).execute()).isInstanceOf(IOException.class);
        assertThat(requests).hasValue(3);
        assertThatThrownBy(() -> cached().newCall(request).execute()).isInstanceOf(IOException.class);
        assertThat(requests).hasValue(6);
    }
}
