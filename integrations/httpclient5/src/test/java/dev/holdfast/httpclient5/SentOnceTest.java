/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.holdfast.http.Pipelines;
import dev.holdfast.testcalls.AnotherService;
import dev.holdfast.testing.ScriptedServer;
import dev.holdfast.testlogs.Logs;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.util.List;
import java.util.function.Supplier;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import okhttp3.Protocol;
import org.apache.hc.client5.http.async.AsyncExecCallback;
import org.apache.hc.client5.http.async.AsyncExecChainHandler;
import org.apache.hc.client5.http.async.methods.SimpleRequestBuilder;
import org.apache.hc.client5.http.classic.methods.HttpPost;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.H2AsyncClientBuilder;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.io.entity.StringEntity;
import org.apache.hc.core5.http.nio.AsyncDataConsumer;
import org.apache.hc.core5.io.CloseMode;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A POST is repeated if it was surely not done: by the errors of its own connection, not by those that a handler meets. */
@Logs(value = "ClosedSelectorException", sometimes = true) // when a client is closed
class SentOnceTest {
    private final ScriptedServer server = ScriptedServer.start().answers(200, "12");
    private final AnotherService other = new AnotherService();
    private final Pipelines pipelines = Pipelines.one(other.pipeline());
    private volatile @Nullable Exception after;

    private final CloseableHttpClient classic = HoldfastExec.of(pipelines)
            .addTo(HttpClients.custom())
            .addExecInterceptorAfter(HoldfastExec.NAME, "own", (request, scope, chain) -> {
                var response = chain.proceed(request, scope);
                Exception failing = after;
                if (failing != null) {
                    response.close();
                    throw AnotherService.sneaky(failing);
                }
                return response;
            })
            .build();

    private final AsyncExecChainHandler own =
            (request, body, scope, chain, caller) -> chain.proceed(request, body, scope, new Failing(caller));
    private final CloseableHttpAsyncClient async = HoldfastAsyncExec.of(pipelines)
            .addTo(HttpAsyncClients.custom())
            .addExecInterceptorAfter(HoldfastExec.NAME, "own", own)
            .build();
    private final CloseableHttpAsyncClient http2 = HoldfastAsyncExec.of(pipelines)
            .addTo(H2AsyncClientBuilder.create())
            .addExecInterceptorAfter(HoldfastExec.NAME, "own", own)
            .build();

    /** Fails at the end of a response. */
    private final class Failing implements AsyncExecCallback {
        private final AsyncExecCallback caller;

        Failing(AsyncExecCallback caller) {
            this.caller = caller;
        }

        @Override
        public @Nullable AsyncDataConsumer handleResponse(HttpResponse response, @Nullable EntityDetails body)
                throws HttpException, IOException {
            return caller.handleResponse(response, body);
        }

        @Override
        public void handleInformationResponse(HttpResponse response) throws HttpException, IOException {
            caller.handleInformationResponse(response);
        }

        @Override
        public void completed() {
            Exception failing = after;
            if (failing == null) {
                caller.completed();
            } else {
                caller.failed(failing);
            }
        }

        @Override
        public void failed(Exception cause) {
            caller.failed(cause);
        }
    }

    SentOnceTest() {
        async.start();
        http2.start();
    }

    @AfterEach
    void close() throws IOException {
        classic.close();
        async.close(CloseMode.IMMEDIATE);
        http2.close(CloseMode.IMMEDIATE);
        other.close();
        server.close();
    }

    private Throwable blocking(URI uri) {
        HttpPost post = new HttpPost(uri);
        post.setEntity(new StringEntity("12"));
        return catchThrowable(() -> classic.execute(post, response -> response.getCode()));
    }

    private static @Nullable Throwable with(CloseableHttpAsyncClient client, URI uri) {
        return catchThrowable(() -> client.execute(
                                SimpleRequestBuilder.post(uri)
                                        .setBody("12", ContentType.TEXT_PLAIN)
                                        .build(),
                                null)
                        .get())
                .getCause();
    }

    @ParameterizedTest
    @MethodSource("dev.holdfast.testcalls.AnotherService#errors")
    void aPostThatWasSentIsNotRepeatedIfAHandlerFailsToCallAnotherService(Supplier<Exception> error) {
        Exception thrown = error.get();
        after = thrown;
        assertThat(AnotherService.root(blocking(server.uri("/pay")))).isSameAs(AnotherService.root(thrown));
        assertThat(server.requests()).hasSize(1);
        assertThat(AnotherService.root(with(async, server.uri("/pay")))).isSameAs(AnotherService.root(thrown));
        assertThat(server.requests()).hasSize(2);
    }

    @ParameterizedTest
    @MethodSource("dev.holdfast.testcalls.AnotherService#errors")
    void norOverHttp2(Supplier<Exception> error) throws IOException {
        Exception thrown = error.get();
        after = thrown;
        try (MockWebServer streams = new MockWebServer()) {
            streams.setProtocols(List.of(Protocol.H2_PRIOR_KNOWLEDGE));
            streams.start(InetAddress.getLoopbackAddress(), 0);
            for (int i = 0; i < 3; i++) {
                streams.enqueue(new MockResponse.Builder().body("12").build());
            }
            assertThat(AnotherService.root(with(http2, URI.create("http://localhost:" + streams.getPort() + "/pay"))))
                    .isSameAs(AnotherService.root(thrown));
            assertThat(streams.getRequestCount()).isEqualTo(1);
        }
    }

    @Test
    void aPostThatFindsNobodyIsRepeated() throws IOException {
        try (Socket deaf = AnotherService.deaf()) {
            URI uri = AnotherService.uri(deaf);
            assertThat(blocking(uri)).isInstanceOf(IOException.class);
            assertThat(other.attempts()).isEqualTo(3);
            assertThat(with(async, uri)).isInstanceOf(IOException.class);
            assertThat(other.attempts()).isEqualTo(3);
            assertThat(with(http2, uri)).isInstanceOf(IOException.class);
            assertThat(other.attempts()).isEqualTo(3);
        }
    }
}
