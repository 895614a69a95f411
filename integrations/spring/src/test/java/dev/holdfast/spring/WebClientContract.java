/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.Pipeline;
import dev.holdfast.spi.Policy;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testing.http.HttpClientContract;
import dev.holdfast.testing.http.HttpClientUnderTest;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.springframework.http.HttpMethod;
import org.springframework.http.client.reactive.ClientHttpConnector;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.reactive.function.client.WebClientRequestException;
import reactor.core.Disposable;
import reactor.core.publisher.Mono;

/** The contract, for WebClient. */
abstract class WebClientContract extends HttpClientContract {
    /** A connector, and what closes its client. */
    record Made(ClientHttpConnector connector, Runnable closing) {}

    abstract Made connector();

    /** The client below follows them, and asks for the body anew at best. */
    @Override
    protected boolean seesWhereRedirectsLead() {
        return false;
    }

    @Override
    protected Policy staleCache() {
        return StaleCachePolicy.of(c -> c.staleIfSlow(Duration.ZERO));
    }

    @Override
    protected HttpClientUnderTest client(Function<String, Pipeline> pipelines) {
        HoldfastFilter filter = HoldfastFilter.of(
                pipelines::apply,
                options -> options.partition(request -> request.headers().getFirst("X-User")));
        Made made = connector();
        return new Client(client(made, filter), client(made, filter.readBodiesUpTo(0)), made.closing());
    }

    private WebClient client(Made made, HoldfastFilter filter) {
        return WebClient.builder()
                .clientConnector(made.connector())
                .codecs(codecs -> codecs.defaultCodecs().maxInMemorySize(-1))
                .filter(filter)
                .filter((request, next) -> {
                    inside();
                    return next.exchange(request);
                })
                .build();
    }

    private record Client(WebClient client, WebClient streaming, Runnable closing) implements HttpClientUnderTest {
        private static <T> Mono<T> exchange(
                WebClient client, Request request, Function<ClientResponse, Mono<T>> function) {
            WebClient.RequestBodySpec asked =
                    client.method(HttpMethod.valueOf(request.method())).uri(request.uri());
            request.headers().forEach(asked::header);
            String text = request.body();
            if (text != null) {
                asked.bodyValue(text.getBytes(UTF_8));
            }
            if (request.once()) {
                asked.attribute(CallAttributes.SENT_ONCE, true);
            }
            return asked.exchangeToMono(function)
                    .onErrorMap(error -> error instanceof WebClientRequestException && error.getCause() != null
                            ? error.getCause()
                            : error);
        }

        private static Mono<Response> response(ClientResponse response) {
            Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
            response.headers().asHttpHeaders().forEach((name, values) -> headers.put(name, values.get(0)));
            return response.bodyToMono(byte[].class)
                    .defaultIfEmpty(new byte[0])
                    .map(bytes -> new Response(response.statusCode().value(), headers, new String(bytes, UTF_8)));
        }

        private static <T> T blocking(Mono<T> mono) throws IOException, InterruptedException {
            try {
                T value = mono.block();
                if (value == null) {
                    throw new AssertionError("no answer");
                }
                return value;
            } catch (RuntimeException e) {
                Throwable cause = e.getCause();
                if (cause instanceof IOException io) {
                    throw io;
                }
                if (cause instanceof InterruptedException interrupted) {
                    throw interrupted;
                }
                throw e;
            }
        }

        @Override
        public Response send(Request request) throws IOException, InterruptedException {
            return blocking(exchange(client, request, Client::response));
        }

        @Override
        public Exchange sendAsync(Request request) {
            CompletableFuture<Response> answer = new CompletableFuture<>();
            Disposable sending = exchange(client, request, Client::response)
                    .subscribe(answer::complete, answer::completeExceptionally);
            return new Exchange(answer, sending::dispose);
        }

        @Override
        public int sendAndCloseStream(Request request) throws IOException, InterruptedException {
            return blocking(exchange(
                    streaming,
                    request,
                    response -> response.releaseBody()
                            .thenReturn(response.statusCode().value())));
        }

        @Override
        public void close() {
            closing.run();
        }
    }
}
