/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/**
 * A stock service, and shops that ask it over HTTP and have nothing else in common: each has a client of its own, threads, and a
 * queue of twice as many requests before them. Customers come to one shop after the other. Safe for threads.
 */
final class Team implements Player, AutoCloseable {
    /**
     * How large a team is.
     *
     * @param threads of each shop, which are the calls that it can have in flight
     * @param workers of the stock service
     */
    record Size(int shops, int threads, int workers) {}

    private record Shop(StockClient client, ThreadPoolExecutor threads) {}

    private final String name;
    private final Load load;
    private final Stopwatch stopwatch;
    private final CallLog calls;
    private final Scoreboard answers = new Scoreboard();
    private final Stock stock;
    private final List<Shop> shops = new ArrayList<>();
    private final AtomicInteger next = new AtomicInteger();

    /** Starts the stock service; {@code client} is asked for a client for each shop, and gets the addresses of the articles. */
    Team(String name, Stopwatch stopwatch, Load load, Size size, Function<Function<String, URI>, StockClient> client)
            throws IOException {
        this.name = name;
        this.load = load;
        this.stopwatch = stopwatch;
        this.calls = new CallLog(stopwatch::nanos);
        this.stock = new Stock(calls, load.seed(), size.workers());
        for (int i = 0; i < size.shops(); i++) {
            shops.add(new Shop(client.apply(stock::uri), threads(size.threads())));
        }
    }

    private static ThreadPoolExecutor threads(int count) {
        return new ThreadPoolExecutor(count, count, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(2 * count), work -> {
            Thread thread = new Thread(work, "shop");
            thread.setDaemon(true);
            return thread;
        });
    }

    String name() {
        return name;
    }

    /** How its first shop asks. */
    StockClient client() {
        return shops.get(0).client();
    }

    @Override
    public CompletableFuture<Void> send(Arrival arrival) {
        Shop shop = shops.get(Math.floorMod(next.getAndIncrement(), shops.size()));
        CompletableFuture<Scoreboard.Kind> answer = new CompletableFuture<>();
        try {
            shop.threads().execute(() -> answer.complete(ask(shop.client(), arrival.sku())));
        } catch (RejectedExecutionException queueIsFull) {
            answer.complete(Scoreboard.Kind.ERROR);
        }
        long patience = load.patience().toNanos() - (stopwatch.nanos() - arrival.nanos());
        return answer.completeOnTimeout(Scoreboard.Kind.ERROR, patience, TimeUnit.NANOSECONDS)
                .thenAccept(kind -> answers.add(arrival.nanos(), stopwatch.nanos(), kind));
    }

    private static Scoreboard.Kind ask(StockClient client, String sku) {
        try {
            StockClient.Answer answer = client.ask(sku);
            if (!answer.article().equals(Stock.article(sku))) {
                return Scoreboard.Kind.ERROR;
            }
            return answer.source().equals("LIVE") ? Scoreboard.Kind.LIVE : Scoreboard.Kind.STALE;
        } catch (InterruptedException closed) {
            Thread.currentThread().interrupt();
            return Scoreboard.Kind.ERROR;
        } catch (Exception noAnswer) {
            return Scoreboard.Kind.ERROR;
        }
    }

    @Override
    public void become(Condition condition) throws IOException {
        stock.become(condition);
    }

    @Override
    public Scoreboard answers() {
        return answers;
    }

    @Override
    public CallLog calls() {
        return calls;
    }

    @Override
    public void close() {
        for (Shop shop : shops) {
            shop.threads().shutdownNow();
            try {
                shop.client().close();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
        stock.close();
    }
}
