/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.okhttp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Pipeline;
import dev.holdfast.http.Pipelines;
import dev.holdfast.retry.RetryPolicy;
import java.io.IOException;
import java.net.Proxy;
import mockwebserver3.Dispatcher;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import mockwebserver3.RecordedRequest;
import okhttp3.Authenticator;
import okhttp3.Call;
import okhttp3.Credentials;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A proxy that gives no tunnel: OkHttp throws. */
class RefusedByProxyTest {
    private final MockWebServer proxy = new MockWebServer();
    private final Pipeline pipeline =
            Pipeline.of("proxied", RetryPolicy.of(r -> r.maxAttempts(3).budgetEnabled(false)));

    @BeforeEach
    void start() throws IOException {
        proxy.setDispatcher(new Dispatcher() {
            @Override
            public MockResponse dispatch(RecordedRequest request) {
                return new MockResponse.Builder()
                        .code(407)
                        .addHeader("Proxy-Authenticate", "Basic realm=\"a\"")
                        .addHeader("Connection", "close")
                        .build();
            }
        });
        proxy.start();
    }

    @AfterEach
    void close() {
        pipeline.close();
        proxy.close();
    }

    private void failsWith(Authenticator authenticator) {
        OkHttpClient client = new OkHttpClient.Builder()
                .proxy(new Proxy(Proxy.Type.HTTP, proxy.getSocketAddress()))
                .proxyAuthenticator(authenticator)
                .build();
        Call call = HoldfastCallFactory.around(client, Pipelines.one(pipeline))
                .newCall(new Request.Builder().url("https://stock.invalid/a").build());
        assertThatThrownBy(call::execute).isInstanceOf(IOException.class);
    }

    private static Request withPassword(Request request) {
        return request.newBuilder()
                .header("Proxy-Authorization", Credentials.basic("ann", "wrong"))
                .build();
    }

    @Test
    void aWrongPasswordIsSentOnce() {
        failsWith((route, response) -> response.request().header("Proxy-Authorization") == null
                        || response.request().header("Proxy-Authorization").equals("OkHttp-Preemptive")
                ? withPassword(response.request())
                : null);
        assertThat(proxy.getRequestCount()).isEqualTo(1);
    }

    /** OkHttp gives up after 21 tries. Three attempts would send the password 63 times, and lock its account. */
    @Test
    void anAuthenticatorThatNeverGivesUpIsHeededInOneAttempt() {
        failsWith((route, response) -> withPassword(response.request()));
        assertThat(proxy.getRequestCount()).isEqualTo(21);
    }
}
