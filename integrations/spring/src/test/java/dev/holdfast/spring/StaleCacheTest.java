/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.http.Pipelines;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testing.ScriptedServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.HttpRequest;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.client.ClientHttpRequestInterceptor;
import org.springframework.http.client.ClientHttpResponse;
import org.springframework.http.client.HttpComponentsClientHttpRequestFactory;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.http.client.reactive.JdkClientHttpConnector;
import org.springframework.http.client.support.HttpRequestWrapper;
import org.springframework.util.StreamUtils;
import org.springframework.web.client.RestClient;
import org.springframework.web.reactive.function.client.ClientRequest;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.ExchangeFilterFunction;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.reactive.function.client.WebClientResponseException;
import reactor.core.publisher.Mono;

/** What of Spring's requests a stale cache sees, and what a kept response has of the first one. */
class StaleCacheTest {
    private static final List<String> USERS = List.of("ann", "bob");

    private final ScriptedServer server = ScriptedServer.start();
    private final Pipeline pipeline = Pipeline.of("shop", StaleCachePolicy.of(c -> c.staleIfSlow(Duration.ZERO)));
    private volatile String user = "";

    @AfterEach
    void close() {
        pipeline.close();
        server.close();
    }

    private void answers(String control, String... bodies) {
        for (String body : bodies) {
            server.answers(200, body).with("Cache-Control", control);
        }
    }

    private RestClient rest(ClientHttpRequestInterceptor... after) {
        return RestClient.builder()
                .requestFactory(RequestFactories.noting(new JdkClientHttpRequestFactory()))
                .requestInterceptor(HoldfastInterceptor.of(Pipelines.one(pipeline)))
                .requestInterceptors(all -> all.addAll(List.of(after)))
                .build();
    }

    private WebClient web(ExchangeFilterFunction after) {
        return WebClient.builder()
                .clientConnector(new JdkClientHttpConnector())
                .filter(HoldfastFilter.of(Pipelines.one(pipeline)))
                .filter(after)
                .build();
    }

    private @Nullable String body(WebClient client) {
        return client.get()
                .uri(server.uri("/x"))
                .retrieve()
                .bodyToMono(String.class)
                .block();
    }

    @Test
    void aStreamThatChangesWhatItIsGivenChangesNothingForOthers() {
        answers("max-age=3600", "kept");
        RestClient client = rest();
        for (int i = 0; i < 3; i++) {
            String read = client.get().uri(server.uri("/x")).exchange((request, response) -> {
                StringBuilder text = new StringBuilder();
                StreamUtils.copy(response.getBody(), new OutputStream() {
                    @Override
                    public void write(int one) {
                        text.append((char) one);
                    }

                    @Override
                    public void write(byte[] bytes, int from, int length) {
                        text.append(new String(bytes, from, length, StandardCharsets.US_ASCII));
                        Arrays.fill(bytes, (byte) '?'); // as one that encrypts in place, or wipes what is secret
                    }
                });
                return text.toString();
            });
            assertThat(read).isEqualTo("kept");
        }
        assertThat(server.requests()).hasSize(1);
    }

