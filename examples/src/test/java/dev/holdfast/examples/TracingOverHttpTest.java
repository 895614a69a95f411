/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.holdfast.Pipeline;
import dev.holdfast.bulkhead.BulkheadPolicy;
import dev.holdfast.circuitbreaker.CircuitBreakerPolicy;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.micrometer.ObservationObserver;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.TimeSource;
import dev.holdfast.stalecache.StaleCachePolicy;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler.FirstMatchingCompositeObservationHandler;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.tracing.handler.DefaultTracingObservationHandler;
import io.micrometer.tracing.otel.bridge.OtelCurrentTraceContext;
import io.micrometer.tracing.otel.bridge.OtelTracer;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.ReadWriteSpan;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.data.EventData;
import io.opentelemetry.sdk.trace.data.LinkData;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.data.StatusData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Phaser;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Spans of OpenTelemetry's SDK over a real hop: a client writes the {@code traceparent} of what is current inside the action,
 * and the service makes its span below it. No test depends on how long anything takes.
 */
class TracingOverHttpTest {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();
    private static final AttributeKey<Long> RESEND_COUNT = AttributeKey.longKey("http.request.resend_count");
    private static final TextMapGetter<HttpExchange> HEADERS = new TextMapGetter<>() {
        @Override
        public Iterable<String> keys(HttpExchange exchange) {
            return exchange.getRequestHeaders().keySet();
        }

        @Override
        public @Nullable String get(@Nullable HttpExchange exchange, String key) {
            return exchange == null ? null : exchange.getRequestHeaders().getFirst(key);
        }
    };

    private final InMemorySpanExporter exporter = InMemorySpanExporter.create();
    private final BlockingQueue<SpanData> ended = new LinkedBlockingQueue<>();
    private final SdkTracerProvider provider = SdkTracerProvider.builder()
            .addSpanProcessor(SimpleSpanProcessor.create(exporter))
            .addSpanProcessor(new SpanProcessor() {
                @Override
                public void onStart(Context parent, ReadWriteSpan span) {}

                @Override
                public boolean isStartRequired() {
                    return false;
                }

                @Override
                public void onEnd(ReadableSpan span) {
                    ended.add(span.toSpanData());
                }

                @Override
                public boolean isEndRequired() {
                    return true;
                }
            })
            .build();
    private final io.opentelemetry.api.trace.Tracer tracer = provider.get("test");
    private final ObservationRegistry observations = ObservationRegistry.create();

    private final ExecutorService threads = Executors.newCachedThreadPool();
    /** The status of the answer to the first attempt; others get 200. */
    private volatile int firstStatus = 200;
    /** Holds back the answer to the first attempt. */
    private volatile CountDownLatch first = new CountDownLatch(0);
    /** The service has got the first attempt. */
    private volatile boolean arrived;
    /** Requests that the service has not finished. */
    private final Phaser serving = new Phaser(1);

    private HttpServer server;

    @BeforeEach
    void start() throws IOException {
        OtelCurrentTraceContext current = new OtelCurrentTraceContext();
        OtelTracer bridge = new OtelTracer(tracer, current, event -> {});
        observations
                .observationConfig()
                .observationHandler(new FirstMatchingCompositeObservationHandler(
                        new ObservationObserver.SpanHandler(bridge), new DefaultTracingObservationHandler(bridge)));
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", this::serve);
        server.start();
    }

    @AfterEach
    void stop() {
        assertThat(Span.current().getSpanContext().isValid()).isFalse();
        assertThat(observations.getCurrentObservationScope()).isNull();
        server.stop(0);
        threads.shutdownNow();
        provider.close();
    }

    private void serve(HttpExchange exchange) throws IOException {
        serving.register();
        try {
            String attempt = exchange.getRequestHeaders().getFirst("Attempt");
            boolean isFirst = "1".equals(attempt);
            Context sent = W3CTraceContextPropagator.getInstance().extract(Context.root(), exchange, HEADERS);
            Span span = tracer.spanBuilder("served " + attempt)
                    .setParent(sent)
                    .setSpanKind(SpanKind.SERVER)
                    .startSpan();
            try {
                if (isFirst) {
                    arrived = true;
                    first.await();
                }
                exchange.sendResponseHeaders(isFirst ? firstStatus : 200, -1);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } finally {
                span.end();
            }
            exchange.close();
        } finally {
            serving.arriveAndDeregister();
        }
    }

