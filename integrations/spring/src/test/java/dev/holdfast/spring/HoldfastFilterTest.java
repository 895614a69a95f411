/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallRejectedException;
import dev.holdfast.CallTimeoutException;
import dev.holdfast.Deadline;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.hedge.HedgePolicy;
import dev.holdfast.http.Pipelines;
import dev.holdfast.internal.context.Carried;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.spi.Policy;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testing.ScriptedServer;
import dev.holdfast.time.VirtualTime;
import dev.holdfast.timeout.TimeoutPolicy;
import io.netty.handler.timeout.ReadTimeoutException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.SocketAddress;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.reactivestreams.Subscription;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DataBufferLimitException;
import org.springframework.core.io.buffer.DefaultDataBufferFactory;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.client.reactive.ReactorClientHttpConnector;
import org.springframework.web.reactive.function.client.ClientRequest;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.ExchangeFunction;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.reactive.function.client.WebClientRequestException;
import org.springframework.web.reactive.function.client.WebClientResponseException;
import reactor.core.CoreSubscriber;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.netty.http.client.HttpClient;
import reactor.netty.resources.ConnectionPoolMetrics;
import reactor.netty.resources.ConnectionProvider;
import reactor.util.context.Context;
import reactor.util.context.ContextView;

/** What a subscriber sees of attempts, and that nothing is left of those that nobody gets. */
class HoldfastFilterTest {
    private static final String URL = "http://shop.example/stock";

    private final VirtualTime time = VirtualTime.seeded(1);
    private final List<Pipeline> open = new ArrayList<>();
    private final List<Body> bodies = new CopyOnWriteArrayList<>();
    private final AtomicInteger asked = new AtomicInteger();
    private final List<String> heard = new CopyOnWriteArrayList<>();
    private Pipeline pipeline = pipeline(retry());

    private Pipeline pipeline(Policy... policies) {
        Pipeline made = Pipeline.builder("shop").policies(policies).time(time).build();
        open.add(made);
        return made;
    }

    private static RetryPolicy retry() {
        return RetryPolicy.of(
                r -> r.maxAttempts(3).initialBackoff(Duration.ofMillis(1)).budgetEnabled(false));
    }

    @AfterEach
    void close() {
        open.forEach(Pipeline::close);
        time.close();
    }

    /** A rejection says that nothing was sent: by the other pipeline. */
    @Test
    void aPostIsSentOnceIfAFilterMeetsARejectionAfterwards() {
        Pipeline repeating = Pipeline.of(
                "repeating",
                RetryPolicy.of(r -> r.maxAttempts(3)
                        .initialBackoff(Duration.ofMillis(1))
                        .budgetEnabled(false)
                        .retryRejections(true)));
        open.add(repeating);
        try (ScriptedServer server = ScriptedServer.start().answers(200)) {
            WebClient client = WebClient.builder()
                    .filter(HoldfastFilter.of(Pipelines.one(repeating)))
                    .filter((request, next) -> next.exchange(request)
                            .flatMap(response -> response.releaseBody()
                                    .then(Mono.error(new CallRejectedException(
                                            Reason.CIRCUIT_OPEN,
                                            "prices",
                                            "circuit-breaker",
                                            "it is open",
                                            -1,
                                            null)))))
                    .build();
            assertThatThrownBy(() -> client.post()
                            .uri(server.uri("/pay"))
                            .bodyValue("12")
                            .retrieve()
                            .toBodilessEntity()
                            .block())
                    .isInstanceOf(WebClientRequestException.class)
                    .hasRootCauseInstanceOf(CallRejectedException.class);
            assertThat(server.requests()).hasSize(1);
        }
    }

    private static WebClient twoFilters(Pipeline outer, Pipeline inner) {
        return WebClient.builder()
                .clientConnector(
                        new ReactorClientHttpConnector(HttpClient.create().followRedirect(true)))
                .filter(HoldfastFilter.of(Pipelines.one(outer)))
                .filter(HoldfastFilter.of(Pipelines.one(inner)))
                .build();
    }

    private Pipeline repeating(int attempts) {
        Pipeline made = Pipeline.of(
                "repeating",
                RetryPolicy.of(r ->
                        r.maxAttempts(attempts).initialBackoff(Duration.ZERO).budgetEnabled(false)));
        open.add(made);
        return made;
    }