    /** The caller's request does not say whose it is: an interceptor does, in one of two ways. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatAnInterceptorAddsIsSeen(boolean wraps) {
        answers("max-age=3600", "ann", "bob");
        RestClient client = rest((request, body, execution) -> {
            if (!wraps) {
                request.getHeaders().setBearerAuth(user);
                return execution.execute(request, body);
            }
            HttpHeaders own = new HttpHeaders();
            own.setBearerAuth(user);
            HttpRequest other = new HttpRequestWrapper(request) {
                @Override
                public HttpHeaders getHeaders() {
                    return own;
                }
            };
            return execution.execute(other, body);
        });
        for (String name : USERS) {
            user = name;
            assertThat(client.get().uri(server.uri("/x")).retrieve().body(String.class))
                    .isEqualTo(name);
        }
    }

    private URI ofTheUser(URI address) {
        return URI.create(address + "?tenant=" + user);
    }

    @Test
    void whatAnInterceptorSendsToAnotherAddressIsNotForOthers() {
        answers("max-age=3600", "ann", "bob");
        RestClient client = rest((request, body, execution) -> execution.execute(
                new HttpRequestWrapper(request) {
                    @Override
                    public URI getURI() {
                        return ofTheUser(request.getURI());
                    }
                },
                body));
        for (String name : USERS) {
            user = name;
            assertThat(client.get().uri(server.uri("/x")).retrieve().body(String.class))
                    .isEqualTo(name);
        }
    }

    @Test
    void whatApachesClientSendsToAnotherAddressIsNotForOthers() throws IOException {
        answers("max-age=3600", "ann", "bob");
        try (CloseableHttpClient apache = HttpClients.custom()
                .addRequestInterceptorFirst(
                        (request, entity, context) -> request.setPath(request.getPath() + "?tenant=" + user))
                .build()) {
            RestClient client = RestClient.builder()
                    .requestFactory(RequestFactories.httpComponents(apache))
                    .requestInterceptor(HoldfastInterceptor.of(Pipelines.one(pipeline)))
                    .build();
            for (String name : USERS) {
                user = name;
                assertThat(client.get().uri(server.uri("/x")).retrieve().body(String.class))
                        .isEqualTo(name);
            }
        }
    }

    // ---- changes over Apache's client, whose end is not known

    /** In its context is what was before. */
    private final HttpClientContext context = HttpClientContext.create();

    private RestClient apache(CloseableHttpClient client) {
        HttpComponentsClientHttpRequestFactory factory = RequestFactories.httpComponents(client);
        factory.setHttpContextFactory((method, uri) -> context);
        return RestClient.builder()
                .requestFactory(factory)
                .requestInterceptor(HoldfastInterceptor.of(Pipelines.one(pipeline)))
                .defaultStatusHandler(HttpStatusCode::isError, (request, response) -> {})
                .build();
    }

    private @Nullable String body(RestClient client, String path) {
        return client.get().uri(server.uri(path)).retrieve().body(String.class);
    }

    private void change(RestClient client) {
        assertThatThrownBy(() -> client.put()
                        .uri(server.uri("/x"))
                        .body("new")
                        .retrieve()
                        .toBodilessEntity())
                .isInstanceOf(Exception.class);
    }

    /** An interceptor asks another service by the same factory. */
    @Test
    void anAnswerIsKeptIfAnInterceptorThenCallsAnotherService() throws IOException {
        answers("max-age=3600", "old");
        try (ScriptedServer audit = ScriptedServer.start().answers(200, "");
                CloseableHttpClient own = HttpClients.createDefault()) {
            RestClient plain = RestClient.builder()
                    .requestFactory(RequestFactories.httpComponents(own))
                    .build();
            RestClient client = plain.mutate()
                    .requestInterceptor(HoldfastInterceptor.of(Pipelines.one(pipeline)))
                    .requestInterceptor((request, body, rest) -> {
                        var response = rest.execute(request, body);
                        plain.get().uri(audit.uri("/a")).retrieve().toBodilessEntity();
                        return response;
                    })
                    .build();
            assertThat(body(client, "/x")).isEqualTo("old");
            assertThat(body(client, "/x")).isEqualTo("old");
            assertThat(server.requests()).hasSize(1);
        }
    }

    /** Both servers may have done the work. */
    @Test
    void aChangeWhoseRedirectGetsNoAnswerRemovesWhatWasKeptForBoth() throws IOException {
        answers("max-age=3600", "old", "old target");
        server.answers(307)
                .with("Location", server.uri("/target").toString())
                .breaks()
                .answers(500, "none is left")
                .answers(500, "none is left");
        try (CloseableHttpClient own =
                HttpClients.custom().disableAutomaticRetries().build()) {
            RestClient client = apache(own);
            assertThat(body(client, "/x")).isEqualTo("old");
            assertThat(body(client, "/target")).isEqualTo("old target");
            change(client);
            assertThat(body(client, "/x")).isEqualTo("none is left");
            assertThat(body(client, "/target")).isEqualTo("none is left");
        }
    }

