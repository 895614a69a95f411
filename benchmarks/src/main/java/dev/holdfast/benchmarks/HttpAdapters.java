/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.benchmarks;

import com.sun.net.httpserver.HttpServer;
import dev.holdfast.http.HoldfastHttpClient;
import dev.holdfast.http.PipelinePerAuthority;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/** A GET with java.net.http, bare and with the standard pipeline of its host around it. */
@SuppressWarnings("NullAway.Init") // JMH fills the parameters, the set-up the rest
public class HttpAdapters extends Measured {
    /** Who answers. */
    public enum Server {
        /** A server on the loopback interface. */
        LOOPBACK,
        /** Nobody: the client has the answer already. So the difference is the adapter's own cost. */
        NONE
    }

    @Param
    public Server server;

    @Param({"bare", "holdfast"})
    public String client;

    private final ExecutorService threads = Executors.newFixedThreadPool(4);
    private HttpServer listening;
    private PipelinePerAuthority pipelines;
    private HttpClient used;
    private HttpRequest request;

    @Setup
    public void start() throws IOException, InterruptedException {
        // Head and body are two writes; with Nagle's algorithm the second may wait 40 ms.
        System.setProperty("sun.net.httpserver.nodelay", "true");
        listening = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        listening.setExecutor(threads);
        listening.createContext("/", exchange -> {
            exchange.sendResponseHeaders(200, 2);
            exchange.getResponseBody().write(new byte[] {'1', '2'});
            exchange.close();
        });
        listening.start();
        request = HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:" + listening.getAddress().getPort() + "/stock/1"))
                .header("Accept", "text/plain")
                .build();
        HttpClient plain =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        if (server == Server.NONE) {
            plain = new OneAnswer(plain.send(request, BodyHandlers.ofString()));
        }
        pipelines = PipelinePerAuthority.standard("shops");
        used = client.equals("bare") ? plain : HoldfastHttpClient.around(plain, pipelines);
    }

    @TearDown
    public void stop() {
        pipelines.close();
        listening.stop(0);
        threads.shutdownNow();
    }

    @Benchmark
    public HttpResponse<String> send() throws IOException, InterruptedException {
        return used.send(request, BodyHandlers.ofString());
    }

    @Benchmark
    public HttpResponse<String> sendAsync() throws ExecutionException, InterruptedException {
        return used.sendAsync(request, BodyHandlers.ofString()).get();
    }
}
