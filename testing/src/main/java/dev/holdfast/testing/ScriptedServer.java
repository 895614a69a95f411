/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.holdfast.internal.TestMistake;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * An HTTP server on the loopback interface that follows a script, request after request, and remembers the requests. For
 * tests of a client together with its pipeline; runs in real time, on daemon threads.
 *
 * <pre>{@code
 * try (ScriptedServer server = ScriptedServer.start()) {
 *     server.answers(503, "busy").retryAfter(ofSeconds(1)).times(2).answers(200, "12 pieces");
 *     String stock = pipeline.call(() -> client.get(server.uri("/stock/1")));
 *     assertThat(server.requests()).hasSize(3);
 * }
 * }</pre>
 *
 * <p>The last step is repeated for ever. Safe for any number of threads; the script may grow while it is played.
 */
public final class ScriptedServer implements AutoCloseable {
    static {
        // Head and body are two writes; with Nagle's algorithm the second may wait 40 ms for an acknowledgement.
        if (System.getProperty("sun.net.httpserver.nodelay") == null) {
            System.setProperty("sun.net.httpserver.nodelay", "true");
        }
    }

    /**
     * A request that has arrived.
     *
     * @param method such as {@code GET}
     * @param path with the query, as it was sent
     * @param headers by their names, in any case
     */
    public record Request(String method, String path, Map<String, List<String>> headers, String body) {
        /** The first value of a header; null if it was not sent. */
        public @Nullable String header(String name) {
            List<String> values = headers.get(name);
            return values == null || values.isEmpty() ? null : values.get(0);
        }
    }

    /** The answer to one request. */
    private record Answer(int status, String body, Map<String, String> headers, Duration after) {
        private static final int NONE = -1;

        Answer after(Duration time) {
            return new Answer(status, body, headers, Step.counted(time));
        }

        Answer with(String name, String value) {
            Map<String, String> more = new TreeMap<>(headers);
            more.put(name, value);
            return new Answer(status, body, more, after);
        }
    }

    private final Steps<Answer> steps = new Steps<>("server");
    private final List<Request> requests = new ArrayList<>();
    private final CountDownLatch closing = new CountDownLatch(1);
    private final ExecutorService threads = Executors.newCachedThreadPool(work -> {
        Thread thread = new Thread(work, "scripted-server");
        thread.setDaemon(true);
        return thread;
    });
    private final InetSocketAddress address;
    private @Nullable HttpServer server;
    /** Guarded by this. */
    private @Nullable TestMistake mistake;

    private volatile boolean stopping;

    private ScriptedServer() throws IOException {
        address = listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    }

