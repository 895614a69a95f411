/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.testing.ScriptedServer;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A redirect to an address that is none: older clients of the JDK throw what they throw at a mistake of their caller. */
class UnreadableRedirectTest {
    private final ScriptedServer server = ScriptedServer.start();
    private final List<Outcome> attempts = new CopyOnWriteArrayList<>();
    private final Pipeline pipeline = Pipeline.builder("shop")
            .policies(RetryPolicy.of(
                    r -> r.maxAttempts(3).initialBackoff(Duration.ofMillis(1)).budgetEnabled(false)))
            .observer(new CallObserver() {
                @Override
                public void attemptSettled(
                        String pipeline, @Nullable String operation, int attempt, Outcome outcome, long nanos) {
                    attempts.add(outcome);
                }
            })
            .build();
    private final HttpClient client = HoldfastHttpClient.around(
            HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NORMAL).build(), Pipelines.one(pipeline));

    @AfterEach
    void close() {
        pipeline.close();
        server.close();
    }

    private HttpResponse<String> send(boolean async, HttpRequest request) throws Exception {
        return async
                ? client.sendAsync(request, BodyHandlers.ofString()).get()
                : client.send(request, BodyHandlers.ofString());
    }

    @ParameterizedTest
    @CsvSource({
        "/login page, false",
        "/login page, true",
        "http://[::bad, false",
        "http://[::bad, true",
        "http:nowhere, false",
        "http:nowhere, true"
    })
    void itIsAFailureOfTheService(String location, boolean async) throws Exception {
        server.answers(302).with("Location", location).answers(200, "12");
        assertThat(send(async, HttpRequest.newBuilder(server.uri("/a")).build()).body())
                .isEqualTo("12");
        assertThat(attempts).containsExactly(Outcome.FAILURE, Outcome.SUCCESS);
    }

    /** It was sent, whatever the exception says. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aPostIsNotRepeatedAfterIt(boolean async) {
        server.answers(302).with("Location", "/login page");
        HttpRequest post = HttpRequest.newBuilder(server.uri("/a"))
                .POST(BodyPublishers.noBody())
                .build();
        assertThatThrownBy(() -> send(async, post)).hasStackTraceContaining("Illegal character in path");
        assertThat(attempts).containsExactly(Outcome.FAILURE);
    }

    /** One that no builder has checked. */
    private record Own(URI uri, HttpHeaders headers) {
        HttpRequest request() {
            return new HttpRequest() {
                @Override
                public Optional<BodyPublisher> bodyPublisher() {
                    return Optional.empty();
                }

                @Override
                public String method() {
                    return "GET";
                }

                @Override
                public Optional<Duration> timeout() {
                    return Optional.empty();
                }

                @Override
                public boolean expectContinue() {
                    return false;
                }

                @Override
                public URI uri() {
                    return uri;
                }

                @Override
                public Optional<HttpClient.Version> version() {
                    return Optional.empty();
                }

                @Override
                public HttpHeaders headers() {
                    return headers;
                }
            };
        }
    }

    @ParameterizedTest
    @CsvSource({"ftp, X-Own, false", "ftp, X-Own, true", "http, Content-Length, false", "http, Content-Length, true"})
    void aMistakeOfTheCallerIsIgnoredAsBefore(String scheme, String header, boolean async) {
        URI address = URI.create(scheme + server.uri("/a").toString().substring("http".length()));
        HttpRequest request =
                new Own(address, HttpHeaders.of(Map.of(header, List.of("1")), (name, value) -> true)).request();
        assertThatThrownBy(() -> send(async, request))
                .satisfiesAnyOf(
                        thrown -> assertThat(thrown).isInstanceOf(IllegalArgumentException.class),
                        thrown -> assertThat(thrown).hasCauseInstanceOf(IllegalArgumentException.class));
        assertThat(attempts).containsExactly(Outcome.IGNORED);
    }
}
