/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.CallRejectedException;
import dev.holdfast.Outcome;
import dev.holdfast.Pipeline;
import dev.holdfast.Reason;
import dev.holdfast.retry.RetryPolicy;
import dev.holdfast.spi.CallObserver;
import dev.holdfast.stalecache.StaleCachePolicy;
import java.io.IOException;
import java.lang.reflect.Method;
import java.net.Authenticator;
import java.net.CookieHandler;
import java.net.CookieManager;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpResponse.BodySubscribers;
import java.net.http.HttpResponse.PushPromiseHandler;
import java.net.http.HttpResponse.ResponseInfo;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a client says of itself, and what it is given beside the request. */
class HandedThroughTest {
    private static final URI SOMEWHERE = URI.create("http://localhost:1/");

    static final ResponseInfo INFO = new ResponseInfo() {
        @Override
        public int statusCode() {
            return 200;
        }

        @Override
        public HttpHeaders headers() {
            return HttpHeaders.of(Map.of(), (name, value) -> true);
        }

        @Override
        public HttpClient.Version version() {
            return HttpClient.Version.HTTP_1_1;
        }
    };

    @Test
    void itSaysOfItselfWhatTheClientSays() {
        Executor executor = Runnable::run;
        CookieHandler cookies = new CookieManager();
        Authenticator authenticator = new Authenticator() {};
        ProxySelector proxy = ProxySelector.of(null);
        HttpClient plain = HttpClient.newBuilder()
                .executor(executor)
                .cookieHandler(cookies)
                .authenticator(authenticator)
                .proxy(proxy)
                .connectTimeout(Duration.ofSeconds(7))
                .followRedirects(HttpClient.Redirect.ALWAYS)
                .version(HttpClient.Version.HTTP_1_1)
                .build();
        HttpClient client = HoldfastHttpClient.around(plain, Pipelines.one(Pipeline.of("shop")));
        assertThat(client.executor()).containsSame(executor);
        assertThat(client.cookieHandler()).containsSame(cookies);
        assertThat(client.authenticator()).containsSame(authenticator);
        assertThat(client.proxy()).containsSame(proxy);
        assertThat(client.connectTimeout()).contains(Duration.ofSeconds(7));
        assertThat(client.followRedirects()).isEqualTo(HttpClient.Redirect.ALWAYS);
        assertThat(client.version()).isEqualTo(HttpClient.Version.HTTP_1_1);
        assertThat(client.sslContext()).isSameAs(plain.sslContext());
        assertThat(client.sslParameters().getProtocols())
                .isEqualTo(plain.sslParameters().getProtocols());
        assertThat(client.newWebSocketBuilder()).isNotNull();
        assertThat(client.toString()).contains(plain.toString());
    }

    /** What Java 21 added to a client; on an older JDK there is nothing to ask the client inside. */
    @Test
    void closingItClosesNothingAndItsEndIsThatOfTheClientInside() throws Exception {
        Ending plain = new Ending();
        HoldfastHttpClient client =
                (HoldfastHttpClient) HoldfastHttpClient.around(plain, Pipelines.one(Pipeline.of("shop")));
        Duration day = Duration.ofDays(1);
        client.close();
        if (Runtime.version().feature() < 21) {
            assertThatThrownBy(client::isTerminated).isInstanceOf(UnsupportedOperationException.class);
            assertThatThrownBy(() -> client.awaitTermination(day)).isInstanceOf(UnsupportedOperationException.class);
            return;
        }
        for (String end : new String[] {"shutdown", "shutdownNow", "close"}) {
            HttpClient.class.getMethod(end).invoke(client);
        }
        assertThat(plain.told).isEmpty();
        Method isTerminated = HttpClient.class.getMethod("isTerminated");
        Method await = HttpClient.class.getMethod("awaitTermination", Duration.class);
        for (boolean ended : new boolean[] {false, true}) {
            plain.ended = ended;
            assertThat(isTerminated.invoke(client)).isEqualTo(ended);
            assertThat(await.invoke(client, day)).isEqualTo(ended);
        }
        assertThat(plain.told).containsExactly("await PT24H", "await PT24H");
        plain.interrupted = new InterruptedException("it was");
        assertThatThrownBy(() -> client.awaitTermination(day)).isSameAs(plain.interrupted);
    }

