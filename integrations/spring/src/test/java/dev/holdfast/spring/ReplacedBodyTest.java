/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.http.Pipelines;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.testing.ScriptedServer;
import java.io.IOException;
import java.net.ConnectException;
import java.net.ServerSocket;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.http.client.reactive.ClientHttpConnector;
import org.springframework.http.client.reactive.ClientHttpRequestDecorator;
import org.springframework.http.client.reactive.JdkClientHttpConnector;
import org.springframework.http.client.reactive.ReactorClientHttpConnector;
import org.springframework.web.reactive.function.BodyInserters;
import org.springframework.web.reactive.function.client.ClientRequest;
import org.springframework.web.reactive.function.client.ExchangeFilterFunction;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.reactive.function.client.WebClientRequestException;
import reactor.core.publisher.Mono;
import reactor.netty.http.client.HttpClient;

/** A filter of WebClient gives the request another body, as one does that signs or encrypts it. Nobody tells when that is sent. */
class ReplacedBodyTest {
    private static final ExchangeFilterFunction OTHER_BODY = (request, next) -> next.exchange(
            ClientRequest.from(request).body(BodyInserters.fromValue("signed")).build());

    private final Pipeline pipeline = Pipeline.of(
            "shop",
            RetryPolicy.of(r -> r.maxAttempts(3).initialBackoff(Duration.ZERO).budgetEnabled(false)));

    @AfterEach
    void close() {
        pipeline.close();
    }

    private static List<ClientHttpConnector> connectors() {
        return List.of(
                new ReactorClientHttpConnector(
                        HttpClient.create().disableRetry(true).followRedirect(true)),
                new JdkClientHttpConnector(java.net.http.HttpClient.newBuilder()
                        .followRedirects(java.net.http.HttpClient.Redirect.NORMAL)
                        .build()));
    }

    private Mono<Void> post(URI to, ClientHttpConnector connector, ExchangeFilterFunction inside) {
        return WebClient.builder()
                .clientConnector(connector)
                .filter(HoldfastFilter.of(Pipelines.one(pipeline)))
                .filter(inside)
                .filter(OTHER_BODY)
                .build()
                .post()
                .uri(to)
                .bodyValue("12")
                .retrieve()
                .toBodilessEntity()
                .then();
    }

    private static URI nobody() throws IOException {
        try (ServerSocket closed = new ServerSocket(0)) {
            return URI.create("http://127.0.0.1:" + closed.getLocalPort() + "/");
        }
    }

    @ParameterizedTest
    @MethodSource("connectors")
    void aPostIsSentOnceIfAFilterThenFindsNobody(ClientHttpConnector connector) throws IOException {
        URI nobody = nobody();
        try (ScriptedServer server = ScriptedServer.start().answers(200)) {
            Mono<Void> post = post(
                    server.uri("/pay"),
                    connector,
                    (request, next) -> next.exchange(request)
                            .flatMap(response -> response.releaseBody()
                                    .then(WebClient.create().get().uri(nobody).exchangeToMono(Mono::just))));

            assertThatThrownBy(post::block)
                    .isInstanceOf(WebClientRequestException.class)
                    .hasRootCauseInstanceOf(ConnectException.class);

            assertThat(server.requests()).hasSize(1);
        }
    }

    @ParameterizedTest
    @MethodSource("connectors")
    void aPostIsSentOnceIfItsRedirectFindsNobody(ClientHttpConnector connector) throws IOException {
        try (ScriptedServer server = ScriptedServer.start().answers(307).with("Location", nobody().toString())) {
            Mono<Void> post = post(server.uri("/pay"), connector, (request, next) -> next.exchange(request));

            assertThatThrownBy(post::block).isInstanceOf(WebClientRequestException.class);

            assertThat(server.requests()).hasSize(1);
        }
    }