    /** What the inner pipeline has sent several times did not come by a redirect. */
    @Test
    void aPostIsRepeatedByBothPipelinesAfterAPushback() {
        try (ScriptedServer server = ScriptedServer.start().answers(429)) {
            var unused = twoFilters(repeating(3), repeating(3))
                    .post()
                    .uri(server.uri("/pay"))
                    .bodyValue("12")
                    .exchangeToMono(ClientResponse::toBodilessEntity)
                    .block();
            assertThat(server.requests()).hasSize(5);
        }
    }

    /** The first host may have done the work. */
    @Test
    void neitherPipelineRepeatsAPostThatWasRedirectedToAPushback() throws IOException {
        AtomicInteger posts = new AtomicInteger();
        AtomicInteger redirected = new AtomicInteger();
        com.sun.net.httpserver.HttpServer server =
                com.sun.net.httpserver.HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/pay", exchange -> {
            posts.incrementAndGet();
            exchange.getRequestBody().readAllBytes();
            exchange.getResponseHeaders().set("Location", "/busy");
            exchange.sendResponseHeaders(307, -1);
            exchange.close();
        });
        server.createContext("/busy", exchange -> {
            redirected.incrementAndGet();
            exchange.getRequestBody().readAllBytes();
            exchange.sendResponseHeaders(429, -1);
            exchange.close();
        });
        server.start();
        try {
            var unused = twoFilters(repeating(3), repeating(3))
                    .post()
                    .uri("http://127.0.0.1:" + server.getAddress().getPort() + "/pay")
                    .bodyValue("12")
                    .exchangeToMono(ClientResponse::toBodilessEntity)
                    .block();
        } finally {
            server.stop(0);
        }
        assertThat(posts).hasValue(1);
        assertThat(redirected).hasValue(1);
    }

    /** The server hears of nothing: it is not to blame. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aPoolWithoutAFreeConnectionIsARejection(boolean noneMayWait) throws IOException {
        List<Outcome> attempts = new CopyOnWriteArrayList<>();
        Pipeline observed = Pipeline.builder("observed")
                .policies(retry())
                .observer(new CallObserver() {
                    @Override
                    public void attemptSettled(
                            String of, @Nullable String operation, int attempt, Outcome outcome, long nanos) {
                        attempts.add(outcome);
                    }
                })
                .build();
        open.add(observed);
        CompletableFuture<ConnectionPoolMetrics> pool = new CompletableFuture<>();
        ConnectionProvider connections = ConnectionProvider.builder("full")
                .metrics(true, () -> registrar(pool))
                .maxConnections(1)
                .pendingAcquireMaxCount(noneMayWait ? 1 : 10)
                .pendingAcquireTimeout(noneMayWait ? Duration.ofMinutes(10) : Duration.ofMillis(1))
                .build();
        WebClient plain = WebClient.builder()
                .clientConnector(new ReactorClientHttpConnector(HttpClient.create(connections)))
                .build();
        try (ServerSocket silent = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            String url = "http://localhost:" + silent.getLocalPort() + "/";
            Disposable.Composite others = Disposables.composite();
            others.add(plain.get().uri(url).retrieve().toBodilessEntity().subscribe());
            // Each on an event loop of its own, so without a look at the pool another one could be the last.
            awaitThat(() -> pool.join().acquiredSize() == 1);
            if (noneMayWait) {
                others.add(plain.get().uri(url).retrieve().toBodilessEntity().subscribe());
                awaitThat(() -> pool.join().pendingAcquireSize() == 1);
            }
            assertThatThrownBy(() -> plain.mutate()
                            .filter(HoldfastFilter.of(Pipelines.one(observed)))
                            .build()
                            .get()
                            .uri(url)
                            .retrieve()
                            .toBodilessEntity()
                            .block())
                    .isInstanceOf(WebClientRequestException.class);
            others.dispose();
        } finally {
            connections.dispose();
        }
        assertThat(attempts).containsExactly(Outcome.REJECTED);
    }

    private static ConnectionProvider.MeterRegistrar registrar(CompletableFuture<ConnectionPoolMetrics> pool) {
        return new ConnectionProvider.MeterRegistrar() {
            @Override
            public void registerMetrics(String name, String id, SocketAddress to, ConnectionPoolMetrics metrics) {
                pool.complete(metrics);
            }

            @Override
            public void deRegisterMetrics(String name, String id, SocketAddress to) {}
        };
    }

    private static void awaitThat(BooleanSupplier holds) {
        while (!holds.getAsBoolean()) {
            Thread.onSpinWait();
        }
    }

    private WebClient client(ExchangeFunction server) {
        return client(server, 256 << 10);
    }

    private WebClient client(ExchangeFunction server, int most) {
        return WebClient.builder()
                .exchangeFunction(request -> {
                    asked.incrementAndGet();
                    return server.exchange(request);
                })
                .filter(HoldfastFilter.of(Pipelines.one(pipeline)).readBodiesUpTo(most))
                .build();
    }

    /** The body of an answer, which counts what is asked of it. */
    private static final class Body extends Flux<DataBuffer> {
        private final List<String> pieces;
        private final boolean ends;
        private final AtomicInteger sent = new AtomicInteger();
        private volatile boolean cancelled;

        Body(boolean ends, String... pieces) {
            this.pieces = List.of(pieces);
            this.ends = ends;
        }

        @Override
        public void subscribe(CoreSubscriber<? super DataBuffer> actual) {
            Flux<DataBuffer> flux = Flux.fromIterable(pieces).map(piece -> {
                sent.incrementAndGet();
                return DefaultDataBufferFactory.sharedInstance.wrap(piece.getBytes(UTF_8));
            });
            (ends ? flux : flux.concatWith(Flux.never()))
                    .doOnCancel(() -> cancelled = true)
                    .subscribe(actual);
        }
    }

    private ClientResponse answer(int status, Body body) {
        bodies.add(body);
        return ClientResponse.create(HttpStatusCode.valueOf(status)).body(body).build();
    }

    private Mono<ClientResponse> answered(int status, String... pieces) {
        return Mono.fromSupplier(() -> answer(status, new Body(true, pieces)));
    }

    private ExchangeFunction statuses(int... statuses) {
        AtomicInteger turn = new AtomicInteger();
        return request -> answered(statuses[Math.min(turn.getAndIncrement(), statuses.length - 1)], "te", "xt");
    }

    private static class Seen extends BaseSubscriber<String> {
        private final List<String> values = new CopyOnWriteArrayList<>();
        private final AtomicReference<Throwable> error = new AtomicReference<>();
        private volatile boolean complete;

        @Override
        protected void hookOnNext(String value) {
            values.add(value);
        }

        @Override
        protected void hookOnError(Throwable thrown) {
            error.set(thrown);
        }

        @Override
        protected void hookOnComplete() {
            complete = true;
        }
    }

    private Seen subscribed(WebClient client) {
        Seen seen = new Seen();
        client.get().uri(URL).retrieve().bodyToMono(String.class).subscribe(seen);
        return seen;
    }

    // ---- calls

    @Test
    void eachSubscriptionIsACallOfItsOwn() {
        Mono<String> mono =
                client(statuses(500, 200, 500, 200)).get().uri(URL).retrieve().bodyToMono(String.class);
        assertThat(asked).hasValue(0);
        for (int i = 1; i <= 2; i++) {
            Seen seen = new Seen();
            mono.subscribe(seen);
            time.run();
            assertThat(seen.values).containsExactly("text");
            assertThat(asked).hasValue(2 * i);
        }
    }

    @Test
    void eachAttemptSeesTheContextOfTheSubscriber() {
        List<String> users = new CopyOnWriteArrayList<>();
        WebClient client = client(request -> Mono.deferContextual(context -> {
            users.add(context.get("user") + request.headers().getFirst("Holdfast-Attempt"));
            return answered(users.size() < 3 ? 500 : 200, "text");
        }));
        Seen seen = new Seen();
        client.get()
                .uri(URL)
                .retrieve()
                .bodyToMono(String.class)
                .contextWrite(context -> context.put("user", "ann"))
                .subscribe(seen);
        time.run();
        assertThat(users).containsExactly("ann1", "ann2", "ann3");
        assertThat(seen.values).containsExactly("text");
    }

    private ClientResponse hears(ClientRequest request, ContextView context) {
        heard.add(request.headers().getFirst("Holdfast-Attempt") + " "
                + request.headers().getFirst("Holdfast-Timeout-Ms"));
        Deadline.Binding before = Deadline.Binding.current();
        Deadline.Binding.set(context.get(Carried.KEY));
        try {
            heard.add("inside " + Deadline.remaining().orElseThrow().toMillis());
        } finally {
            Deadline.Binding.restore(before);
        }
        return answer(200, new Body(true, "text"));
    }

    /** On whichever thread the subscriber is. A cache keeps a little of the time for its answer. */
    @ParameterizedTest
    @CsvSource({"true, 675", "false, 700"})
    void theDeadlineAndTheAttemptInTheContextHold(boolean cached, long left) {
        pipeline = cached ? pipeline(StaleCachePolicy.ofDefaults()) : pipeline();
        Mono<String> answer = client(request -> Mono.deferContextual(context -> Mono.just(hears(request, context))))
                .get()
                .uri(URL)
                .retrieve()
                .bodyToMono(String.class);
        Context captured = Deadline.within(
                time,
                Duration.ofMillis(700),
                () -> Context.of(Carried.KEY, Objects.requireNonNull(Deadline.Binding.current())));
        Seen seen = new Seen();
        answer.contextWrite(captured).subscribe(seen);
        time.run();
        assertThat(seen.values).containsExactly("text");
        assertThat(heard).containsExactly("1 " + left, "inside " + left);
        assertThat(Deadline.remaining()).isEmpty();
    }

    @Test
    void theLastResponseIsTheCallers() {
        Seen seen = subscribed(client(statuses(500, 500, 502)));
        time.run();
        assertThat(seen.error.get()).isInstanceOfSatisfying(WebClientResponseException.class, e -> {
            assertThat(e.getStatusCode().value()).isEqualTo(502);
            assertThat(e.getResponseBodyAsString()).isEqualTo("text");
        });
        assertThat(asked).hasValue(3);
    }

    @ParameterizedTest
    @CsvSource({"true, 3", "false, 1"})
    void anAttributeSaysThatAPostMayBeDoneTwice(boolean idempotent, int attempts) {
        WebClient client = client(statuses(500));
        client.post()
                .uri(URL)
                .attribute(CallAttributes.IDEMPOTENT, idempotent)
                .bodyValue("!")
                .exchangeToMono(ClientResponse::releaseBody)
                .subscribe();
        time.run();
        assertThat(asked).hasValue(attempts);
    }

    @Test
    void anAttributeSaysThatABodyIsSentOnce() {
        WebClient client = client(statuses(500));
        client.put()
                .uri(URL)
                .attribute(CallAttributes.SENT_ONCE, true)
                .bodyValue("!")
                .exchangeToMono(ClientResponse::releaseBody)
                .subscribe();
        time.run();
        assertThat(asked).hasValue(1);
    }

    // ---- errors

    @Test
    void aTimeoutIsAnErrorOfTheRequest() {
        pipeline = pipeline(TimeoutPolicy.of(Duration.ofSeconds(1)));
        Seen seen = subscribed(client(request -> Mono.never()));
        time.run();
        assertThat(seen.error.get())
                .isInstanceOf(WebClientRequestException.class)
                .cause()
                .isInstanceOf(SocketTimeoutException.class)
                .hasCauseInstanceOf(CallTimeoutException.class);
    }

    @Test
    void aRejectionIsAnErrorOfTheRequest() {
        WebClient client = client(statuses(200));
        pipeline.close();
        Seen seen = subscribed(client);
        time.run();
        assertThat(seen.error.get())
                .isInstanceOf(WebClientRequestException.class)
                .cause()
                .isInstanceOf(IOException.class)
                .hasCauseInstanceOf(CallRejectedException.class);
        assertThat(asked).hasValue(0);
    }

    /** It is neither an IOException nor a TimeoutException. */
    @Test
    void aReadTimeoutOfNettyIsAFailureOfTheNetwork() {
        Seen seen = subscribed(client(request -> Mono.error(new WebClientRequestException(
                ReadTimeoutException.INSTANCE, request.method(), request.url(), request.headers()))));
        time.run();
        assertThat(seen.error.get()).hasRootCause(ReadTimeoutException.INSTANCE);
        assertThat(asked).hasValue(3);
    }

    /** Spring wraps it, too, and nothing was wrong with the service. */
    @Test
    void aMistakeOfTheCallersIsNoFailureOfTheNetwork() {
        Seen seen = subscribed(client(request -> Mono.error(new WebClientRequestException(
                new IllegalArgumentException("no host"), request.method(), request.url(), request.headers()))));
        time.run();
        assertThat(seen.error.get()).hasRootCauseMessage("no host");
        assertThat(asked).hasValue(1);
    }

    @Test
    void anErrorOfAnotherFilterIsLeftAsItIs() {
        IllegalStateException own = new IllegalStateException("own");
        Seen seen = subscribed(client(request -> Mono.error(own)));
        time.run();
        assertThat(seen.error.get()).isSameAs(own);
        assertThat(asked).hasValue(1);
    }

    /** As without Holdfast. It is no failure of the service. */
    @Test
    void anExchangeWithoutAResponseIsAnError() {
        Seen seen = subscribed(client(request -> Mono.empty()));
        time.run();
        assertThat(seen.error.get()).isInstanceOf(IllegalStateException.class).hasMessageContaining("without emitting");
        assertThat(asked).hasValue(1);
    }

    // ---- what nobody gets

    @Test
    void aSubscriberThatCancelsCancelsTheAttempt() {
        AtomicInteger cancelled = new AtomicInteger();
        Seen seen = subscribed(client(request -> Mono.<ClientResponse>never().doOnCancel(cancelled::incrementAndGet)));
        time.run();
        seen.cancel();
        time.run();
        assertThat(cancelled).hasValue(1);
        assertThat(asked).hasValue(1);
        assertThat(seen.error.get()).isNull();
    }

    @Test
    void aSubscriberThatCancelsCancelsTheBodyThatIsRead() {
        Seen seen = subscribed(client(request -> Mono.just(answer(200, new Body(false, "te")))));
        time.run();
        assertThat(bodies.get(0).sent).hasValue(1);
        seen.cancel();
        time.run();
        assertThat(bodies.get(0).cancelled).isTrue();
    }

    @Test
    void theBodyOfALosingHedgeIsCancelled() {
        pipeline = pipeline(HedgePolicy.of(h -> h.delay(Duration.ofMillis(20))));
        Seen seen = subscribed(client(request -> Mono.just(answer(200, new Body(!bodies.isEmpty(), "text")))));
        time.run();
        assertThat(seen.values).containsExactly("text");
        assertThat(bodies).extracting(body -> body.cancelled).containsExactly(true, false);
    }

    /** The client takes no notice of the cancellation. */
    @Test
    void aResponseThatComesTooLateIsCancelled() {
        pipeline = pipeline(TimeoutPolicy.of(Duration.ofSeconds(1)));
        AtomicReference<CoreSubscriber<? super ClientResponse>> waiting = new AtomicReference<>();
        Seen seen = subscribed(client(request -> new Mono<>() {
            @Override
            public void subscribe(CoreSubscriber<? super ClientResponse> actual) {
                waiting.set(actual);
                actual.onSubscribe(new Subscription() {
                    @Override
                    public void request(long count) {}

                    @Override
                    public void cancel() {}
                });
            }
        }));
        time.run();
        assertThat(seen.error.get()).isInstanceOf(WebClientRequestException.class);
        waiting.get().onNext(answer(200, new Body(true, "late")));
        assertThat(bodies.get(0).cancelled).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"0", "2"})
    void anUnreadBodyOfAnAttemptThatFailedIsCancelled(int most) {
        AtomicInteger turn = new AtomicInteger();
        WebClient client =
                client(request -> answered(turn.getAndIncrement() == 0 ? 500 : 200, "0123", "4567", "89"), most);
        Seen seen = subscribed(client);
        time.run();
        assertThat(seen.values).containsExactly("0123456789");
        assertThat(bodies).extracting(body -> body.cancelled).containsExactly(true, false);
        assertThat(bodies.get(0).sent.get()).isLessThan(3);
    }

    @Test
    void aBodyThatBreaksOffIsAnAttemptThatFailed() {
        AtomicInteger turn = new AtomicInteger();
        Seen seen = subscribed(client(request -> Mono.just(ClientResponse.create(HttpStatusCode.valueOf(200))
                .body(turn.getAndIncrement() == 0 ? Flux.error(new IOException("broken")) : new Body(true, "text"))
                .build())));
        time.run();
        assertThat(seen.values).containsExactly("text");
        assertThat(asked).hasValue(2);
    }

    // ---- the body

    @ParameterizedTest
    @CsvSource({"0, 0", "1, 1", "4, 2", "9, 3", "10, 3", "100, 3"})
    void whatTheBoundAllowsIsReadAndTheRestFollowsAsItIsAskedFor(int most, int read) {
        AtomicReference<ClientResponse> got = new AtomicReference<>();
        WebClient client = client(request -> answered(200, "0123", "4567", "89"), most);
        Seen seen = new Seen() {
            @Override
            protected void hookOnSubscribe(Subscription subscription) {}
        };
        List<Integer> before = new ArrayList<>();
        client.get()
                .uri(URL)
                .exchangeToFlux(response -> {
                    got.set(response);
                    before.add(bodies.get(0).sent.get());
                    return response.bodyToFlux(DataBuffer.class).map(buffer -> buffer.toString(UTF_8));
                })
                .subscribe(seen);
        time.run();
        assertThat(before).containsExactly(read);
        assertThat(seen.values).isEmpty();
        seen.request(1);
        assertThat(seen.values).hasSize(1);
        seen.request(10);
        assertThat(String.join("", seen.values)).isEqualTo("0123456789");
        assertThat(seen.complete).isTrue();
    }

    @Test
    void theRestOfABodyEndsAsItEnds() {
        Sinks.Many<DataBuffer> sink = Sinks.many().unicast().onBackpressureBuffer();
        WebClient client = client(
                request -> Mono.just(ClientResponse.create(HttpStatusCode.valueOf(200))
                        .body(sink.asFlux())
                        .build()),
                2);
        Seen seen = subscribed(client);
        time.run();
        sink.tryEmitNext(DefaultDataBufferFactory.sharedInstance.wrap("0123".getBytes(UTF_8)))
                .orThrow();
        sink.tryEmitError(new IOException("broken")).orThrow();
        time.run();
        assertThat(seen.error.get()).hasRootCauseMessage("broken");
        assertThat(asked).as("the rest is the caller's own").hasValue(1);
    }

    @Test
    void aCallerThatGivesTheRestUpCancelsIt() {
        Disposable.Swap reading = reactor.core.Disposables.swap();
        WebClient client = client(request -> Mono.just(answer(200, new Body(false, "0123", "4567"))), 2);
        reading.update(client.get()
                .uri(URL)
                .exchangeToFlux(response -> response.bodyToFlux(DataBuffer.class))
                .subscribe());
        time.run();
        assertThat(bodies.get(0).sent).hasValue(2);
        assertThat(bodies.get(0).cancelled).isFalse();
        reading.dispose();
        assertThat(bodies.get(0).cancelled).isTrue();
    }

    /** What is read within the attempt is more than Spring reads into memory, so the reader fails before the rest. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aReaderThatFailsAtTheFirstBytesCancelsTheBody(boolean releases) {
        String piece = "x".repeat(200 << 10);
        WebClient.RequestHeadersSpec<?> request = client(sent -> Mono.just(answer(200, new Body(false, piece, piece))))
                .get()
                .uri(URL);
        Seen seen = new Seen();
        (releases
                        ? request.exchangeToMono(response -> response.bodyToMono(String.class))
                        : request.retrieve().bodyToMono(String.class))
                .subscribe(seen);
        time.run();
        assertThat(seen.error.get()).hasStackTraceContaining(DataBufferLimitException.class.getName());
        assertThat(bodies.get(0).cancelled).isTrue();
        assertThat(asked).hasValue(1);
    }

    @Test
    void aReaderThatLeavesAtTheFirstBytesCancelsTheBody() {
        WebClient client = client(request -> Mono.just(answer(200, new Body(false, "0123", "4567"))), 2);
        client.get()
                .uri(URL)
                .exchangeToMono(
                        response -> response.bodyToFlux(DataBuffer.class).next())
                .subscribe();
        time.run();
        assertThat(bodies.get(0).sent).hasValue(1);
        assertThat(bodies.get(0).cancelled).isTrue();
    }

    @Test
    void theRestOfABodyIsReadOnce() {
        WebClient client = client(request -> answered(200, "0123", "4567"), 2);
        AtomicReference<ClientResponse> got = new AtomicReference<>();
        client.get()
                .uri(URL)
                .exchangeToMono(response -> {
                    got.set(response);
                    return response.bodyToMono(String.class);
                })
                .subscribe();
        time.run();
        assertThatThrownBy(() -> got.get().bodyToMono(String.class).block())
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("the rest of a body can be read once");
    }
}