    /** Has the methods of Java 21. */
    @SuppressWarnings({"EffectivelyPrivate", "UnusedMethod"}) // there they override public ones
    private static final class Ending extends HttpClientStub {
        private final List<String> told = new ArrayList<>();
        private boolean ended;
        private @Nullable InterruptedException interrupted;

        @Override
        public <T> CompletableFuture<HttpResponse<T>> sendAsync(
                HttpRequest request, BodyHandler<T> body, PushPromiseHandler<T> promises) {
            throw new UnsupportedOperationException();
        }

        public void shutdown() {
            told.add("shutdown");
        }

        public void shutdownNow() {
            told.add("shutdownNow");
        }

        public void close() {
            told.add("close");
        }

        public boolean isTerminated() {
            return ended;
        }

        public boolean awaitTermination(Duration duration) throws InterruptedException {
            if (interrupted != null) {
                throw interrupted;
            }
            told.add("await " + duration);
            return ended;
        }
    }

    @Test
    void handlersReachTheClient() throws Exception {
        Recording plain = new Recording();
        HttpClient client =
                HoldfastHttpClient.around(plain, Pipelines.one(Pipeline.of("shop", RetryPolicy.ofDefaults())));
        AtomicInteger asked = new AtomicInteger();
        BodyHandler<String> body = info -> {
            asked.incrementAndGet();
            return BodySubscribers.replacing("12");
        };
        PushPromiseHandler<String> pushes = PushPromiseHandler.of(promise -> body, new ConcurrentHashMap<>());
        CompletableFuture<HttpResponse<String>> call =
                client.sendAsync(HttpRequest.newBuilder(SOMEWHERE).build(), body, pushes);
        ((BodyHandler<?>) plain.handler).apply(INFO);
        assertThat(asked).hasValue(1);
        assertThat(plain.pushes).isSameAs(pushes);
        assertThat(call.cancel(true)).isTrue();
        assertThat(plain.exchange).isCancelled();
    }

    /** As the JDK's client says of its futures. */
    @Test
    void toCancelWhatIsMadeOfTheFutureCancelsTheExchange() {
        Recording plain = new Recording();
        HttpClient client =
                HoldfastHttpClient.around(plain, Pipelines.one(Pipeline.of("shop", RetryPolicy.ofDefaults())));
        CompletableFuture<String> body = client.sendAsync(
                        HttpRequest.newBuilder(SOMEWHERE).build(), BodyHandlers.ofString())
                .thenApply(HttpResponse::body);
        assertThat(body.cancel(true)).isTrue();
        assertThat(plain.exchange).isCancelled();
    }

