/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.headers;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.holdfast.CallRejectedException;
import dev.holdfast.CheckedSupplier;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A service of one's own on the loopback interface: answers 200, 503 where its work fails and 504 where it is turned away. */
final class Hop implements AutoCloseable {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final HttpServer server;
    private final @Nullable CallHeaders headers;
    final AtomicInteger requests = new AtomicInteger();

    /** @param headers null: what comes in and goes out with requests is looked at by nobody */
    Hop(@Nullable CallHeaders headers, CheckedSupplier<String, Exception> work) throws IOException {
        this.headers = headers;
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", exchange -> answer(exchange, work));
        server.start();
    }

    private void answer(HttpExchange exchange, CheckedSupplier<String, Exception> work) throws IOException {
        requests.incrementAndGet();
        int status = 200;
        String body;
        try {
            body = headers == null ? work.get() : headers.receive(exchange.getRequestHeaders()::getFirst, work);
        } catch (Exception e) {
            Throwable cause = e instanceof CompletionException && e.getCause() != null ? e.getCause() : e;
            status = cause instanceof CallRejectedException ? 504 : 503;
            body = cause.toString();
        }
        byte[] bytes = body.getBytes(java.nio.charset.StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    /** A request to it, as an action makes it. */
    String get() throws IOException, InterruptedException {
        URI uri = URI.create("http:/" + server.getAddress() + "/");
        HttpRequest.Builder request = HttpRequest.newBuilder(uri);
        if (headers != null) {
            headers.write(request::header);
        }
        HttpResponse<String> response = CLIENT.send(request.build(), HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IOException(response.statusCode() + " " + response.body());
        }
        return response.body();
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