    /** No host, and no port. */
    @ParameterizedTest
    @ValueSource(strings = {"http://[::bad", "http:nowhere", "http://127.0.0.1:99999/"})
    void aChangeWhoseRedirectCannotBeReadRemovesWhatWasKept(String location) throws IOException {
        answers("max-age=3600", "old");
        server.answers(302).with("Location", location).answers(500, "none is left");
        try (CloseableHttpClient own =
                HttpClients.custom().disableAutomaticRetries().build()) {
            RestClient client = apache(own);
            assertThat(body(client, "/x")).isEqualTo("old");
            change(client);
            assertThat(body(client, "/x")).isEqualTo("none is left");
        }
    }

    /** It may be done or not, so what was kept may take the place of an error. */
    @Test
    void aChangeWithoutAnAnswerIsNotTakenForOneThatAnEarlierAnswerHasRedirected() throws IOException {
        answers("max-age=3600", "old");
        server.answers(302).with("Location", "/elsewhere").breaks().answers(500);
        try (CloseableHttpClient own = HttpClients.custom()
                .disableAutomaticRetries()
                .disableRedirectHandling()
                .build()) {
            RestClient client = apache(own);
            assertThat(body(client, "/x")).isEqualTo("old");
            client.post().uri(server.uri("/y")).retrieve().toBodilessEntity();
            change(client);
            assertThat(body(client, "/x")).isEqualTo("old");
        }
    }

