/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.http.Pipelines;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.testing.ScriptedServer;
import java.net.URI;
import java.time.Duration;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.http.HttpRequest;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.client.BufferingClientHttpRequestFactory;
import org.springframework.http.client.ClientHttpRequestFactory;
import org.springframework.http.client.ClientHttpRequestInterceptor;
import org.springframework.http.client.ClientHttpResponse;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.http.client.support.HttpRequestWrapper;
import org.springframework.web.client.RestClient;

/** A pushback repeats a POST, and not where a redirect led to it: the first server may have done the work. */
class RedirectedPostTest {
    enum Kind {
        JDK,
        NOTING,
        BUFFERING,
        BUFFERING_NOTING,
        NOTING_BUFFERING,
        APACHE,
        BUFFERING_APACHE;

        ClientHttpRequestFactory factory() {
            return switch (this) {
                case JDK -> jdk();
                case NOTING -> RequestFactories.noting(jdk());
                case BUFFERING -> new BufferingClientHttpRequestFactory(jdk());
                case BUFFERING_NOTING -> new BufferingClientHttpRequestFactory(RequestFactories.noting(jdk()));
                case NOTING_BUFFERING -> RequestFactories.noting(new BufferingClientHttpRequestFactory(jdk()));
                case APACHE -> apache();
                case BUFFERING_APACHE -> new BufferingClientHttpRequestFactory(apache());
            };
        }
    }

    private final ScriptedServer server = ScriptedServer.start();
    private final ScriptedServer audit = ScriptedServer.start();
    private final Pipeline pipeline = Pipeline.of(
            "shop",
            RetryPolicy.of(r -> r.maxAttempts(3).initialBackoff(Duration.ZERO).budgetEnabled(false)));

    @AfterEach
    void close() {
        pipeline.close();
        audit.close();
        server.close();
    }

    private static ClientHttpRequestFactory jdk() {
        return new JdkClientHttpRequestFactory(java.net.http.HttpClient.newBuilder()
                .followRedirects(java.net.http.HttpClient.Redirect.NORMAL)
                .build());
    }

    private static ClientHttpRequestFactory apache() {
        return RequestFactories.httpComponents(
                HttpClients.custom().disableAutomaticRetries().build());
    }

    private void post(ClientHttpRequestFactory factory, URI to, ClientHttpRequestInterceptor inside) {
        RestClient.builder()
                .requestFactory(factory)
                .requestInterceptor(HoldfastInterceptor.of(Pipelines.one(pipeline)))
                .requestInterceptor(inside)
                .defaultStatusHandler(HttpStatusCode::isError, (request, response) -> {})
                .build()
                .post()
                .uri(to)
                .body("12")
                .retrieve()
                .toBodilessEntity();
    }

    private void post(Kind kind, ClientHttpRequestInterceptor inside) {
        post(kind.factory(), server.uri("/x"), inside);
    }

    private void redirects() {
        server.answers(307, "").with("Location", server.uri("/y").toString());
    }

    private void pushesBack() {
        server.answers(429, "").with("Retry-After", "0");
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void isSentOnce(Kind kind) {
        redirects();
        pushesBack();

        post(kind, (request, body, rest) -> rest.execute(request, body));

        assertThat(server.requests()).hasSize(2);
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void isRepeatedWithoutARedirect(Kind kind) {
        pushesBack();
        server.answers(200, "");

        post(kind, (request, body, rest) -> rest.execute(request, body));

        assertThat(server.requests()).hasSize(2);
    }

    /** As an interceptor that balances the load does it. */
    @ParameterizedTest
    @EnumSource(Kind.class)
    void isSentOnceIfAnInterceptorChoosesTheHost(Kind kind) {
        redirects();
        pushesBack();

        post(
                kind.factory(),
                URI.create("http://shop.invalid/x"),
                (request, body, rest) -> rest.execute(to(request, server.uri("/x")), body));

        assertThat(server.requests()).hasSize(2);
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void isSentOnceIfAnInterceptorChangesThePath(Kind kind) {
        redirects();
        pushesBack();

        post(
                kind.factory(),
                URI.create("http://shop.invalid/v1?a=b"),
                (request, body, rest) -> rest.execute(to(request, server.uri("/x")), body));

        assertThat(server.requests()).hasSize(2);
    }

    private static HttpRequest to(HttpRequest request, URI host) {
        return new HttpRequestWrapper(request) {
            @Override
            public URI getURI() {
                return host;
            }
        };
    }

    /** The first request of the attempt was redirected, not that which has the answer. */
    @ParameterizedTest
    @EnumSource(names = {"NOTING", "BUFFERING_NOTING", "APACHE", "BUFFERING_APACHE"})
    void isSentOnceIfAnInterceptorHasSentItBefore(Kind kind) {
        redirects();
        pushesBack();
        pushesBack();

        post(kind, (request, body, rest) -> {
            rest.execute(request, body).close();
            return rest.execute(request, body);
        });

        assertThat(server.requests()).hasSize(3);
    }

    // ---- an interceptor that calls another service by a factory of the same kind

    private ClientHttpRequestInterceptor auditing(Kind kind, boolean before) {
        RestClient client = RestClient.builder().requestFactory(kind.factory()).build();
        return (request, body, rest) -> {
            if (before) {
                audit(client);
            }
            ClientHttpResponse response = rest.execute(request, body);
            if (!before) {
                audit(client);
            }
            return response;
        };
    }

    private void audit(RestClient client) {
        client.get().uri(audit.uri("/a")).retrieve().toBodilessEntity();
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void isSentOnceIfAnInterceptorThenCallsAnotherService(Kind kind) {
        redirects();
        pushesBack();
        audit.answers(200, "");

        post(kind, auditing(kind, false));

        assertThat(server.requests()).hasSize(2);
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void isSentOnceIfAnInterceptorCallsAnotherServiceBefore(Kind kind) {
        redirects();
        pushesBack();
        audit.answers(200, "");

        post(kind, auditing(kind, true));

        assertThat(server.requests()).hasSize(2);
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void isRepeatedIfAnotherServiceHasRedirectedTheCallOfAnInterceptor(Kind kind) {
        pushesBack();
        server.answers(200, "");
        audit.answers(307, "").with("Location", audit.uri("/b").toString()).answers(200, "");
        audit.answers(200, "");

        post(kind, auditing(kind, false));

        assertThat(server.requests()).hasSize(2);
    }
}
