/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Pipeline;
import dev.holdfast.spi.Policy;
import dev.holdfast.stalecache.StaleCachePolicy;
import dev.holdfast.testing.http.HttpClientContract;
import dev.holdfast.testing.http.HttpClientUnderTest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.function.Function;
import org.apache.hc.client5.http.async.methods.SimpleHttpRequest;
import org.apache.hc.client5.http.async.methods.SimpleHttpResponse;
import org.apache.hc.client5.http.async.methods.SimpleRequestProducer;
import org.apache.hc.client5.http.async.methods.SimpleResponseConsumer;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManagerBuilder;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.message.BasicHttpRequest;
import org.apache.hc.core5.http.nio.AsyncRequestProducer;
import org.apache.hc.core5.http.nio.AsyncResponseConsumer;
import org.apache.hc.core5.http.nio.CapacityChannel;
import org.apache.hc.core5.http.nio.entity.AsyncEntityProducerWrapper;
import org.apache.hc.core5.http.nio.entity.BasicAsyncEntityProducer;
import org.apache.hc.core5.http.nio.support.BasicRequestProducer;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;

/** The contract, for Apache's asynchronous client. It has no blocking way of its own: a wait for the future takes its place. */
@DisplayName("Apache, asynchronous")
class HoldfastAsyncExecTest extends HttpClientContract {
    private final List<PoolingAsyncClientConnectionManager> pools = new ArrayList<>();

    @Override
    protected Policy staleCache() {
        return StaleCachePolicy.of(c -> c.staleIfSlow(Duration.ZERO));
    }

    @Override
    protected HttpClientUnderTest client(Function<String, Pipeline> pipelines) {
        HoldfastAsyncExec exec = HoldfastAsyncExec.of(
                pipelines::apply,
                options -> options.partition(request -> {
                    Header user = request.getFirstHeader("X-User");
                    return user == null ? null : user.getValue();
                }));
        return new AsyncClient(client(exec), client(exec.readBodiesUpTo(0)));
    }

    private CloseableHttpAsyncClient client(HoldfastAsyncExec exec) {
        PoolingAsyncClientConnectionManager pool =
                PoolingAsyncClientConnectionManagerBuilder.create().build();
        pools.add(pool);
        CloseableHttpAsyncClient made = exec.addTo(
                        HttpAsyncClients.custom().setConnectionManager(pool).setConnectionManagerShared(true))
                .addExecInterceptorLast("inside", (request, body, scope, chain, callback) -> {
                    inside();
                    chain.proceed(request, body, scope, callback);
                })
                .addRequestInterceptorLast((request, body, context) -> inside())
                .build();
        made.start();
        return made;
    }

    /** Whatever the case was: each attempt gives its connection back. */
    @AfterEach
    void noConnectionIsLeased() {
        assertThat(pools).isNotEmpty();
        for (PoolingAsyncClientConnectionManager pool : pools) {
            assertThat(Pools.isIdle(pool)).as("pool %s", pool.getTotalStats()).isTrue();
            pool.close();
        }
    }

    private record AsyncClient(CloseableHttpAsyncClient client, CloseableHttpAsyncClient streaming)
            implements HttpClientUnderTest {
        private static AsyncRequestProducer request(Request request) {
            String text = request.body();
            if (text != null && request.once()) {
                BasicHttpRequest made = new BasicHttpRequest(request.method(), request.uri());
                request.headers().forEach(made::setHeader);
                return new BasicRequestProducer(
                        made, new Once(new BasicAsyncEntityProducer(text.getBytes(UTF_8), ContentType.TEXT_PLAIN)));
            }
            SimpleHttpRequest made = new SimpleHttpRequest(request.method(), request.uri());
            request.headers().forEach(made::setHeader);
            if (text != null) {
                made.setBody(text.getBytes(UTF_8), ContentType.TEXT_PLAIN);
            }
            return SimpleRequestProducer.create(made);
        }

        private static Response response(SimpleHttpResponse response) {
            Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
            for (Header header : response.getHeaders()) {
                headers.putIfAbsent(header.getName(), header.getValue());
            }
            byte[] body = response.getBodyBytes();
            return new Response(response.getCode(), headers, body == null ? "" : new String(body, UTF_8));
        }

        @Override
        public Response send(Request request) throws IOException, InterruptedException {
            Exchange exchange = sendAsync(request);
            try {
                return exchange.response().get();
            } catch (InterruptedException e) {
                exchange.cancel().run();
                throw e;
            } catch (ExecutionException e) {
                if (e.getCause() instanceof IOException io) {
                    throw io;
                }
                throw new AssertionError("not an IOException", e.getCause());
            }
        }

        @Override
        public Exchange sendAsync(Request request) {
            CompletableFuture<Response> answer = new CompletableFuture<>();
            Future<?> sent = client.execute(request(request), SimpleResponseConsumer.create(), new FutureCallback<>() {
                @Override
                public void completed(SimpleHttpResponse response) {
                    answer.complete(response(response));
                }

                @Override
                public void failed(Exception e) {
                    answer.completeExceptionally(e);
                }

                @Override
                public void cancelled() {
                    answer.cancel(false);
                }
            });
            return new Exchange(answer, () -> sent.cancel(true));
        }

        @Override
        public int sendAndCloseStream(Request request) throws IOException, InterruptedException {
            Status status = new Status();
            Future<?> sent = streaming.execute(request(request), status, null);
            try {
                return status.code.get();
            } catch (ExecutionException e) {
                throw new IOException(e.getCause());
            } finally {
                sent.cancel(true);
            }
        }

        @Override
        public void close() throws IOException {
            client.close();
            streaming.close();
        }
    }

    /** A producer that cannot begin anew. */
    private static final class Once extends AsyncEntityProducerWrapper {
        Once(BasicAsyncEntityProducer producer) {
            super(producer);
        }

        @Override
        public boolean isRepeatable() {
            return false;
        }
    }

    /** Needs nothing but the status. */
    private static final class Status implements AsyncResponseConsumer<Void> {
        private final CompletableFuture<Integer> code = new CompletableFuture<>();

        @Override
        public void consumeResponse(
                HttpResponse response,
                @Nullable EntityDetails details,
                HttpContext context,
                FutureCallback<Void> result) {
            code.complete(response.getCode());
        }

        @Override
        public void informationResponse(HttpResponse response, HttpContext context) {}

        @Override
        public void failed(Exception cause) {
            code.completeExceptionally(cause);
        }

        @Override
        public void updateCapacity(CapacityChannel channel) {}

        @Override
        public void consume(ByteBuffer bytes) {}

        @Override
        public void streamEnd(@Nullable List<? extends Header> trailers) {}

        @Override
        public void releaseResources() {}
    }
}
