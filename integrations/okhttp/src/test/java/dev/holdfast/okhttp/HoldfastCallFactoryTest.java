/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.okhttp;

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
import java.util.concurrent.Executors;
import java.util.function.Function;
import okhttp3.Call;
import okhttp3.Callback;
import okhttp3.Dispatcher;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.RequestBody;
import okio.BufferedSink;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;

/** The contract, for OkHttp. */
@DisplayName("OkHttp")
class HoldfastCallFactoryTest extends HttpClientContract {
    @Override
    protected Policy staleCache() {
        return StaleCachePolicy.of(c -> c.staleIfSlow(Duration.ZERO));
    }

    @Override
    protected HttpClientUnderTest client(Function<String, Pipeline> pipelines) {
        // What is no IOException, OkHttp throws on the dispatcher's thread once more.
        OkHttpClient plain = new OkHttpClient.Builder()
                .dispatcher(new Dispatcher(Executors.newCachedThreadPool(task -> {
                    Thread thread = new Thread(task);
                    thread.setUncaughtExceptionHandler((of, thrown) -> {});
                    return thread;
                })))
                .addInterceptor(chain -> {
                    inside();
                    return chain.proceed(chain.request());
                })
                .build();
        return new OkClient(
                plain,
                HoldfastCallFactory.around(
                        plain, pipelines::apply, options -> options.partition(request -> request.header("X-User"))));
    }

    private record OkClient(OkHttpClient plain, HoldfastCallFactory calls) implements HttpClientUnderTest {
        private static okhttp3.Request request(Request request) {
            okhttp3.Request.Builder builder =
                    new okhttp3.Request.Builder().url(request.uri().toString());
            request.headers().forEach(builder::header);
            return builder.method(request.method(), body(request)).build();
        }

        private static @Nullable RequestBody body(Request request) {
            String text = request.body();
            if (text == null) {
                return null;
            }
            return request.once() ? new Once(text) : RequestBody.create(text.getBytes(UTF_8));
        }

        private static Response response(okhttp3.Response response) throws IOException {
            Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
            response.headers().names().forEach(name -> headers.put(name, response.header(name)));
            return new Response(response.code(), headers, response.body().string());
        }

        @Override
        public Response send(Request request) throws IOException {
            return response(calls.newCall(request(request)).execute());
        }

        @Override
        public Exchange sendAsync(Request request) {
            CompletableFuture<Response> answer = new CompletableFuture<>();
            Call call = calls.newCall(request(request));
            call.enqueue(new Callback() {
                @Override
                public void onFailure(Call failed, IOException e) {
                    answer.completeExceptionally(e);
                }

                @Override
                public void onResponse(Call answered, okhttp3.Response response) {
                    try {
                        answer.complete(response(response));
                    } catch (Throwable e) {
                        answer.completeExceptionally(e);
                    }
                }
            });
            return new Exchange(answer, call::cancel);
        }

        @Override
        public int sendAndCloseStream(Request request) throws IOException {
            try (okhttp3.Response response =
                    calls.readBodiesUpTo(0).newCall(request(request)).execute()) {
                return response.code();
            }
        }

        @Override
        public void close() {
            plain.dispatcher().executorService().shutdown();
            plain.connectionPool().evictAll();
        }
    }

    private static final class Once extends RequestBody {
        private final String text;

        Once(String text) {
            this.text = text;
        }

        @Override
        public @Nullable MediaType contentType() {
            return null;
        }

        @Override
        public boolean isOneShot() {
            return true;
        }

        @Override
        public void writeTo(BufferedSink sink) throws IOException {
            sink.writeUtf8(text);
        }
    }
}
