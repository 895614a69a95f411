/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import dev.holdfast.Outcome;
import dev.holdfast.Verdict;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HttpStatusTest {
    private final HttpStatus classifier = new HttpStatus();

    @ParameterizedTest
    @CsvSource({
        "200, '',   SUCCESS,  -1",
        "204, '',   SUCCESS,  -1",
        "400, '',   IGNORED,  -1",
        "404, '',   IGNORED,  -1",
        "429, '',   PUSHBACK, -1",
        "429, 2,    PUSHBACK, 2",
        "500, '',   FAILURE,  -1",
        "502, 2,    FAILURE,  -1",
        "503, '',   FAILURE,  -1",
        "503, 1,    PUSHBACK, 1",
        "503, 0,    PUSHBACK, 0",
        "503, soon, PUSHBACK, -1",
    })
    void eachStatusHasItsMeaning(int status, String retryAfter, Outcome outcome, long seconds) throws Exception {
        Verdict verdict = classify(status, retryAfter);
        assertThat(verdict.outcome()).isEqualTo(outcome);
        assertThat(verdict.retryAfterNanos()).isEqualTo(seconds < 0 ? -1 : TimeUnit.SECONDS.toNanos(seconds));
    }

    @Test
    void anExceptionIsAFailure() {
        assertThat(classifier.classify(null, new IOException("broken pipe"))).isEqualTo(Verdict.FAILURE);
    }

    private Verdict classify(int status, String retryAfter) throws IOException, InterruptedException {
        try (LoopbackServer server =
                LoopbackServer.start("status", 1, 1, exchange -> answer(exchange, status, retryAfter))) {
            HttpRequest request = HttpRequest.newBuilder(server.uri("/")).build();
            return classifier.classify(HttpClient.newHttpClient().send(request, BodyHandlers.ofString()), null);
        }
    }

    private static void answer(HttpExchange exchange, int status, String retryAfter) throws IOException {
        if (!retryAfter.isEmpty()) {
            exchange.getResponseHeaders().add("Retry-After", retryAfter);
        }
        try (exchange) {
            exchange.sendResponseHeaders(status, -1);
        }
    }
}
