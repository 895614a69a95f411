/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.StringTokenizer;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * An HTTP/1.1 server on the loopback interface that does what servers do when they are ill: breaks off in the middle, hangs, or
 * sends one byte. It notices when a client gives up. Each path has a script, whose last step is repeated. Runs on daemon threads.
 */
final class WireServer implements AutoCloseable {
    /** What it does with a request. */
    interface Step {
        /** Writes to the connection. False: it is closed then. */
        boolean answer(Connection connection) throws IOException;
    }

    /** A request that has arrived. */
    record Arrived(String method, String path, Map<String, String> headers, String body) {
        @Nullable
        String header(String name) {
            return headers.get(name);
        }
    }

    private final ServerSocket listening;
    private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "wire-server");
        thread.setDaemon(true);
        return thread;
    });
    private final Map<String, List<Step>> scripts = new ConcurrentHashMap<>();
    private final List<Arrived> requests = new CopyOnWriteArrayList<>();
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();

    private final AtomicInteger hangs = new AtomicInteger();
    private final AtomicInteger arrived = new AtomicInteger();
    /** The newest request that hangs, or hung; they are counted from 1. */
    private final AtomicInteger newestHang = new AtomicInteger();

    private final AtomicInteger hanging = new AtomicInteger();

    /** A permit for each request during which the client closed its connection. */
    private final Semaphore givenUp = new Semaphore(0);

    private WireServer() throws IOException {
        listening = new ServerSocket(0, 1_024, InetAddress.getLoopbackAddress());
        threads.execute(this::accept);
    }

    static WireServer start() {
        try {
            return new WireServer();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    // ---- the script

    /** What it does with requests for this path, in their order. */
    WireServer on(String path, Step... steps) {
        scripts.put(path, new ArrayList<>(Arrays.asList(steps)));
        return this;
    }

    static Step status(int status) {
        return status(status, "");
    }

    /** An answer without a body; headers as {@code Name: value}. */
    static Step headed(int status, String... headers) {
        return status(status, "", headers);
    }

    /** A whole answer; headers as {@code Name: value}. */
    static Step status(int status, String body, String... headers) {
        return connection -> {
            connection.head(status, body.getBytes(UTF_8).length, headers);
            connection.write(body);
            return true;
        };
    }

    /** A whole answer that does not say how long it is; headers as {@code Name: value}. */
    static Step chunked(String body, String... headers) {
        return connection -> {
            String head =
                    "HTTP/1.1 200 X\r\n" + String.join("\r\n", headers) + "\r\nTransfer-Encoding: chunked\r\n\r\n";
            connection.write(head + Integer.toHexString(body.length()) + "\r\n" + body + "\r\n0\r\n\r\n");
            return true;
        };
    }

    /** Sends this, whatever it is, and closes the connection. */
    static Step raw(String answer) {
        return connection -> {
            connection.write(answer);
            return false;
        };
    }

    /** Does not answer until the client gives up. */
    static Step hang() {
        return Connection::awaitEnd;
    }

    /** Sends half of the body, and no more until the client gives up. */
    static Step stallInBody(int status, String... headers) {
        return connection -> {
            connection.head(status, 10, headers);
            try {
                connection.write("12345");
            } catch (SocketException gone) {
                // Given up as soon as the headers were there.
            }
            return connection.awaitEnd();
        };
    }

    /** Sends half of the body, and breaks the connection. */
    static Step resetInBody() {
        return connection -> {
            connection.head(200, 10);
            connection.write("12345");
            connection.socket.setSoLinger(true, 0);
            return false;
        };
    }

    /** Breaks the connection without an answer. */
    static Step reset() {
        return connection -> {
            connection.socket.setSoLinger(true, 0);
            return false;
        };
    }

    // ---- what was asked

    URI uri(String path) {
        return URI.create("http://127.0.0.1:" + listening.getLocalPort() + path);
    }

    List<Arrived> requests(String path) {
        return requests.stream().filter(request -> request.path().equals(path)).toList();
    }

    int connections() {
        return open.size();
    }

    /** How many requests it has let hang so far. */
    int hangs() {
        return hangs.get();
    }

    /** Whether it lets the newest request hang now. An older one may be given up already, which is seen a little later. */
    boolean isHanging() {
        return hanging.get() > 0 && newestHang.get() == arrived.get();
    }

    /** Waits until a client has closed the connection of a request that had no whole answer. */
    boolean seesAClientGiveUp() throws InterruptedException {
        return givenUp.tryAcquire(1, TimeUnit.MINUTES);
    }

    // ---- the server

    private void accept() {
        try {
            while (true) {
                Socket socket = listening.accept();
                socket.setTcpNoDelay(true);
                open.add(socket);
                try {
                    threads.execute(() -> serve(socket));
                } catch (RejectedExecutionException late) {
                    socket.close();
                }
            }
        } catch (IOException closed) {
            // The test is over.
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            Connection connection = new Connection(socket);
            while (true) {
                Arrived request = connection.read();
                if (request == null) {
                    return;
                }
                requests.add(request);
                connection.number = arrived.incrementAndGet();
                if (!next(request.path()).answer(connection)) {
                    return;
                }
            }
        } catch (IOException gone) {
            // The client has gone.
        } finally {
            open.remove(socket);
        }
    }

    private Step next(String path) {
        List<Step> script = scripts.get(path);
        if (script == null) {
            return status(404);
        }
        synchronized (script) {
            return script.size() == 1 ? script.get(0) : script.remove(0);
        }
    }

    @Override
    public void close() throws IOException {
        listening.close();
        // Before the sockets: one that is accepted meanwhile is refused by the threads, and closed there.
        threads.shutdownNow();
        for (Socket socket : open) {
            socket.close();
        }
    }

    /** One connection. */
    final class Connection {
        final Socket socket;
        private final InputStream in;
        final OutputStream out;
        private String method = "";
        /** Of the request that it serves. */
        private int number;

        Connection(Socket socket) throws IOException {
            this.socket = socket;
            in = new BufferedInputStream(socket.getInputStream());
            out = socket.getOutputStream();
        }

        void head(int status, int length, String... headers) throws IOException {
            StringBuilder head = new StringBuilder("HTTP/1.1 ").append(status).append(" X\r\n");
            for (String header : headers) {
                head.append(header).append("\r\n");
            }
            if (status != 204 && status != 304) {
                head.append("Content-Length: ").append(length).append("\r\n");
            }
            out.write(head.append("\r\n").toString().getBytes(ISO_8859_1));
            out.flush();
        }

        void write(String body) throws IOException {
            if (!method.equals("HEAD")) {
                out.write(body.getBytes(UTF_8));
                out.flush();
            }
        }

        /** Returns when the client has closed the connection; always false. */
        boolean awaitEnd() {
            newestHang.accumulateAndGet(number, Math::max);
            hanging.incrementAndGet();
            hangs.incrementAndGet();
            try {
                while (in.read() >= 0) {
                    // More than one request at a time on one connection is not sent by any client here.
                }
            } catch (SocketException reset) {
                // That is an end, too.
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } finally {
                hanging.decrementAndGet();
            }
            givenUp.release();
            return false;
        }

        @Nullable
        Arrived read() throws IOException {
            String line = line();
            if (line == null || line.isEmpty()) {
                return null;
            }
            StringTokenizer first = new StringTokenizer(line);
            method = first.nextToken();
            Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
            for (String header = line(); header != null && !header.isEmpty(); header = line()) {
                int colon = header.indexOf(':');
                headers.putIfAbsent(
                        header.substring(0, colon), header.substring(colon + 1).strip());
            }
            return new Arrived(method, first.nextToken(), headers, new String(body(headers), UTF_8));
        }

        private byte[] body(Map<String, String> headers) throws IOException {
            if (headers.getOrDefault("Transfer-Encoding", "")
                    .toLowerCase(Locale.ROOT)
                    .contains("chunked")) {
                ByteArrayOutputStream body = new ByteArrayOutputStream();
                while (true) {
                    int size = Integer.parseInt(String.valueOf(line()), 16);
                    body.write(in.readNBytes(size));
                    line();
                    if (size == 0) {
                        return body.toByteArray();
                    }
                }
            }
            return in.readNBytes(Integer.parseInt(headers.getOrDefault("Content-Length", "0")));
        }

        private @Nullable String line() throws IOException {
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            for (int next = in.read(); next >= 0; next = in.read()) {
                if (next == '\n') {
                    return line.toString(ISO_8859_1).stripTrailing();
                }
                line.write(next);
            }
            return null;
        }
    }
}
