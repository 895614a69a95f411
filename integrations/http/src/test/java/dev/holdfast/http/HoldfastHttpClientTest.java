/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.Pipeline;
import dev.holdfast.spi.Policy;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testing.http.HttpClientContract;
import dev.holdfast.testing.http.HttpClientUnderTest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;

/** The contract, for {@code java.net.http}. */
@DisplayName("java.net.http")
class HoldfastHttpClientTest extends HttpClientContract {
    @Override
    protected Policy staleCache() {
        return StaleCachePolicy.of(c -> c.staleIfSlow(Duration.ZERO));
    }

    @Override
    protected HttpClientUnderTest client(Function<String, Pipeline> pipelines) {
        HttpClient plain = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NORMAL)
                .build();
        return new JdkClient(HoldfastHttpClient.around(
                new Inside(plain),
                pipelines::apply,
                options -> options.partition(
                        request -> request.headers().firstValue("X-User").orElse(null))));
    }

    /** A client around the JDK's, and inside the adapter. */
    private final class Inside extends HttpClientStub {
        private final HttpClient client;

        Inside(HttpClient client) {
            this.client = client;
        }

        @Override
        public Redirect followRedirects() {
            return client.followRedirects();
        }

        @Override
        public <T> HttpResponse<T> send(HttpRequest request, HttpResponse.BodyHandler<T> handler)
                throws IOException, InterruptedException {
            inside();
            return client.send(request, handler);
        }

        @Override
        public <T> CompletableFuture<HttpResponse<T>> sendAsync(
                HttpRequest request, HttpResponse.BodyHandler<T> handler) {
            return sendAsync(request, handler, null);
        }

        @Override
        public <T> CompletableFuture<HttpResponse<T>> sendAsync(
                HttpRequest request,
                HttpResponse.BodyHandler<T> handler,
                HttpResponse.@Nullable PushPromiseHandler<T> pushes) {
            inside();
            return client.sendAsync(request, handler, pushes);
        }
    }

    private record JdkClient(HttpClient client) implements HttpClientUnderTest {
        private static HttpRequest request(Request request) {
            HttpRequest.Builder builder = HttpRequest.newBuilder(request.uri());
            request.headers().forEach(builder::header);
            return builder.method(request.method(), body(request)).build();
        }

        private static BodyPublisher body(Request request) {
            String body = request.body();
            if (body == null) {
                return BodyPublishers.noBody();
            }
            InputStream stream = new ByteArrayInputStream(body.getBytes(UTF_8));
            return request.once() ? BodyPublishers.ofInputStream(() -> stream) : BodyPublishers.ofString(body);
        }

        private static Response response(HttpResponse<String> response) {
            Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
            response.headers().map().forEach((name, values) -> headers.put(name, values.get(0)));
            return new Response(response.statusCode(), headers, response.body());
        }

        @Override
        public Response send(Request request) throws IOException, InterruptedException {
            return response(client.send(request(request), BodyHandlers.ofString()));
        }

        @Override
        public Exchange sendAsync(Request request) {
            CompletableFuture<HttpResponse<String>> sent = client.sendAsync(request(request), BodyHandlers.ofString());
            return new Exchange(sent.thenApply(JdkClient::response), () -> sent.cancel(true));
        }

        @Override
        public int sendAndCloseStream(Request request) throws IOException, InterruptedException {
            HttpResponse<InputStream> response = client.send(request(request), BodyHandlers.ofInputStream());
            response.body().close();
            return response.statusCode();
        }

        @Override
        public void close() {}
    }
}
