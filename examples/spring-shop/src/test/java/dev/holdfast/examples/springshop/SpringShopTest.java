/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.springshop;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer.OrderAnnotation;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** The shop as a browser uses it. */
@TestMethodOrder(OrderAnnotation.class)
class SpringShopTest {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    private static SpringShop shop;

    @BeforeAll
    static void start() {
        shop = SpringShop.start(0);
    }

    @AfterAll
    static void stop() {
        shop.close();
    }

    private static HttpResponse<String> send(HttpRequest.Builder request) throws IOException, InterruptedException {
        return CLIENT.send(request.build(), BodyHandlers.ofString());
    }

    private static HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create("http://localhost:" + shop.port() + path));
    }

    private static String get(String path) throws IOException, InterruptedException {
        HttpResponse<String> response = send(request(path));
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return response.body();
    }

    private static void become(String service, String state) throws IOException, InterruptedException {
        send(request("/" + service + "/state?state=" + state).POST(BodyPublishers.noBody()));
    }

    @Test
    @Order(1)
    void aCustomerGetsLiveNumbers() throws Exception {
        assertThat(get("/offers/apple"))
                .contains("\"stock\":12")
                .contains("\"price\":7")
                .contains("\"listPrice\":false");
    }

    @Test
    @Order(2)
    void anIllStockServiceIsHiddenBehindItsLastAnswer() throws Exception {
        for (String state : new String[] {"FAILING", "BUSY"}) {
            become("stock", state);
            int before = shop.requests().get(0);
            for (int i = 0; i < 100; i++) {
                assertThat(get("/offers/apple")).contains("\"stock\":12");
            }
            // With two retries for each customer there would be 300. How soon the breaker asks again depends on the
            // machine.
            assertThat(shop.requests().get(0) - before).isLessThan(150);
        }
    }

    @Test
    @Order(3)
    void anIllPriceServiceGivesListPrices() throws Exception {
        become("prices", "FAILING");
        for (int i = 0; i < 100; i++) {
            assertThat(get("/offers/apple")).contains("\"price\":10").contains("\"listPrice\":true");
        }
    }

    @Test
    @Order(4)
    void itShowsWhatItDoes() throws Exception {
        assertThat(get("/actuator/holdfast")).contains("\"name\":\"inventory\"").contains("\"to\":\"open\"");
        assertThat(get("/")).contains("A shop, a stock service and a price service");
        assertThat(get("/requests")).contains("\"stock\":").contains("\"prices\":");
    }

    @Test
    @Order(5)
    void itIsWellAgainWithoutAnybodysHelp() throws Exception {
        become("stock", "FINE");
        become("prices", "FINE");
        long end = System.nanoTime() + 60_000_000_000L;
        String offer = get("/offers/apple");
        while (!offer.contains("\"price\":7") && System.nanoTime() < end) {
            Thread.onSpinWait();
            offer = get("/offers/apple");
        }
        assertThat(offer).contains("\"price\":7").contains("\"listPrice\":false");
    }
}
