/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.ConnectException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ScriptedServerTest {
    private final ScriptedServer server = ScriptedServer.start();
    private final HttpClient client = HttpClient.newHttpClient();

    @AfterEach
    void close() {
        server.close();
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(server.uri(path));
    }

    private HttpResponse<String> send(HttpRequest request) throws IOException, InterruptedException {
        return client.send(request, HttpResponse.BodyHandlers.ofString());
    }

    private String get(String path) throws IOException, InterruptedException {
        HttpResponse<String> response = send(request(path).build());
        String again = response.headers()
                .firstValue("Retry-After")
                .map(after -> " again in " + after)
                .orElse("");
        return response.statusCode() + " " + response.body() + again;
    }

    @Test
    void whatCannotBeSentIsRefusedAtOnce() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> server.answers(99_999))
                .withMessage("status is 99999 but must be 200 to 599");
        server.answers(200);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> server.with("X-A", "1\r\nX-B: 2"))
                .withMessage("the header 'X-A' has more than one line");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> server.uri("stock"))
                .withMessage("the path is 'stock' but must begin with /");
    }

    @Test
    void anEmptyScriptSaysSo() throws Exception {
        assertThat(get("/")).startsWith("501 the script of the server is empty");
        assertThatThrownBy(server::close)
                .as("a fallback may have answered, so that the test would not notice")
                .isInstanceOf(AssertionError.class)
                .hasMessageStartingWith("the script of the server is empty");
    }

    @Test
    void answersComeInTurnAndTheLastOneAgainAndAgain() throws Exception {
        server.answers(503, "busy")
                .retryAfter(Duration.ofMillis(1_500))
                .times(2)
                .answers(204)
                .answers(200, "well");
        assertThat(get("/")).isEqualTo("503 busy again in 2");
        assertThat(get("/")).isEqualTo("503 busy again in 2");
        assertThat(get("/")).isEqualTo("204 ");
        assertThat(get("/")).isEqualTo("200 well");
        assertThat(get("/")).isEqualTo("200 well");
    }

    @Test
    void requestsAreRememberedWithHeadersAndBody() throws Exception {
        server.answers(200).with("X-Answer", "42");
        HttpRequest post = request("/stock/1?size=2")
                .header("X-Deadline", "250")
                .POST(HttpRequest.BodyPublishers.ofString("order"))
                .build();
        assertThat(send(post).headers().firstValue("x-answer")).contains("42");
        assertThat(server.requests()).singleElement().satisfies(request -> {
            assertThat(request.method()).isEqualTo("POST");
            assertThat(request.path()).isEqualTo("/stock/1?size=2");
            assertThat(request.body()).isEqualTo("order");
            assertThat(request.header("x-deadline")).isEqualTo("250");
            assertThat(request.header("X-Other")).isNull();
        });
    }

    @Test
    void answerComesAfterItsTime() throws Exception {
        server.answers(200, "late").after(Duration.ofMillis(30));
        long start = System.nanoTime();
        assertThat(get("/")).isEqualTo("200 late");
        assertThat(System.nanoTime() - start)
                .isGreaterThanOrEqualTo(Duration.ofMillis(30).toNanos());
    }

    @Test
    void hangDoesNotAnswerUntilTheServerIsClosed() {
        server.hangs();
        HttpRequest impatient = request("/").timeout(Duration.ofMillis(50)).build();
        assertThatIOException().isThrownBy(() -> send(impatient)).isInstanceOf(HttpTimeoutException.class);
        CompletableFuture<?> patient = client.sendAsync(request("/").build(), HttpResponse.BodyHandlers.discarding());
        server.close();
        assertThatThrownBy(() -> patient.get(5, TimeUnit.MINUTES)).isInstanceOf(ExecutionException.class);
    }

    @Test
    void brokenConnectionHasNoAnswer() throws Exception {
        server.breaks().answers(200, "well");
        HttpRequest post =
                request("/").POST(HttpRequest.BodyPublishers.noBody()).build();
        assertThatIOException().isThrownBy(() -> send(post));
        assertThat(get("/")).isEqualTo("200 well");
        assertThat(server.requests()).hasSize(2);
    }

    @Test
    void connectionsAreRefusedUntilTheyAreAcceptedAgain() throws Exception {
        server.answers(200, "well");
        assertThat(get("/")).isEqualTo("200 well");
        server.refuseConnections();
        assertThatIOException().isThrownBy(() -> get("/")).isInstanceOf(ConnectException.class);
        server.acceptConnections();
        assertThat(get("/")).isEqualTo("200 well");
        assertThat(server.requests()).hasSize(2);
    }

    @Test
    void closedServerRefusesForGood() {
        server.close();
        server.acceptConnections();
        assertThatIOException().isThrownBy(() -> get("/")).isInstanceOf(ConnectException.class);
        assertThat(server).asString().startsWith("scripted server at http://127.0.0.1:");
    }
}
