/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import dev.holdfast.examples.StockClient.Answer;
import dev.holdfast.http.HoldfastHttpClient;
import dev.holdfast.http.Pipelines;
import dev.holdfast.httpclient5.HoldfastAsyncExec;
import dev.holdfast.httpclient5.HoldfastExec;
import dev.holdfast.okhttp.HoldfastCallFactory;
import dev.holdfast.spring.HoldfastFilter;
import dev.holdfast.spring.HoldfastInterceptor;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Objects;
import okhttp3.Call;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import org.apache.hc.client5.http.async.methods.SimpleHttpResponse;
import org.apache.hc.client5.http.async.methods.SimpleRequestBuilder;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.HttpAsyncClientBuilder;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManagerBuilder;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.MessageHeaders;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.http.client.reactive.JdkClientHttpConnector;
import org.springframework.web.client.RestClient;
import org.springframework.web.reactive.function.client.WebClient;

/** The HTTP clients that the shop can ask with. Each is the client as it is, and one line around it. */
enum Client {
    JAVA,
    OKHTTP,
    APACHE,
    APACHE_ASYNC,
    RESTCLIENT,
    WEBCLIENT;

    /** Apache's clients have five for a server by themselves. */
    private static final int CONNECTIONS = 200;

    private static final String SOURCE = "Holdfast-Source";

    /** Asks for an article. */
    @FunctionalInterface
    interface Get {
        /** Throws if no right answer was to be had. */
        Answer ask(URI address) throws Exception;
    }

    /** With the pipelines around it. */
    Get with(Pipelines pipelines) {
        return switch (this) {
            case JAVA -> java(pipelines);
            case OKHTTP -> okHttp(pipelines);
            case APACHE -> apache(pipelines);
            case APACHE_ASYNC -> apacheAsync(pipelines);
            case RESTCLIENT -> restClient(pipelines);
            case WEBCLIENT -> webClient(pipelines);
        };
    }

    private static Get java(Pipelines pipelines) {
        HttpClient client = HoldfastHttpClient.around(BareClient.http(), pipelines);
        return address -> {
            HttpRequest request = HttpRequest.newBuilder(address).build();
            HttpResponse<String> response = client.send(request, BodyHandlers.ofString());
            return answer(
                    response.statusCode(),
                    response.body(),
                    response.headers().firstValue(SOURCE).orElse(null));
        };
    }

    private static Get okHttp(Pipelines pipelines) {
        Call.Factory client = HoldfastCallFactory.around(new OkHttpClient(), pipelines);
        return address -> {
            Request request = new Request.Builder().url(address.toString()).build();
            try (Response response = client.newCall(request).execute()) {
                return answer(response.code(), response.body().string(), response.header(SOURCE));
            }
        };
    }

    private static Get apache(Pipelines pipelines) {
        HttpClientBuilder plain = HttpClientBuilder.create()
                .setConnectionManager(PoolingHttpClientConnectionManagerBuilder.create()
                        .setMaxConnPerRoute(CONNECTIONS)
                        .setMaxConnTotal(CONNECTIONS)
                        .build());
        CloseableHttpClient client = HoldfastExec.of(pipelines).addTo(plain).build();
        return address -> client.execute(
                new HttpGet(address),
                response -> answer(response.getCode(), EntityUtils.toString(response.getEntity()), header(response)));
    }

    private static Get apacheAsync(Pipelines pipelines) {
        HttpAsyncClientBuilder plain = HttpAsyncClientBuilder.create()
                .setConnectionManager(PoolingAsyncClientConnectionManagerBuilder.create()
                        .setMaxConnPerRoute(CONNECTIONS)
                        .setMaxConnTotal(CONNECTIONS)
                        .build());
        CloseableHttpAsyncClient client =
                HoldfastAsyncExec.of(pipelines).addTo(plain).build();
        client.start();
        return address -> {
            SimpleHttpResponse response = client.execute(
                            SimpleRequestBuilder.get(address).build(), null)
                    .get();
            return answer(response.getCode(), response.getBodyText(), header(response));
        };
    }

    private static Get restClient(Pipelines pipelines) {
        RestClient client = RestClient.builder()
                .requestFactory(new JdkClientHttpRequestFactory(BareClient.http()))
                .requestInterceptor(HoldfastInterceptor.of(pipelines))
                .build();
        return address -> Objects.requireNonNull(client.get()
                .uri(address)
                .exchange((request, response) -> answer(
                        response.getStatusCode().value(),
                        new String(response.getBody().readAllBytes(), StandardCharsets.UTF_8),
                        response.getHeaders().getFirst(SOURCE))));
    }

    private static Get webClient(Pipelines pipelines) {
        WebClient client = WebClient.builder()
                .clientConnector(new JdkClientHttpConnector(BareClient.http()))
                .filter(HoldfastFilter.of(pipelines))
                .build();
        return address -> {
            ResponseEntity<String> response = client.get()
                    .uri(address)
                    .exchangeToMono(answer -> answer.toEntity(String.class))
                    .blockOptional()
                    .orElseThrow();
            return answer(
                    response.getStatusCode().value(),
                    response.getBody(),
                    response.getHeaders().getFirst(SOURCE));
        };
    }

    private static @Nullable String header(MessageHeaders response) {
        Header header = response.getFirstHeader(SOURCE);
        return header == null ? null : header.getValue();
    }

    private static Answer answer(int status, @Nullable String body, @Nullable String source) throws IOException {
        if (status != 200 || body == null) {
            throw new IOException("stock answered " + status);
        }
        return new Answer(body, source == null ? "LIVE" : source.toUpperCase(Locale.ROOT));
    }
}
