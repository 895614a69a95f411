/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.ConnectException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class StockTest {
    private final CallLog calls = new CallLog(new Stopwatch()::nanos);
    private final Stock stock = start();
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private Stock start() {
        try {
            return new Stock(calls, 1);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @AfterEach
    void close() {
        stock.close();
    }

    @Test
    void healthyItAnswersForTheArticle() throws Exception {
        HttpResponse<String> response = ask();
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.body()).isEqualTo(Stock.article("sku-3"));
        assertThat(calls.between(0, Long.MAX_VALUE)).isEqualTo(1);
    }

    @Test
    void slowItAnswersRightlyAndLate() throws Exception {
        stock.become(Condition.SLOW);
        long start = System.nanoTime();
        assertThat(ask().body()).isEqualTo(Stock.article("sku-3"));
        assertThat(System.nanoTime() - start).isGreaterThan(TimeUnit.MILLISECONDS.toNanos(150));
    }

    /** The others are answered in the usual time, because there are workers left. */
    @Test
    void hangingItAnswersThreeOfFour() throws Exception {
        stock.become(Condition.HANGING);
        HttpRequest request = HttpRequest.newBuilder(stock.uri("sku-3"))
                .timeout(Duration.ofSeconds(2))
                .build();
        int answered = 0;
        int hung = 0;
        while (answered < 2 || hung < 2) {
            try {
                http.send(request, BodyHandlers.ofString());
                answered++;
            } catch (HttpTimeoutException e) {
                hung++;
            }
        }
        assertThat(answered).isBetween(2, 40);
    }

    @Test
    void failingItAnswers500() throws Exception {
        stock.become(Condition.FAILING);
        assertThat(ask().statusCode()).isEqualTo(500);
    }

    @Test
    void pushingBackItSaysWhenToComeAgain() throws Exception {
        stock.become(Condition.PUSHBACK);
        HttpResponse<String> response = ask();
        assertThat(response.statusCode()).isEqualTo(503);
        assertThat(response.headers().firstValue("Retry-After")).contains("1");
    }

    @Test
    void goneItRefusesConnectionsAndComesBackAtTheSameAddress() throws Exception {
        ask();
        stock.become(Condition.GONE);
        assertThatThrownBy(this::ask).isInstanceOf(ConnectException.class);
        stock.become(Condition.HEALTHY);
        assertThat(ask().statusCode()).isEqualTo(200);
        assertThat(calls.between(0, Long.MAX_VALUE)).isEqualTo(2);
    }

    private HttpResponse<String> ask() throws IOException, InterruptedException {
        return http.send(HttpRequest.newBuilder(stock.uri("sku-3")).build(), BodyHandlers.ofString());
    }
}
