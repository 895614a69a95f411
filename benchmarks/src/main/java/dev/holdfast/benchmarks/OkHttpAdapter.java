/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import dev.holdfast.http.PipelinePerAuthority;
import dev.holdfast.okhttp.HoldfastCallFactory;
import java.io.IOException;
import okhttp3.Call;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.ResponseBody;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/** A GET with OkHttp, where an interceptor has the answer already: bare, and with the standard pipeline of its host around it. */
@SuppressWarnings("NullAway.Init") // JMH fills the parameters, the set-up the rest
public class OkHttpAdapter extends Measured {
    private static final MediaType TEXT = MediaType.get("text/plain");

    @Param({"bare", "holdfast"})
    public String client;

    private final Request request =
            new Request.Builder().url("http://127.0.0.1:8080/stock/1").build();

    private PipelinePerAuthority pipelines;
    private Call.Factory calls;

    @Setup
    public void build() {
        OkHttpClient plain = new OkHttpClient.Builder()
                .addInterceptor(chain -> new Response.Builder()
                        .request(chain.request())
                        .protocol(Protocol.HTTP_1_1)
                        .code(200)
                        .message("OK")
                        .body(ResponseBody.create("12", TEXT))
                        .build())
                .build();
        pipelines = PipelinePerAuthority.standard("shops");
        calls = client.equals("bare") ? plain : HoldfastCallFactory.around(plain, pipelines);
    }

    @TearDown
    public void close() {
        pipelines.close();
    }

    @Benchmark
    public String execute() throws IOException {
        try (Response response = calls.newCall(request).execute()) {
            return response.body().string();
        }
    }
}
