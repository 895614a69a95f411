/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.holdfast.Classifier;
import dev.holdfast.Operation;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Verdict;
import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.ToIntFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Statuses and exceptions by name: "404 is ignored" needs no code. */
class ListedClassifierTest {
    private static final String LISTS = """
            pipelines:
              inventory:
                retry: { max-attempts: 3, backoff: { initial: 1ms, max: 1ms }, budget: { enabled: false } }
                classifier:
                  failures: [500, 502-504, java.io.IOException]
                  pushbacks: [429]
                  ignored: [400-428, java.io.FileNotFoundException]
            """;

    private static Holdfast load(Holdfast.Builder builder, String yaml) {
        return builder.load("holdfast.yaml", new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void statusesOfTheJdksClientAreKnown() throws Exception {
        AtomicInteger requests = new AtomicInteger();
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            requests.incrementAndGet();
            exchange.sendResponseHeaders(
                    Integer.parseInt(exchange.getRequestURI().getPath().substring(1)), -1);
            exchange.close();
        });
        server.start();
        try (Holdfast holdfast = load(Holdfast.builder(), LISTS)) {
            HttpClient client = HttpClient.newHttpClient();
            Pipeline inventory = holdfast.pipeline("inventory");
            for (int[] statusAndRequests : new int[][] {{200, 1}, {404, 1}, {500, 3}, {503, 3}, {501, 1}}) {
                requests.set(0);
                URI uri = URI.create("http://localhost:" + server.getAddress().getPort() + "/" + statusAndRequests[0]);
                HttpResponse<Void> response = inventory.callInterruptibly(
                        () -> client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.discarding()));
                assertThat(response.statusCode()).isEqualTo(statusAndRequests[0]);
                assertThat(requests).as("requests for %s", statusAndRequests[0]).hasValue(statusAndRequests[1]);
            }
        } finally {
            server.stop(0);
        }
    }

    @Test
    void aPlain503MayComeAfterTheWorkAndIsNotRepeatedIfThatDoesHarm() throws Exception {
        AtomicInteger requests = new AtomicInteger();
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            requests.incrementAndGet();
            if (exchange.getRequestURI().getPath().equals("/later")) {
                exchange.getResponseHeaders().add("Retry-After", "0");
            }
            exchange.sendResponseHeaders(503, -1);
            exchange.close();
        });
        server.start();
        try (Holdfast holdfast = load(Holdfast.builder(), """
                pipelines:
                  inventory:
                    retry: { max-attempts: 3, budget: { enabled: false } }
                    classifier: { pushbacks: [429, 503] }
                """)) {
            HttpClient client = HttpClient.newHttpClient();
            for (String path : new String[] {"/plain", "/later"}) {
                requests.set(0);
                URI uri = URI.create("http://localhost:" + server.getAddress().getPort() + path);
                HttpResponse<Void> response = holdfast.pipeline("inventory")
                        .<HttpResponse<Void>>operation("order")
                        .unkeyed()
                        .idempotent(false)
                        .callInterruptibly(attempt -> client.send(
                                HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.discarding()));
                assertThat(response.statusCode()).isEqualTo(503);
                assertThat(requests).as(path).hasValue(path.equals("/plain") ? 1 : 3);
            }
        } finally {
            server.stop(0);
        }
    }

    @Test
    void theNearestClassOfAnErrorDecides() {
        assertThat(LISTS).contains("java.io");
        assertThat(outcome(new IOException("ill"))).isEqualTo(Outcome.FAILURE);
        assertThat(outcome(new FileNotFoundException("gone"))).isEqualTo(Outcome.IGNORED);
        assertThat(outcome(new UncheckedIOException(new IOException("ill")))).isEqualTo(Outcome.FAILURE);
    }

    private static Outcome outcome(Exception error) {
        try (Holdfast holdfast = load(Holdfast.builder(), LISTS)) {
            AtomicInteger attempts = new AtomicInteger();
            try {
                holdfast.pipeline("inventory").call(() -> {
                    attempts.incrementAndGet();
                    throw error;
                });
            } catch (Exception expected) {
                assertThat(expected).isSameAs(error);
            }
            return attempts.get() > 1 ? Outcome.FAILURE : Outcome.IGNORED;
        }
    }

    @Test
    void codeSaysTheStatusOfOtherClientsAndWhatIsInNoList() {
        Holdfast.Builder builder = Holdfast.builder()
                .bind("status-of", ToIntFunction.class, answer -> answer instanceof Integer status ? status : 0)
                .bind("odd-is-ill", (Classifier)
                        (value, error) -> "odd".equals(value) ? Verdict.IGNORED : Verdict.SUCCESS);
        try (Holdfast holdfast = load(builder, """
                pipelines:
                  inventory:
                    retry: { max-attempts: 2, backoff: { initial: 1ms } }
                    classifier: { failures: 500, base: odd-is-ill, status: status-of }
                """)) {
            AtomicInteger attempts = new AtomicInteger();
            int answer = holdfast.pipeline("inventory").call(() -> {
                attempts.incrementAndGet();
                return 500;
            });
            assertThat(answer).isEqualTo(500);
            assertThat(attempts).hasValue(2);
            assertThat(holdfast.pipeline("inventory").call(() -> "odd")).isEqualTo("odd");
        }
    }

    @Test
    void codesOfGrpcAreForItsAdapter() {
        try (Holdfast holdfast = load(Holdfast.builder(), """
                pipelines:
                  stock:
                    retry:
                    classifier: { failures: [UNAVAILABLE, 503], ignored: ABORTED }
                """)) {
            Classifier.Listed lists =
                    (Classifier.Listed) holdfast.pipeline("stock").classifier();
            assertThat(lists.ofCode("UNAVAILABLE")).isEqualTo(Verdict.FAILURE);
            assertThat(lists.ofCode("ABORTED")).isEqualTo(Verdict.IGNORED);
            assertThat(lists.ofCode("INTERNAL")).isNull();
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            failures: UNAVALABLE                            | UNAVALABLE, which is no code of gRPC; did you mean UNAVAILABLE?
            failures: OK                                    | OK, which is no code of gRPC
            failures: [UNKNOWN], ignored: [UNKNOWN]         | UNKNOWN, which another list has too
            failures: unavailable                           | unavailable, which is no class here
            """)
    void aCodeThatDoesNotExistOrIsInTwoListsIsAProblem(String lists, String problem) {
        assertThatThrownBy(() ->
                        load(Holdfast.builder(), "pipelines: { stock: { retry: , classifier: { " + lists + " } } }"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(problem);
    }

    /** Its static part ends the test if it runs. */
    static final class Explosive extends RuntimeException {
        private static final long serialVersionUID = 1L;
        static final int SPARK = spark();

        private static int spark() {
            throw new AssertionError("the file has run code");
        }
    }

    @Test
    void aNamedClassIsNotInitialised() {
        try (Holdfast holdfast = load(
                Holdfast.builder(),
                "pipelines: { inventory: { retry: , classifier: { ignored: '" + Explosive.class.getName()
                        + "' } } }")) {
            assertThat(holdfast.pipelines()).hasSize(1);
        }
    }

    /** Without a classifier the stale cache hides outages only, and who has one can exchange it. */
    @Test
    void aFileWithoutClassifierHasNoneAlsoForTheStaleCache() {
        String none = "pipelines: { inventory: { stale-cache: { stale-if-error: 1m } } }";
        try (Holdfast holdfast = load(Holdfast.builder(), none)) {
            Pipeline inventory = holdfast.pipeline("inventory");
            Operation<String> stock = inventory.operation("stock");
            AtomicBoolean fails = new AtomicBoolean();
            Operation.Decorated<String, String, RuntimeException> lookup = stock.decorate(sku -> {
                if (fails.get()) {
                    throw new IllegalStateException("no such article");
                }
                return "12";
            });
            assertThat(inventory.classifier()).isSameAs(Classifier.DEFAULT);
            lookup.apply("sku-1");
            fails.set(true);
            assertThatThrownBy(() -> lookup.apply("sku-1")).isInstanceOf(IllegalStateException.class);

            fails.set(false);
            inventory.replaceClassifier((value, error) -> error == null ? Verdict.SUCCESS : Verdict.FAILURE);
            lookup.apply("sku-1");
            fails.set(true);
            assertThat(lookup.apply("sku-1"))
                    .as("its own classifier calls it a failure")
                    .isEqualTo("12");
        }
    }
}