    /**
     * A server that listens on a port that was free; its script is still empty.
     *
     * @throws UncheckedIOException if there is no free port
     */
    public static ScriptedServer start() {
        try {
            return new ScriptedServer();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private InetSocketAddress listen(InetSocketAddress where) throws IOException {
        HttpServer listening = HttpServer.create(where, 0);
        listening.setExecutor(task -> handOn(listening, task));
        listening.createContext("/", this::handle);
        listening.start();
        server = listening;
        return listening.getAddress();
    }

    /**
     * Runs on the server's one thread that accepts connections. If another thread stopped the server during an accept, that
     * connection would stay open for ever. So this thread stops the server itself.
     */
    private void handOn(HttpServer listening, Runnable request) {
        if (stopping) {
            listening.stop(0);
        } else {
            threads.execute(request);
        }
    }

    /** Wakes the accepting thread with a request, and waits until it has cut this connection too. */
    private void stop(HttpServer listening) {
        stopping = true;
        try (Socket last = new Socket(address.getAddress(), address.getPort())) {
            last.getOutputStream().write("GET / HTTP/1.0\r\n\r\n".getBytes(UTF_8));
            last.getInputStream().readAllBytes();
        } catch (IOException alreadyCut) {
            // Another request was first.
        }
        listening.stop(0);
        stopping = false;
    }

    // ---- the script

    /** Next step: answers with this status and no body. */
    public ScriptedServer answers(int status) {
        return answers(status, "");
    }

    /** Next step: answers with this status and text. */
    public ScriptedServer answers(int status, String body) {
        if (status < 200 || status > 599) {
            throw new IllegalArgumentException("status is " + status + " but must be 200 to 599");
        }
        return then(new Answer(status, body, Map.of(), Duration.ZERO));
    }

    /** Next step: does not answer until the server is closed. */
    public ScriptedServer hangs() {
        return then(new Answer(Answer.NONE, "", Map.of(), Step.FOR_EVER));
    }

    /** Next step: closes the connection without an answer. */
    public ScriptedServer breaks() {
        return then(new Answer(Answer.NONE, "", Map.of(), Duration.ZERO));
    }

    private synchronized ScriptedServer then(Answer answer) {
        steps.add(answer);
        return this;
    }

    /** The last step comes after this time. */
    public synchronized ScriptedServer after(Duration duration) {
        Objects.requireNonNull(duration, "duration");
        steps.changeLast(answer -> answer.after(duration));
        return this;
    }

    /** The last step has this header. */
    public synchronized ScriptedServer with(String header, String value) {
        if ((header + value).chars().anyMatch(c -> c == '\r' || c == '\n')) {
            throw new IllegalArgumentException("the header '" + header + "' has more than one line");
        }
        steps.changeLast(answer -> answer.with(header, value));
        return this;
    }

    /** The last step has a {@code Retry-After} header: whole seconds, rounded up. */
    public ScriptedServer retryAfter(Duration duration) {
        return with("Retry-After", Long.toString(duration.plusNanos(999_999_999).toSeconds()));
    }

    /** The last step is done this many times in all, at least once. */
    public synchronized ScriptedServer times(int times) {
        steps.repeatLast(times);
        return this;
    }

    /** From now on connections are refused, and those that are open are cut, with their requests. */
    public synchronized void refuseConnections() {
        if (server != null) {
            stop(server);
            server = null;
        }
    }

    /**
     * From now on connections are accepted again, on the same port.
     *
     * @throws UncheckedIOException if another process has taken it meanwhile
     */
    public synchronized void acceptConnections() {
        if (server == null && closing.getCount() > 0) {
            try {
                listen(address);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    // ---- what was asked

    /** The address of this path: {@code http://127.0.0.1:port} and the path. */
    public URI uri(String path) {
        if (!path.startsWith("/")) {
            throw new IllegalArgumentException("the path is '" + path + "' but must begin with /");
        }
        return URI.create("http://" + address.getAddress().getHostAddress() + ":" + address.getPort() + path);
    }

    /** The requests that have arrived, in their order. */
    public synchronized List<Request> requests() {
        return List.copyOf(requests);
    }

    private synchronized Answer take(Request request) {
        requests.add(request);
        try {
            return steps.next();
        } catch (TestMistake empty) {
            mistake = empty;
            return new Answer(501, String.valueOf(empty.getMessage()), Map.of(), Duration.ZERO);
        }
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            Answer answer = take(read(exchange));
            if (isClosedWithin(answer.after()) || answer.status() == Answer.NONE) {
                return;
            }
            byte[] body = answer.body().getBytes(UTF_8);
            answer.headers().forEach(exchange.getResponseHeaders()::set);
            exchange.sendResponseHeaders(answer.status(), body.length == 0 ? -1 : body.length);
            exchange.getResponseBody().write(body);
        } catch (InterruptedException closed) {
            Thread.currentThread().interrupt();
        }
    }

    private static Request read(HttpExchange exchange) throws IOException {
        Map<String, List<String>> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        exchange.getRequestHeaders().forEach((name, values) -> headers.put(name, List.copyOf(values)));
        String body = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
        return new Request(
                exchange.getRequestMethod().toUpperCase(Locale.ROOT),
                exchange.getRequestURI().toString(),
                headers,
                body);
    }

    /** Waits for this time, or until the server is closed. */
    private boolean isClosedWithin(Duration time) throws InterruptedException {
        return closing.await(time.toNanos(), TimeUnit.NANOSECONDS);
    }

    /**
     * Stops listening, cuts the connections and ends its threads.
     *
     * @throws AssertionError the first time, if a request came while the script was empty: a policy may have answered that call
     */
    @Override
    public void close() {
        closing.countDown();
        refuseConnections();
        threads.shutdownNow();
        TestMistake made;
        synchronized (this) {
            made = mistake;
            mistake = null;
        }
        if (made != null) {
            throw made;
        }
    }

    @Override
    public String toString() {
        return "scripted server at " + uri("/");
    }
}
