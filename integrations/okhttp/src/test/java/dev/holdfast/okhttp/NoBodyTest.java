/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.okhttp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.http.HttpClassifier;
import dev.holdfast.http.Pipelines;
import dev.holdfast.retry.RetryPolicy;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import okhttp3.Call;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Responses whose headers tell of a body that does not come. */
class NoBodyTest {
    private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final AtomicInteger requests = new AtomicInteger();
    private final Pipeline pipeline = Pipeline.builder("stock")
            .policies(RetryPolicy.of(r -> r.maxAttempts(3)))
            .classifier(HttpClassifier.ofDefaults())
            .build();
    private final Call.Factory calls = HoldfastCallFactory.around(new OkHttpClient(), Pipelines.one(pipeline));

    NoBodyTest() throws IOException {}

    @AfterEach
    void close() throws IOException {
        pipeline.close();
        server.close();
    }

    /** Answers each request, which has no body, with this, and ends its connection. */
    private Request.Builder answeredWith(String head) {
        Thread thread = new Thread(() -> {
            try {
                while (true) {
                    answer(head);
                }
            } catch (IOException closed) {
                // The test is over.
            }
        });
        thread.setDaemon(true);
        thread.start();
        return new Request.Builder().url("http://127.0.0.1:" + server.getLocalPort() + "/a");
    }

    private void answer(String head) throws IOException {
        try (Socket connection = server.accept()) {
            BufferedReader lines =
                    new BufferedReader(new InputStreamReader(connection.getInputStream(), StandardCharsets.US_ASCII));
            String line = lines.readLine();
            while (line != null && !line.isEmpty()) {
                line = lines.readLine();
            }
            requests.incrementAndGet();
            connection.getOutputStream().write((head + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
        }
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
                304, answeredWith("HTTP/1.1 304 Not Modified\r\n" + header).build());
    }

    @Test
    void anEmptyBodyThatIsCalledCompressedIsNoFailure() throws IOException {
        Request.Builder request = answeredWith("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0");
        assertAnswered(200, request.put(RequestBody.create("", null)).build());
    }
}