    private Mono<Void> postWithFailover(URI to, ClientHttpConnector connector, ExchangeFilterFunction failover) {
        return WebClient.builder()
                .clientConnector(connector)
                .filter(HoldfastFilter.of(Pipelines.one(pipeline)))
                .filter(failover)
                .build()
                .post()
                .uri(to)
                .bodyValue("12")
                .retrieve()
                .toBodilessEntity()
                .then();
    }

    /** The filter sends the request as it is, and with another body if the first host refuses. */
    @ParameterizedTest
    @MethodSource("connectors")
    void aPostIsSentOnceIfAFilterGivesTheSecondHostAnotherBody(ClientHttpConnector connector) throws IOException {
        URI nobody = nobody();
        try (ScriptedServer second = ScriptedServer.start().answers(307).with("Location", nobody.toString())) {
            Mono<Void> post = postWithFailover(
                    nobody,
                    connector,
                    (request, next) -> next.exchange(request)
                            .onErrorResume(refused -> next.exchange(to(request, second.uri("/pay"), "signed"))));

            assertThatThrownBy(post::block).isInstanceOf(WebClientRequestException.class);

            assertThat(second.requests()).hasSize(1);
        }
    }

    /** Nobody has refused the second of three requests. */
    @ParameterizedTest
    @MethodSource("connectors")
    void aPostIsSentOnceIfAFilterThenSendsTheOldBodyToAThirdHost(ClientHttpConnector connector) throws IOException {
        URI nobody = nobody();
        try (ScriptedServer second = ScriptedServer.start().answers(307).with("Location", nobody.toString())) {
            Mono<Void> post = postWithFailover(
                    nobody,
                    connector,
                    (request, next) -> next.exchange(request)
                            .onErrorResume(refused -> next.exchange(to(request, second.uri("/pay"), "signed")))
                            .onErrorResume(refused -> next.exchange(request)));

            assertThatThrownBy(post::block).isInstanceOf(WebClientRequestException.class);

            assertThat(second.requests()).hasSize(1);
        }
    }

    @ParameterizedTest
    @MethodSource("connectors")
    void aPostIsRepeatedIfAllHostsRefuseItsOwnBody(ClientHttpConnector connector) throws IOException {
        URI nobody = nobody();
        AtomicInteger attempts = new AtomicInteger();
        Mono<Void> post = postWithFailover(nobody, connector, (request, next) -> {
            attempts.getAndIncrement();
            return next.exchange(request)
                    .onErrorResume(refused -> next.exchange(
                            ClientRequest.from(request).url(nobody).build()));
        });

        assertThatThrownBy(post::block).isInstanceOf(WebClientRequestException.class);

        assertThat(attempts).hasValue(3);
    }

    /** A filter that writes the body into a message of its own around that of the client. */
    @ParameterizedTest
    @MethodSource("connectors")
    void aPostIsRepeatedIfNobodyGotABodyThatAFilterWatches(ClientHttpConnector connector) throws IOException {
        AtomicInteger attempts = new AtomicInteger();
        Mono<Void> post = postWithFailover(nobody(), connector, (request, next) -> {
            attempts.getAndIncrement();
            return next.exchange(ClientRequest.from(request)
                    .body((message, context) -> request.body().insert(new ClientHttpRequestDecorator(message), context))
                    .build());
        });

        assertThatThrownBy(post::block).isInstanceOf(WebClientRequestException.class);

        assertThat(attempts).hasValue(3);
    }

    private static ClientRequest to(ClientRequest request, URI host, String body) {
        return ClientRequest.from(request)
                .url(host)
                .body(BodyInserters.fromValue(body))
                .build();
    }

    /** Reactor Netty asks for what it sends once it has a connection. */
    @Test
    void aPostIsRepeatedIfNoConnectionWasMade() throws IOException {
        AtomicInteger attempts = new AtomicInteger();
        Mono<Void> post = post(nobody(), connectors().get(0), (request, next) -> {
            attempts.getAndIncrement();
            return next.exchange(request);
        });

        assertThatThrownBy(post::block).isInstanceOf(WebClientRequestException.class);

        assertThat(attempts).hasValue(3);
    }
}
