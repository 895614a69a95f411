/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.net.URI;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The dependency: a service that says how many of an article there are. Eight workers of 25 ms each make 320 requests a
 * second at most; what is more waits in a queue of 200, and what is more than that gets a plain 503.
 *
 * <p>{@link #become} puts it into a condition. Safe for threads.
 */
final class Stock implements AutoCloseable {
    static final int WORKERS = 8;
    static final int QUEUE = 200;
    static final long SERVICE_NANOS = TimeUnit.MILLISECONDS.toNanos(25);
    /** What it can bear while it is well. */
    static final long PER_SECOND = WORKERS * TimeUnit.SECONDS.toNanos(1) / SERVICE_NANOS;
    /** Times as long while it is slow: 40 requests a second at most. */
    static final int SLOWDOWN = 8;
    /** The share of the requests that hang while it is hanging, and for how long they do. */
    static final double HANGING = 0.25;

    static final long HANG_NANOS = TimeUnit.SECONDS.toNanos(4);

    private final CallLog calls;
    private final int workers;
    private final SplittableRandom random;
    private final int port;
    private volatile Condition condition = Condition.HEALTHY;
    private volatile @Nullable LoopbackServer server;

    /** Starts the service; {@code calls} is told of each request that reaches it. */
    Stock(CallLog calls, long seed) throws IOException {
        this(calls, seed, WORKERS);
    }

    /** The same with so many workers. */
    Stock(CallLog calls, long seed, int workers) throws IOException {
        this.calls = calls;
        this.workers = workers;
        this.random = new SplittableRandom(seed);
        LoopbackServer started = LoopbackServer.start("stock", workers, QUEUE, this::arrive);
        this.server = started;
        this.port = started.port();
    }

    /** Where to ask for an article. */
    URI uri(String sku) {
        return URI.create("http://127.0.0.1:" + port + "/stock/" + sku);
    }

    /** Puts the service into this condition. Not safe for several threads at once. */
    void become(Condition next) throws IOException {
        condition = next;
        if (next == Condition.GONE) {
            close();
        } else if (server == null) {
            server = LoopbackServer.start("stock", port, workers, QUEUE, this::arrive);
        }
    }

    private void arrive(HttpExchange exchange) {
        calls.add();
        LoopbackServer running = server;
        if (running == null) {
            exchange.close();
        } else if (condition == Condition.PUSHBACK) {
            exchange.getResponseHeaders().add("Retry-After", "1");
            LoopbackServer.answer(exchange, 503, "too busy");
        } else {
            running.enqueue(exchange, this::serve);
        }
    }

    private void serve(HttpExchange exchange) {
        try {
            TimeUnit.NANOSECONDS.sleep(serviceNanos());
        } catch (InterruptedException serverIsClosed) {
            Thread.currentThread().interrupt();
            exchange.close();
            return;
        }
        if (condition == Condition.FAILING) {
            LoopbackServer.answer(exchange, 500, "the database is gone");
        } else {
            LoopbackServer.answer(exchange, 200, article(sku(exchange)));
        }
    }

    /** What is right to answer for this article. */
    static String article(String sku) {
        return "{\"sku\":\"" + sku + "\",\"units\":" + Math.floorMod(sku.hashCode(), 500) + "}";
    }

    private static String sku(HttpExchange exchange) {
        String path = exchange.getRequestURI().getPath();
        return path.substring(path.lastIndexOf('/') + 1);
    }

    private long serviceNanos() {
        double spread;
        boolean hangs;
        synchronized (random) {
            spread = random.nextDouble(0.8, 1.2);
            hangs = condition == Condition.HANGING && random.nextDouble() < HANGING;
        }
        return hangs ? HANG_NANOS : (long) (spread * SERVICE_NANOS * (condition == Condition.SLOW ? SLOWDOWN : 1));
    }

    @Override
    public void close() {
        LoopbackServer running = server;
        server = null;
        if (running != null) {
            running.close();
        }
    }
}
