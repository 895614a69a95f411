/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.holdfast.http.Pipelines;
import dev.holdfast.testcalls.AnotherService;
import dev.holdfast.testing.ScriptedServer;
import java.io.IOException;
import java.net.ConnectException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.http.HttpMethod;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.web.client.ResourceAccessException;
import org.springframework.web.client.RestClient;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.WebClient;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** A POST is repeated if it was surely not done: by the errors of its own connection, not by those that an interceptor meets. */
class SentOnceTest {
    private final ScriptedServer server = ScriptedServer.start().answers(200, "12");
    private final AnotherService other = new AnotherService();
    private @Nullable Exception after;
    private boolean inTheBody;

    private final RestClient plain = RestClient.builder()
            .requestFactory(RequestFactories.noting(new JdkClientHttpRequestFactory()))
            .build();
    private final RestClient blocking = plain.mutate()
            .requestInterceptor(HoldfastInterceptor.of(Pipelines.one(other.pipeline())))
            .requestInterceptor((request, body, rest) -> {
                var response = rest.execute(request, body);
                if (after != null) {
                    response.close();
                    throw AnotherService.sneaky(after);
                }
                return response;
            })
            .build();
    private final WebClient reactive = WebClient.builder()
            .filter(HoldfastFilter.of(Pipelines.one(other.pipeline())))
            .filter((request, next) -> next.exchange(request).flatMap(this::handled))
            .build();

    private Mono<ClientResponse> handled(ClientResponse response) {
        Exception failing = after;
        if (failing == null) {
            return Mono.just(response);
        }
        return inTheBody
                ? Mono.just(response.mutate()
                        .body(body -> Flux.from(body).concatWith(Flux.error(failing)))
                        .build())
                : response.releaseBody().then(Mono.error(failing));
    }

    @AfterEach
    void close() {
        other.close();
        server.close();
    }

    private Throwable blocking(URI uri) {
        return catchThrowable(
                () -> blocking.post().uri(uri).body("12").retrieve().toBodilessEntity());
    }

    private Throwable reactive(URI uri) {
        return catchThrowable(() -> reactive.post()
                .uri(uri)
                .bodyValue("12")
                .retrieve()
                .toBodilessEntity()
                .block());
    }

    @ParameterizedTest
    @MethodSource("dev.holdfast.testcalls.AnotherService#errors")
    void aPostThatWasSentIsNotRepeatedIfAnInterceptorFailsToCallAnotherService(Supplier<Exception> error) {
        after = error.get();
        assertThat(AnotherService.root(blocking(server.uri("/pay")))).isSameAs(AnotherService.root(after));
        assertThat(server.requests()).hasSize(1);
    }

    /** Whether the factory of the client itself tells, or only that of the interceptor's. */
    @ParameterizedTest
    @CsvSource({"true, 12", "false, 12", "true, ", "false, "})
    void aPostThatWasSentIsNotRepeatedIfTheRestClientOfAnInterceptorFindsNobody(boolean tells, @Nullable String sent)
            throws IOException {
        try (Socket deaf = AnotherService.deaf()) {
            RestClient calling = (tells
                            ? plain
                            : RestClient.builder()
                                    .requestFactory(new JdkClientHttpRequestFactory())
                                    .build())
                    .mutate()
                    .requestInterceptor(HoldfastInterceptor.of(Pipelines.one(other.pipeline())))
                    .requestInterceptor((request, body, rest) -> {
                        rest.execute(request, body).close();
                        plain.post()
                                .uri(AnotherService.uri(deaf))
                                .body("12")
                                .retrieve()
                                .toBodilessEntity();
                        throw new AssertionError("nobody is there");
                    })
                    .build();
            RestClient.RequestBodySpec post = calling.post().uri(server.uri("/pay"));
            Throwable error = catchThrowable(
                    () -> (sent == null ? post : post.body(sent)).retrieve().toBodilessEntity());
            assertThat(error).isInstanceOf(ResourceAccessException.class).hasCauseInstanceOf(ConnectException.class);
            assertThat(server.requests()).hasSize(1);
        }
    }

    @ParameterizedTest
    @MethodSource("dev.holdfast.testcalls.AnotherService#errors")
    void aPostThatWasSentIsNotRepeatedIfAFilterFailsToCallAnotherService(Supplier<Exception> error) {
        after = error.get();
        assertThat(AnotherService.root(reactive(server.uri("/pay")))).isSameAs(AnotherService.root(after));
        assertThat(server.requests()).hasSize(1);
    }

    @ParameterizedTest
    @MethodSource("dev.holdfast.testcalls.AnotherService#errors")
    void norIfItFailsWithinTheBody(Supplier<Exception> error) {
        after = error.get();
        inTheBody = true;
        assertThat(AnotherService.root(reactive(server.uri("/pay")))).isSameAs(AnotherService.root(after));
        assertThat(server.requests()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET", "DELETE", "PUT"})
    void aRequestThatIsToBeSentOnceIsNotRepeatedIfItsRedirectFindsNobody(String method) throws IOException {
        try (Socket deaf = AnotherService.deaf();
                ScriptedServer redirecting = ScriptedServer.start()
                        .answers(307)
                        .with("Location", AnotherService.uri(deaf).toString())) {
            RestClient client = RestClient.builder()
                    .requestFactory(RequestFactories.noting(new JdkClientHttpRequestFactory(HttpClient.newBuilder()
                            .followRedirects(HttpClient.Redirect.NORMAL)
                            .build())))
                    .requestInterceptor(HoldfastInterceptor.of(Pipelines.one(other.pipeline())))
                    .build();
            assertThat(catchThrowable(() -> client.method(HttpMethod.valueOf(method))
                            .uri(redirecting.uri("/a"))
                            .attribute(CallAttributes.SENT_ONCE, true)
                            .retrieve()
                            .toBodilessEntity()))
                    .hasCauseInstanceOf(ConnectException.class);
            assertThat(redirecting.requests()).hasSize(1);
        }
    }

    @Test
    void aPostThatFindsNobodyIsRepeated() throws IOException {
        try (Socket deaf = AnotherService.deaf()) {
            assertThat(blocking(AnotherService.uri(deaf))).isInstanceOf(ResourceAccessException.class);
            assertThat(other.attempts()).isEqualTo(3);
            assertThat(reactive(AnotherService.uri(deaf))).isInstanceOf(RuntimeException.class);
            assertThat(other.attempts()).isEqualTo(3);
        }
    }
}
