/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.Pipeline;
import dev.holdfast.spi.Policy;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testing.http.HttpClientContract;
import dev.holdfast.testing.http.HttpClientUnderTest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;
import org.apache.hc.client5.http.classic.methods.HttpUriRequestBase;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.io.entity.ByteArrayEntity;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.core5.http.io.entity.InputStreamEntity;
import org.junit.jupiter.api.DisplayName;

/** The contract, for Apache's classic client. It has no asynchronous way of its own: threads take its place. */
@DisplayName("Apache")
class HoldfastExecTest extends HttpClientContract {
    @Override
    protected Policy staleCache() {
        return StaleCachePolicy.of(c -> c.staleIfSlow(Duration.ZERO));
    }

    @Override
    protected HttpClientUnderTest client(Function<String, Pipeline> pipelines) {
        HoldfastExec exec = HoldfastExec.of(
                pipelines::apply,
                options -> options.partition(request -> {
                    Header user = request.getFirstHeader("X-User");
                    return user == null ? null : user.getValue();
                }));
        return new ClassicClient(client(exec), client(exec.readBodiesUpTo(0)), Executors.newFixedThreadPool(32));
    }

    private CloseableHttpClient client(HoldfastExec exec) {
        return exec.addTo(HttpClients.custom())
                .addExecInterceptorLast("inside", (request, scope, chain) -> {
                    inside();
                    return chain.proceed(request, scope);
                })
                .addRequestInterceptorLast((request, body, context) -> inside())
                .build();
    }

    private record ClassicClient(CloseableHttpClient client, CloseableHttpClient streaming, ExecutorService threads)
            implements HttpClientUnderTest {
        private static HttpUriRequestBase request(Request request) {
            HttpUriRequestBase made = new HttpUriRequestBase(request.method(), request.uri());
            request.headers().forEach(made::setHeader);
            String text = request.body();
            if (text != null) {
                byte[] bytes = text.getBytes(UTF_8);
                made.setEntity(
                        request.once()
                                ? new InputStreamEntity(new ByteArrayInputStream(bytes), bytes.length, null)
                                : new ByteArrayEntity(bytes, null));
            }
            return made;
        }

        private static Response response(ClassicHttpResponse response) throws IOException {
            Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
            for (var header : response.getHeaders()) {
                headers.putIfAbsent(header.getName(), header.getValue());
            }
            HttpEntity body = response.getEntity();
            return new Response(
                    response.getCode(), headers, body == null ? "" : new String(EntityUtils.toByteArray(body), UTF_8));
        }

        @Override
        public Response send(Request request) throws IOException {
            return client.execute(request(request), ClassicClient::response);
        }

        @Override
        public Exchange sendAsync(Request request) {
            HttpUriRequestBase sent = request(request);
            CompletableFuture<Response> answer = new CompletableFuture<>();
            threads.execute(() -> {
                try {
                    answer.complete(client.execute(sent, ClassicClient::response));
                } catch (Throwable e) {
                    answer.completeExceptionally(e);
                }
            });
            return new Exchange(answer, sent::cancel);
        }

        @Override
        public int sendAndCloseStream(Request request) throws IOException {
            try (ClassicHttpResponse response = streaming.executeOpen(null, request(request), null)) {
                return response.getCode();
            }
        }

        @Override
        public void close() throws IOException {
            threads.shutdown();
            client.close();
            streaming.close();
        }
    }
}
