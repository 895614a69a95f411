/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.okhttp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.http.PipelinePerAuthority;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import okhttp3.Call;
import okhttp3.Callback;
import okhttp3.Dispatcher;
import okhttp3.Interceptor;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.ResponseBody;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** With the dispatcher of the page docs/http.md, hosts that hang hold no request to another one: the default sends 64 in all. */
class SlowHostsTest {
    private static final int SLOW_HOSTS = 7;
    private static final int OF_EACH = 10;

    private final CountDownLatch arrived = new CountDownLatch(SLOW_HOSTS * OF_EACH);
    private final CountDownLatch goOn = new CountDownLatch(1);
    private final PipelinePerAuthority shops = PipelinePerAuthority.of("shops", p -> p.template(b -> b));
    private final Dispatcher dispatcher = new Dispatcher();

    @AfterEach
    void close() {
        goOn.countDown();
        shops.close();
        dispatcher.executorService().shutdown();
    }

    private Response answer(Interceptor.Chain chain) throws IOException {
        if (chain.request().url().host().startsWith("slow")) {
            arrived.countDown();
            if (!await(goOn)) {
                throw new IOException("nobody went on");
            }
        }
        return new Response.Builder()
                .request(chain.request())
                .protocol(Protocol.HTTP_1_1)
                .code(200)
                .message("OK")
                .body(ResponseBody.create("12", null))
                .build();
    }

    @Test
    void slowHostsHoldNoRequestToAnotherOne() {
        dispatcher.setMaxRequestsPerHost(OF_EACH);
        dispatcher.setMaxRequests(Integer.MAX_VALUE);
        Call.Factory calls = HoldfastCallFactory.around(
                new OkHttpClient.Builder()
                        .dispatcher(dispatcher)
                        .addInterceptor(this::answer)
                        .build(),
                shops);
        List<CompletableFuture<Integer>> held = new ArrayList<>();
        for (int i = 0; i < SLOW_HOSTS * OF_EACH; i++) {
            held.add(status(calls, "http://slow-" + i % SLOW_HOSTS));
        }
        assertThat(await(arrived)).isTrue();
        assertThat(status(calls, "http://well").join()).isEqualTo(200);
        assertThat(held).allSatisfy(one -> assertThat(one).isNotDone());
        goOn.countDown();
        assertThat(held).allSatisfy(one -> assertThat(one.join()).isEqualTo(200));
    }

    private static CompletableFuture<Integer> status(Call.Factory calls, String address) {
        CompletableFuture<Integer> status = new CompletableFuture<>();
        calls.newCall(new Request.Builder().url(address).build()).enqueue(new Callback() {
            @Override
            public void onFailure(Call call, IOException e) {
                status.completeExceptionally(e);
            }

            @Override
            public void onResponse(Call call, Response response) {
                response.close();
                status.complete(response.code());
            }
        });
        return status;
    }

    private static boolean await(CountDownLatch latch) {
        try {
            return latch.await(1, TimeUnit.MINUTES);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
