/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * An HTTP server on 127.0.0.1 with a fixed number of workers and a bounded queue before them, as most services are.
 *
 * <p>Requests are read by two threads of their own and given to {@code front}, which either answers at once or
 * {@linkplain #enqueue queues} the work. A request whose caller has given up keeps its place in the queue: a server
 * learns of that only when it writes.
 */
final class LoopbackServer implements AutoCloseable {
    static {
        // Headers and body are two writes; with Nagle's algorithm the second waits 40 ms for an acknowledgement.
        System.setProperty("sun.net.httpserver.nodelay", "true");
        System.setProperty("sun.net.httpserver.maxIdleConnections", "5000");
    }

    private static final int BACKLOG = 1024;

    private final HttpServer server;
    private final ExecutorService readers;
    private final ThreadPoolExecutor workers;

    private LoopbackServer(HttpServer server, String name, int threads, int queue) {
        this.server = server;
        this.readers = Executors.newFixedThreadPool(2, threads(name + "-reader"));
        this.workers = new ThreadPoolExecutor(
                threads, threads, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(queue), threads(name + "-worker"));
    }

    /** Starts a server on a port that is free. */
    static LoopbackServer start(String name, int threads, int queue, HttpHandler front) throws IOException {
        for (int tries = 0; ; tries++) {
            try {
                // Below the range that the system gives to outgoing connections: while the stock service is gone, a
                // client could otherwise be given that very port, and connect to itself.
                return start(name, ThreadLocalRandom.current().nextInt(20_000, 32_000), threads, queue, front);
            } catch (BindException e) {
                if (tries == 100) {
                    throw e;
                }
            }
        }
    }

    /** Starts a server on this port. */
    static LoopbackServer start(String name, int port, int threads, int queue, HttpHandler front) throws IOException {
        HttpServer http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), BACKLOG);
        LoopbackServer server = new LoopbackServer(http, name, threads, queue);
        http.setExecutor(server.readers);
        http.createContext("/", front);
        http.start();
        return server;
    }

    int port() {
        return server.getAddress().getPort();
    }

    URI uri(String path) {
        return URI.create("http://127.0.0.1:" + port() + path);
    }

    /** Gives the request to a worker when its turn comes; answers 503 if the queue is full. */
    void enqueue(HttpExchange exchange, HttpHandler work) {
        try {
            workers.execute(() -> run(exchange, work));
        } catch (RejectedExecutionException e) {
            answer(exchange, 503, "overloaded");
        }
    }

    /** Sends the answer. A caller that is gone is none of the server's business. */
    static void answer(HttpExchange exchange, int status, String text) {
        byte[] body = text.getBytes(UTF_8);
        try (exchange) {
            exchange.sendResponseHeaders(status, body.length);
            exchange.getResponseBody().write(body);
        } catch (IOException callerIsGone) {
            // Its loss: the work was done for nobody.
        }
    }

    private static void run(HttpExchange exchange, HttpHandler work) {
        try {
            work.handle(exchange);
        } catch (IOException | RuntimeException e) {
            answer(exchange, 500, e.toString());
        }
    }

    /** Stops listening, cuts all connections and drops what is queued. */
    @Override
    public void close() {
        server.stop(0);
        workers.shutdownNow();
        readers.shutdownNow();
    }

    private static ThreadFactory threads(String name) {
        return work -> {
            Thread thread = new Thread(work, name);
            thread.setDaemon(true);
            return thread;
        };
    }
}
