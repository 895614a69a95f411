/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.docs;

import com.sun.net.httpserver.HttpExchange;
import dev.holdfast.Classifier;
import dev.holdfast.Operation;
import dev.holdfast.Pipeline;
import dev.holdfast.config.Holdfast;
import dev.holdfast.http.PipelinePerAuthority;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.valkey.ValkeyStore;
import io.github.resilience4j.bulkhead.BulkheadRegistry;
import io.github.resilience4j.circuitbreaker.CircuitBreakerRegistry;
import io.github.resilience4j.ratelimiter.RateLimiterRegistry;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.tracing.Tracer;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.ServletContext;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What a program has around the samples of the pages: each of them is compiled as a part of this. Never run. */
@SuppressWarnings({"NullAway", "NotNullFieldNotInitialized"})
abstract class Given {
    static final ThreadLocal<String> USER = new ThreadLocal<>();
    static final ThreadLocal<String> TOKEN = new ThreadLocal<>();
    static final ThreadLocal<String> REQUEST = new ThreadLocal<>();
    private static final ThreadLocal<Client> SERVICE = new ThreadLocal<>();

    Holdfast holdfast;
    String host;
    String tenant;
    Pipeline inventory;
    Pipeline prices;
    Pipeline orders;
    Pipeline payments;
    Pipeline shipping;
    Operation<String> stock;
    Client client;
    Client secondary;
    ReactiveClient reactive;
    Classifier classifier;
    CallObserver observer;
    Executor pool;
    CompletableFuture<String> stage;
    Path file;
    HttpRequest request;
    MeterRegistry meters;
    ObservationRegistry observations;
    Tracer tracer;
    ServletContext servletContext;
    AsyncContext asyncContext;
    CircuitBreakerRegistry breakers;
    BulkheadRegistry bulkheads;
    RateLimiterRegistry limiters;
    ValkeyStore store;
    PipelinePerAuthority shops;

    static String handle(HttpRequest inbound) throws IOException {
        return Objects.requireNonNull(SERVICE.get(), "service").order(inbound.toString());
    }

    static String handle(HttpExchange inbound) throws IOException {
        return Objects.requireNonNull(SERVICE.get(), "service").order(inbound.toString());
    }

    static void audit(HttpRequest inbound) {
        REQUEST.set(inbound.toString());
    }

    /** A client of the user's. */
    interface Client {
        String health() throws IOException;

        String stock(String sku) throws IOException;

        String stock(String sku, Duration within) throws IOException;

        String orders(String year) throws IOException;

        String basket(String user) throws IOException;

        String order(String sku) throws IOException;

        String pay() throws IOException;

        String ship() throws IOException;

        CompletableFuture<String> stockAsync(String sku);

        CompletableFuture<String> stockAsync(String sku, String token);

        CompletableFuture<String> tokenAsync();

        CompletableFuture<String> payAsync(String token);

        CompletableFuture<String> shipAsync();

        CompletableFuture<String> priceAsync(String stock);
    }

    /** One that returns Reactor's types. */
    interface ReactiveClient {
        Mono<String> stock(String sku);

        Flux<String> all();
    }

    /** What a client may throw for a 404. */
    static final class NotFoundException extends RuntimeException {
        private static final long serialVersionUID = 1;
    }
}
