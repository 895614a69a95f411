/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spring;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.Pipeline;
import dev.holdfast.spi.Policy;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testing.http.HttpClientContract;
import dev.holdfast.testing.http.HttpClientUnderTest;
import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import org.springframework.http.HttpMethod;
import org.springframework.http.client.ClientHttpRequestFactory;
import org.springframework.http.client.ClientHttpResponse;
import org.springframework.web.client.ResourceAccessException;
import org.springframework.web.client.RestClient;

/** The contract, for RestClient. It has no asynchronous way of its own: threads take its place. */
abstract class BlockingContract extends HttpClientContract {
    /** A factory, and what closes its client. */
    record Made(ClientHttpRequestFactory factory, Closeable closing) {}

    abstract Made factory();

    @Override
    protected Policy staleCache() {
        return StaleCachePolicy.of(c -> c.staleIfSlow(Duration.ZERO));
    }

    @Override
    protected HttpClientUnderTest client(Function<String, Pipeline> pipelines) {
        HoldfastInterceptor interceptor = HoldfastInterceptor.of(
                pipelines::apply,
                options -> options.partition(request -> request.getHeaders().getFirst("X-User")));
        Made made = factory();
        return new Client(
                client(made, interceptor),
                client(made, interceptor.readBodiesUpTo(0)),
                Executors.newFixedThreadPool(32),
                made.closing());
    }

    private RestClient client(Made made, HoldfastInterceptor interceptor) {
        return RestClient.builder()
                .requestFactory(made.factory())
                .requestInterceptor(interceptor)
                .requestInterceptor((request, body, execution) -> {
                    inside();
                    return execution.execute(request, body);
                })
                .build();
    }

    private record Client(RestClient client, RestClient streaming, ExecutorService threads, Closeable closing)
            implements HttpClientUnderTest {
        private static <T> T exchange(
                RestClient client,
                Request request,
                RestClient.RequestHeadersSpec.RequiredValueExchangeFunction<T> function)
                throws IOException {
            RestClient.RequestBodySpec asked =
                    client.method(HttpMethod.valueOf(request.method())).uri(request.uri());
            request.headers().forEach(asked::header);
            String text = request.body();
            if (text != null) {
                asked.body(text.getBytes(UTF_8));
            }
            if (request.once()) {
                asked.attribute(CallAttributes.SENT_ONCE, true);
            }
            try {
                return asked.exchangeForRequiredValue(function);
            } catch (ResourceAccessException e) {
                throw (IOException) e.getCause();
            }
        }

        private static Response response(ClientHttpResponse response) throws IOException {
            Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
            response.getHeaders().forEach((name, values) -> headers.put(name, values.get(0)));
            return new Response(
                    response.getStatusCode().value(),
                    headers,
                    new String(response.getBody().readAllBytes(), UTF_8));
        }

        @Override
        public Response send(Request request) throws IOException {
            return exchange(client, request, (sent, response) -> response(response));
        }

        @Override
        public Exchange sendAsync(Request request) {
            CompletableFuture<Response> answer = new CompletableFuture<>();
            Future<?> sending = threads.submit(() -> {
                try {
                    answer.complete(send(request));
                } catch (Throwable e) {
                    answer.completeExceptionally(e);
                }
            });
            return new Exchange(answer, () -> sending.cancel(true));
        }

        @Override
        public int sendAndCloseStream(Request request) throws IOException {
            return exchange(
                    streaming,
                    request,
                    (sent, response) -> response.getStatusCode().value());
        }

        @Override
        public void close() throws IOException {
            threads.shutdown();
            closing.close();
        }
    }
}
