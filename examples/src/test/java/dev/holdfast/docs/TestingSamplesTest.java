/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.docs;

import static dev.holdfast.testing.HoldfastAssertions.assertThat;
import static dev.holdfast.testing.HoldfastAssertions.assertThatCall;
import static java.time.Duration.ZERO;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.chaos.ChaosPolicy;
import dev.holdfast.http.HttpClassifier;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testing.ScriptedAction;
import dev.holdfast.testing.ScriptedServer;
import dev.holdfast.testlogs.Logs;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Mono;

/** The samples of the pages on testing, as they stand there. */
@Logs({"chaos-enabled", "chaos is on", "chaos is off"})
class TestingSamplesTest {

    @ParameterizedTest
    @ValueSource(strings = {"testing.md", "chaos.md"})
    void everySampleOfThePageStandsHere(String page) {
        String here = flat(
                Pages.text(Pages.ROOT.resolve("examples/src/test/java/dev/holdfast/docs/TestingSamplesTest.java")));
        List<String> samples = Pages.blocks(Pages.DOCS.resolve(page), "java");
        assertThat(samples).isNotEmpty().allSatisfy(sample -> assertThat(here).contains(flat(sample)));
    }

    /** Without white space: the formatter breaks lines elsewhere than the page. */
    private static String flat(String text) {
        return text.replaceAll("\\s+", "");
    }

    private final IOException reset = new IOException("reset");

    @Test
    void aFailureIsRetried() throws Exception {
        try (VirtualTime time = new VirtualTime();
                Pipeline pipeline =
                        Pipeline.builder("stock").standard().time(time).build()) {
            ScriptedAction<String> stock =
                    ScriptedAction.<String>on(time).fails(reset).returns("12");
            Operation<String> lookup = pipeline.operation("lookup");
            assertThat(lookup.unkeyed().reply(attempt -> stock.call())).isLive().hasAttempts(2);
        }
    }

    @Test
    void futureIsLookedAtAfterTheRun() {
        try (VirtualTime time = new VirtualTime();
                Pipeline pipeline =
                        Pipeline.builder("stock").standard().time(time).build()) {
            ScriptedAction<String> action =
                    ScriptedAction.<String>on(time).fails(reset).returns("12").after(ofMillis(50));
            CompletableFuture<String> stock =
                    Mono.fromFuture(() -> pipeline.callAsync(action::callAsync)).toFuture();
            time.run();
            assertThat(stock).isCompletedWithValue("12");
        }
    }

    /** A client of the user's. */
    private interface StockClient {
        String stock(String sku) throws IOException;
    }

    /** A class of the user's. */
    private record Shop(StockClient client, Pipeline pipeline) {
        String stock(String sku) throws IOException {
            return pipeline.call(() -> client.stock(sku));
        }
    }

    @Test
    void scriptStandsBehindAnInterface() throws Exception {
        try (VirtualTime time = new VirtualTime();
                Pipeline pipeline =
                        Pipeline.builder("stock").standard().time(time).build()) {
            ScriptedAction<String> script =
                    ScriptedAction.<String>on(time).fails(reset).returns("12");
            StockClient client = script::answerTo; // yours: String stock(String sku) throws IOException
            Shop shop = new Shop(client, pipeline);
            assertThat(shop.stock("sku-1")).isEqualTo("12");
            assertThat(script.started()).isEqualTo(2);
        }
    }

    @Test
    void permitsAreBackAndTheThirdIsTurnedAway() {
        try (VirtualTime time = new VirtualTime()) {
            ScriptedAction<String> stock =
                    ScriptedAction.<String>on(time).returns("12").after(ofMillis(50));
            Pipeline pipeline = Pipeline.builder("stock")
                    .policies(BulkheadPolicy.of(b -> b.maxConcurrentCalls(2).maxWaitingCalls(0)))
                    .time(time)
                    .build();

            CompletableFuture<String> blocking = time.spawn(() -> pipeline.call(stock::call));
            CompletableFuture<String> async = pipeline.callAsync(stock::callAsync);
            time.advance(ofMillis(10));
            assertThatCall(pipeline.callAsync(stock::callAsync)).wasRejectedBy("bulkhead", Reason.BULKHEAD_FULL);

            time.run();
            assertThat(List.of(blocking, async))
                    .allSatisfy(call -> assertThat(call).isCompletedWithValue("12"));
            assertThat(stock.mostRunning()).isEqualTo(2);
            assertThat(pipeline).isIdle();
        }
    }

    @Test
    void anOldAnswerIsGivenWhereThereIsNone() throws Exception {
        try (VirtualTime time = new VirtualTime()) {
            ScriptedAction<String> stock =
                    ScriptedAction.<String>on(time).returns("12").fails(new IOException("reset"));
            Pipeline pipeline = Pipeline.builder("stock")
                    .policies(StaleCachePolicy.of(c -> c.fresh(ofSeconds(1)).staleIfError(ofSeconds(60))))
                    .time(time)
                    .build();
            Operation<String> operation = pipeline.operation("stock");
            operation.key("sku-1").call(attempt -> stock.call());
            time.advance(ofSeconds(30));
            assertThat(operation.key("sku-1").reply(attempt -> stock.call()))
                    .isStale()
                    .hasValue("12")
                    .hasAttempts(1);
        }
    }

    @Test
    void theClientHeedsRetryAfter() throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        try (ScriptedServer server = ScriptedServer.start();
                Pipeline pipeline = Pipeline.builder("stock")
                        .policies(RetryPolicy.ofDefaults())
                        .classifier(HttpClassifier.ofDefaults())
                        .build()) {
            server.answers(503, "busy").retryAfter(ZERO).answers(200, "12");
            HttpRequest request = HttpRequest.newBuilder(server.uri("/stock/1")).build();
            HttpResponse<String> stock =
                    pipeline.call(() -> client.send(request, HttpResponse.BodyHandlers.ofString()));
            assertThat(stock.body()).isEqualTo("12");
            assertThat(server.requests()).hasSize(2);
        }
    }

    @Test
    void chaosIsSwitchedWhileCallsRun() throws Exception {
        try (VirtualTime time = new VirtualTime()) {
            ChaosPolicy chaos = ChaosPolicy.of(c -> c.enabled(true)
                    .seed(42)
                    .latencyRate(0.2)
                    .errorRate(0.1)
                    .error(() -> new IOException("connection reset"))
                    .hangRate(0.01));
            Pipeline pipeline = Pipeline.builder("stock")
                    .policies(RetryPolicy.ofDefaults(), TimeoutPolicy.of(ofMillis(250)), chaos)
                    .time(time)
                    .build();

            chaos.change(c -> c.latencyRate(0).hangRate(0).errorRate(1));
            assertThatCall(() -> pipeline.call(() -> "12")).hasMessage("connection reset");
            chaos.off();
            assertThat(pipeline.call(() -> "12")).isEqualTo("12");
        }
    }
}