    @Test
    void whatAFilterSendsToAnotherAddressIsNotForOthers() {
        answers("max-age=3600", "ann", "bob");
        WebClient client = web((request, next) -> next.exchange(
                ClientRequest.from(request).url(ofTheUser(request.url())).build()));
        for (String name : USERS) {
            user = name;
            assertThat(body(client)).isEqualTo(name);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatAFilterAddsIsSeen(boolean asCookie) {
        answers("max-age=3600", "ann", "bob");
        WebClient client = web((request, next) -> {
            ClientRequest.Builder other = ClientRequest.from(request);
            return next.exchange(
                    (asCookie ? other.cookie("user", user) : other.headers(own -> own.setBearerAuth(user))).build());
        });
        for (String name : USERS) {
            user = name;
            assertThat(body(client)).isEqualTo(name);
        }
    }

    /** A filter that writes the body anew: nobody sees what it sends. */
    @Test
    void aRequestThatNobodyHasSeenIsForOneAlone() {
        answers("max-age=3600", "ann", "bob");
        WebClient client = web((request, next) -> next.exchange(ClientRequest.from(request)
                .body((message, context) -> message.setComplete())
                .build()));
        for (String name : USERS) {
            assertThat(body(client)).isEqualTo(name);
        }
    }

    @Test
    void aCookieOfWebClientsOwnIsSeen() {
        answers("max-age=3600", "ann", "bob");
        WebClient client = web((request, next) -> next.exchange(request));
        for (String name : USERS) {
            assertThat(client.get()
                            .uri(server.uri("/x"))
                            .cookie("user", name)
                            .retrieve()
                            .bodyToMono(String.class)
                            .block())
                    .isEqualTo(name);
        }
    }

    /** The body is no part of the key. */
    @Test
    void aRequestWithABodyGoesToTheService() {
        answers("max-age=3600", "one", "two", "one", "two");
        for (String body : List.of("one", "two")) {
            assertThat(rest().method(HttpMethod.GET)
                            .uri(server.uri("/x"))
                            .body(body)
                            .retrieve()
                            .body(String.class))
                    .isEqualTo(body);
        }
        for (String body : List.of("one", "two")) {
            assertThat(web((request, next) -> next.exchange(request))
                            .method(HttpMethod.GET)
                            .uri(server.uri("/x"))
                            .bodyValue(body)
                            .retrieve()
                            .bodyToMono(String.class)
                            .block())
                    .isEqualTo(body);
        }
    }

    @Test
    void theRequestOfAKeptResponseIsTheCallersOwn() {
        answers("max-age=3600", "12");
        WebClient client = web((request, next) -> next.exchange(request));
        assertThat(body(client)).isEqualTo("12");
        Mono<WebClientResponseException> kept = client.get()
                .uri(server.uri("/x"))
                .header("X-Own", "second")
                .exchangeToMono(ClientResponse::createException);
        WebClientResponseException seen = Objects.requireNonNull(kept.block());
        assertThat(seen.getHeaders().getFirst("Holdfast-Source")).isEqualTo("fresh");
        assertThat(Objects.requireNonNull(seen.getRequest()).getHeaders().getFirst("X-Own"))
                .isEqualTo("second");
    }

    @Test
    void aBodyThatIsReadTwiceIsTheSame() {
        answers("max-age=3600", "12");
        WebClient client = web((request, next) -> next.exchange(request));
        assertThat(body(client)).isEqualTo("12");
        Mono<String> kept = client.get().uri(server.uri("/x")).retrieve().bodyToMono(String.class);
        assertThat(kept.block()).isEqualTo("12");
        assertThat(kept.block()).isEqualTo("12");
        assertThat(server.requests()).hasSize(1);
    }

    @Test
    void aFilterInsideAnotherKeepsWhatHasNoBody() {
        answers("max-age=3600", "first", "second");
        try (Pipeline plain = Pipeline.of("plain")) {
            WebClient client = WebClient.builder()
                    .clientConnector(new JdkClientHttpConnector())
                    .filter(HoldfastFilter.of(Pipelines.one(plain)))
                    .filter(HoldfastFilter.of(Pipelines.one(pipeline)))
                    .build();
            assertThat(body(client)).isEqualTo("first");
            assertThat(body(client)).isEqualTo("first");
        }
    }

    /** As over HTTP/2, where clients of Spring's do not compare the two. A body that was decoded has another length than it says. */
    @ParameterizedTest
    @CsvSource({"'', true", "'', false", "gzip, true", "gzip, false"})
    void aBodyOfAnotherLengthThanItsHeaderSaysIsNotKept(String encoding, boolean reactive) {
        RestClient rest =
                rest((request, body, execution) -> new OfAnotherLength(execution.execute(request, body), encoding));
        WebClient web = web((request, next) -> next.exchange(request)
                .map(response -> response.mutate()
                        .headers(headers -> change(headers, encoding))
                        .build()));
        answers("max-age=3600", "cut off", "whole");
        assertThat(reactive ? body(web) : body(rest, "/x")).isEqualTo("cut off");
        assertThat(reactive ? body(web) : body(rest, "/x")).isEqualTo(encoding.isEmpty() ? "whole" : "cut off");
    }

    private static void change(HttpHeaders headers, String encoding) {
        headers.set(HttpHeaders.CONTENT_LENGTH, "99");
        if (!encoding.isEmpty()) {
            headers.set(HttpHeaders.CONTENT_ENCODING, encoding);
        }
    }

    private static final class OfAnotherLength implements ClientHttpResponse {
        private final ClientHttpResponse response;
        private final HttpHeaders headers = new HttpHeaders();

        OfAnotherLength(ClientHttpResponse response, String encoding) {
            this.response = response;
            response.getHeaders().forEach(headers::addAll);
            change(headers, encoding);
        }

        @Override
        public HttpHeaders getHeaders() {
            return headers;
        }

        @Override
        public HttpStatusCode getStatusCode() throws IOException {
            return response.getStatusCode();
        }

        @Override
        public String getStatusText() throws IOException {
            return response.getStatusText();
        }

        @Override
        public InputStream getBody() throws IOException {
            return response.getBody();
        }

        @Override
        public void close() {
            response.close();
        }
    }
}