    /** With and without a cache: the permit of an attempt is back, and nothing is repeated. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void toCompleteTheFutureFromOutsideGivesUpTheCall(boolean cached) {
        List<Consumer<CompletableFuture<HttpResponse<String>>>> ways = List.of(
                call -> call.completeExceptionally(new TimeoutException()), // as orTimeout
                call -> call.complete(null), // as completeOnTimeout
                call -> call.completeAsync(() -> null, Runnable::run));
        for (Consumer<CompletableFuture<HttpResponse<String>>> way : ways) {
            Recording plain = new Recording();
            List<Outcome> attempts = new ArrayList<>();
            Pipeline.Builder shop = Pipeline.builder("shop").observer(new CallObserver() {
                @Override
                public void attemptSettled(
                        String pipeline, @Nullable String operation, int attempt, Outcome outcome, long nanos) {
                    attempts.add(outcome);
                }
            });
            Pipeline pipeline = (cached
                            ? shop.policies(StaleCachePolicy.ofDefaults(), RetryPolicy.ofDefaults())
                            : shop.policies(RetryPolicy.ofDefaults()))
                    .build();
            HttpClient client = HoldfastHttpClient.around(plain, Pipelines.one(pipeline));
            CompletableFuture<HttpResponse<String>> call =
                    client.sendAsync(HttpRequest.newBuilder(SOMEWHERE).build(), BodyHandlers.ofString());
            List<Boolean> wasOver = new ArrayList<>();
            var unused = call.whenComplete((response, error) -> wasOver.add(attempts.size() == 1));
            way.accept(call);

            assertThat(plain.exchange).isCancelled();
            assertThat(wasOver).as("before the stages that depend on it").containsExactly(true);
            assertThat(attempts).hasSize(1);
        }
    }

    /** The client may be one around another, with a pipeline of its own. */
    @Test
    void aRejectionOfTheClientAfterTheRequestWasSentIsAnIOException() {
        CallRejectedException rejection =
                new CallRejectedException(Reason.CIRCUIT_OPEN, "inner", "circuit-breaker", "it is open", -1, null);
        HttpClient plain = new HttpClientStub() {
            @Override
            public <T> HttpResponse<T> send(HttpRequest request, BodyHandler<T> body) {
                request.bodyPublisher().orElseThrow().contentLength();
                throw rejection;
            }

            @Override
            public <T> CompletableFuture<HttpResponse<T>> sendAsync(
                    HttpRequest request, BodyHandler<T> body, PushPromiseHandler<T> promises) {
                throw rejection;
            }
        };
        HttpClient client = HoldfastHttpClient.around(plain, Pipelines.one(Pipeline.of("shop")));
        HttpRequest request = HttpRequest.newBuilder(SOMEWHERE)
                .POST(HttpRequest.BodyPublishers.ofString("12"))
                .build();
        assertThatThrownBy(() -> client.send(request, BodyHandlers.discarding()))
                .isExactlyInstanceOf(IOException.class)
                .hasCause(rejection);
    }

    @Test
    void theServiceIsToldTheTimeOfTheRequestIfItIsShorter() {
        Recording plain = new Recording();
        HttpClient client = HoldfastHttpClient.around(plain, Pipelines.one(Pipeline.standard("shop")));
        HttpRequest request = HttpRequest.newBuilder(SOMEWHERE)
                .timeout(Duration.ofMillis(500))
                .build();
        CompletableFuture<?> call = client.sendAsync(request, BodyHandlers.discarding());
        assertThat(plain.sent.firstValueAsLong("Holdfast-Timeout-Ms").orElseThrow())
                .isBetween(0L, 500L);
        assertThat(plain.sent.firstValue("Holdfast-Attempt")).contains("1");
        call.cancel(true);
        HttpRequest patient = HttpRequest.newBuilder(SOMEWHERE)
                .timeout(Duration.ofDays(1_000))
                .build();
        client.sendAsync(patient, BodyHandlers.discarding()).cancel(true);
        assertThat(plain.sent.firstValueAsLong("Holdfast-Timeout-Ms").orElseThrow())
                .as("the pipeline's")
                .isGreaterThan(500L);
    }

    @Test
    void withoutARequestOrAHandlerItFailsAtOnce() {
        HttpClient client = HoldfastHttpClient.around(HttpClient.newHttpClient(), Pipelines.one(Pipeline.of("shop")));
        HttpRequest request = HttpRequest.newBuilder(SOMEWHERE).build();
        assertThatThrownBy(() -> client.sendAsync(request, null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> client.send(null, BodyHandlers.discarding())).isInstanceOf(NullPointerException.class);
    }

    /** Does nothing, and remembers what it was given. */
    private static final class Recording extends HttpClientStub {
        private final CompletableFuture<?> exchange = new CompletableFuture<>();
        private Object handler = "";
        private @Nullable Object pushes = "";
        private HttpHeaders sent = INFO.headers();

        @Override
        public <T> CompletableFuture<HttpResponse<T>> sendAsync(HttpRequest request, BodyHandler<T> body) {
            return sendAsync(request, body, null);
        }

        @Override
        @SuppressWarnings("unchecked") // never completed
        public <T> CompletableFuture<HttpResponse<T>> sendAsync(
                HttpRequest request, BodyHandler<T> body, @Nullable PushPromiseHandler<T> promises) {
            sent = request.headers();
            handler = body;
            pushes = promises;
            return (CompletableFuture<HttpResponse<T>>) exchange;
        }
    }
}