    private HttpRequest request(int attempt) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http:/" + server.getAddress() + "/stock"))
                .header("Attempt", String.valueOf(attempt));
        W3CTraceContextPropagator.getInstance()
                .inject(
                        Context.current(),
                        request,
                        (builder, key, value) -> Objects.requireNonNull(builder).header(key, value));
        return request.build();
    }

    private static String body(HttpResponse<Void> response) {
        if (response.statusCode() != 200) {
            throw new IllegalStateException("status " + response.statusCode());
        }
        return "in stock";
    }

    private String get(int attempt) throws IOException, InterruptedException {
        return body(CLIENT.send(request(attempt), HttpResponse.BodyHandlers.discarding()));
    }

    private CompletableFuture<String> getAsync(int attempt) {
        return CLIENT.sendAsync(request(attempt), HttpResponse.BodyHandlers.discarding())
                .thenApply(TracingOverHttpTest::body);
    }

    /** The system's time, which stands still until the first attempt has arrived: no hedge overtakes it. */
    private final class SinceArrival implements TimeSource {
        private final TimeSource system = TimeSource.system();
        private final long start = system.nanos();

        @Override
        public long nanos() {
            return arrived ? system.nanos() : start;
        }

        @Override
        public long millis() {
            return system.millis();
        }

        @Override
        public Timer schedule(long delayNanos, Runnable task) {
            return system.schedule(delayNanos, task);
        }

        @Override
        public void park(Object blocker, long nanos) {
            system.park(blocker, nanos);
        }

        @Override
        public void unpark(Thread thread) {
            system.unpark(thread);
        }
    }

    private Pipeline pipeline(Policy... policies) {
        return pipeline(TimeSource.system(), policies);
    }

    private Pipeline pipeline(TimeSource time, Policy... policies) {
        return Pipeline.builder("inventory")
                .time(time)
                .policies(policies)
                .observer(new ObservationObserver(observations))
                .build();
    }

    private String call(Pipeline pipeline, boolean async) {
        var stock = pipeline.<String>operation("stock").unkeyed();
        if (async) {
            return stock.callAsync(attempt -> getAsync(attempt.number())).join();
        }
        try {
            return stock.callInterruptibly(attempt -> get(attempt.number()));
        } catch (IOException | InterruptedException e) {
            throw new CompletionException(e);
        }
    }

    /** The spans that have ended, also those of the service. */
    private List<SpanData> spans() {
        int phase = serving.arrive();
        serving.awaitAdvance(phase);
        return exporter.getFinishedSpanItems();
    }

    private SpanData span(String name) {
        List<SpanData> found =
                spans().stream().filter(span -> span.getName().equals(name)).toList();
        assertThat(found).as("%s of %s", name, spans()).hasSize(1);
        return found.get(0);
    }

    private SpanData attempt(long number) {
        return spans().stream()
                .filter(span ->
                        Long.valueOf(number).equals(span.getAttributes().get(AttributeKey.longKey("holdfast.attempt"))))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no attempt " + number + " in " + spans()));
    }

    private static String text(SpanData span, String key) {
        return String.valueOf(span.getAttributes().get(AttributeKey.stringKey(key)));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void spanOfTheServiceIsBelowTheAttemptThatAskedAndAllAreOneTrace(boolean async) {
        firstStatus = 503;
        try (Pipeline inventory = pipeline(RetryPolicy.of(r -> r.initialBackoff(Duration.ZERO)))) {
            Observation order = Observation.start("order", observations);
            assertThat(order.scoped(() -> call(inventory, async))).isEqualTo("in stock");
            order.stop();
        }
        SpanData call = span("call inventory stock");
        assertThat(call.getParentSpanId()).isEqualTo(span("order").getSpanId());
        assertThat(attempt(1).getParentSpanId()).isEqualTo(call.getSpanId());
        assertThat(attempt(2).getParentSpanId()).isEqualTo(call.getSpanId());
        assertThat(span("served 1").getParentSpanId()).isEqualTo(attempt(1).getSpanId());
        assertThat(span("served 2").getParentSpanId()).isEqualTo(attempt(2).getSpanId());
        assertThat(spans()).hasSize(6).extracting(SpanData::getTraceId).containsOnly(call.getTraceId());
        assertThat(attempt(1).getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
        assertThat(attempt(1).getAttributes().get(RESEND_COUNT)).isNull();
        assertThat(attempt(2).getStatus().getStatusCode()).isNotEqualTo(StatusCode.ERROR);
        assertThat(attempt(2).getAttributes().get(RESEND_COUNT)).isEqualTo(1);
        assertThat(text(attempt(1), "holdfast.outcome")).isEqualTo("failure");
        assertThat(text(call, "holdfast.outcome")).isEqualTo("success");
        assertThat(call.getAttributes().get(AttributeKey.longKey("holdfast.attempts")))
                .isEqualTo(2);
    }

    /** Spring Boot makes no default handler where the application has one: then all other observations would have no span. */
    @Test
    void spanHandlerIsNoDefaultHandlerToSpringBoot() {
        assertThat(DefaultTracingObservationHandler.class.isAssignableFrom(ObservationObserver.SpanHandler.class))
                .isFalse();
    }

    @Test
    void attemptOnADedicatedThreadIsCurrentThereAndASpanOfTheUsersIsTheParent() {
        try (Pipeline inventory =
                pipeline(BulkheadPolicy.of(b -> b.maxConcurrentCalls(2).dedicatedThreads(true)))) {
            Span handmade = tracer.spanBuilder("handmade").startSpan();
            try (Scope scope = handmade.makeCurrent()) {
                assertThat(scope).isNotNull();
                assertThat(call(inventory, false)).isEqualTo("in stock");
                assertThat(Span.current()).isSameAs(handmade);
            }
            handmade.end();
        }
        assertThat(span("call inventory stock").getParentSpanId())
                .isEqualTo(span("handmade").getSpanId());
        assertThat(span("served 1").getParentSpanId()).isEqualTo(attempt(1).getSpanId());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void hedgeIsLinkedToTheSlowAttempt(boolean async) {
        CountDownLatch answered = new CountDownLatch(1);
        first = answered;
        try (Pipeline inventory = pipeline(new SinceArrival(), HedgePolicy.of(h -> h.delay(Duration.ofMillis(1))))) {
            assertThat(call(inventory, async)).isEqualTo("in stock");
            answered.countDown();
        }
        SpanData call = span("call inventory stock");
        assertThat(attempt(1).getLinks()).isEmpty();
        assertThat(attempt(2).getLinks())
                .extracting(LinkData::getSpanContext)
                .extracting(context -> context.getSpanId())
                .containsExactly(attempt(1).getSpanId());
        assertThat(attempt(2).getParentSpanId()).isEqualTo(call.getSpanId());
        assertThat(attempt(2).getAttributes().get(RESEND_COUNT)).isEqualTo(1);
        assertThat(attempt(2).getStatus()).isEqualTo(call.getStatus()).isEqualTo(StatusData.ok());
        assertThat(text(attempt(1), "holdfast.outcome")).isEqualTo("cancelled");
        assertThat(attempt(1).getStatus().getStatusCode()).isNotEqualTo(StatusCode.ERROR);
        assertThat(span("served 2").getParentSpanId()).isEqualTo(attempt(2).getSpanId());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void rejectionIsAnEventWithItsReason(boolean async) {
        CircuitBreakerPolicy open =
                CircuitBreakerPolicy.of(c -> c.initialState(CircuitBreakerPolicy.State.FORCED_OPEN));
        try (Pipeline inventory = pipeline(open)) {
            assertThat(catchThrowable(() -> call(inventory, async))).isNotNull();
        }
        SpanData call = span("call inventory stock");
        assertThat(call.getEvents())
                .extracting(EventData::getName)
                .contains("rejected by circuit-breaker: circuit_open");
        assertThat(text(call, "holdfast.outcome")).isEqualTo("rejected");
        assertThat(call.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
        assertThat(spans()).hasSize(1);
    }

    @Test
    void staleAnswerHasSourceAndAgeAndItsRefreshIsInTheSameTrace() throws Exception {
        StaleCachePolicy cache =
                StaleCachePolicy.of(c -> c.fresh(Duration.ZERO).staleWhileRevalidate(Duration.ofHours(1)));
        try (Pipeline inventory = pipeline(cache)) {
            var stock = inventory.<String>operation("stock").decorateInterruptibly((String sku) -> get(1));
            assertThat(stock.apply("sku-1")).isEqualTo("in stock");
            SpanData load = ended("call inventory stock");
            assertThat(text(load, "holdfast.source")).isEqualTo("live");
            assertThat(stock.apply("sku-1")).isEqualTo("in stock");
            List<SpanData> both = List.of(ended("call inventory stock"), ended("call inventory stock"));
            SpanData refresh = background(both, true);
            SpanData stale = background(both, false);
            assertThat(text(stale, "holdfast.source")).isEqualTo("stale_revalidating");
            assertThat(stale.getAttributes().get(AttributeKey.doubleKey("holdfast.stale.age")))
                    .isGreaterThan(0);
            assertThat(refresh.getParentSpanId()).isEqualTo(stale.getSpanId());
            assertThat(refresh.getTraceId()).isEqualTo(stale.getTraceId()).isNotEqualTo(load.getTraceId());
        }
    }

    private static SpanData background(List<SpanData> calls, boolean which) {
        return calls.stream()
                .filter(call -> text(call, "holdfast.background").equals(String.valueOf(which)))
                .findFirst()
                .orElseThrow();
    }

    /** The next span of this name that ends. */
    private SpanData ended(String name) throws InterruptedException {
        for (; ; ) {
            SpanData span = ended.poll(1, TimeUnit.MINUTES);
            assertThat(span).as("the end of %s", name).isNotNull();
            if (span.getName().equals(name)) {
                return span;
            }
        }
    }
}
