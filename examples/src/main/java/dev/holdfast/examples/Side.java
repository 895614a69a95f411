/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import java.io.IOException;
import java.net.URI;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/** One of the two runs: a stock service, a shop that asks it, and the customers of that shop. Safe for threads. */
final class Side implements Player, AutoCloseable {
    private final String name;
    private final CallLog calls;
    private final Scoreboard answers = new Scoreboard();
    private final Stock stock;
    private final StockClient client;
    private final Shop shop;
    private final Customers customers;

    /** Starts both services; {@code client} gets the addresses of the stock service's articles. */
    Side(String name, Stopwatch stopwatch, Load load, Function<Function<String, URI>, StockClient> client)
            throws IOException {
        this.name = name;
        this.calls = new CallLog(stopwatch::nanos);
        this.stock = new Stock(calls, load.seed());
        this.client = client.apply(stock::uri);
        this.shop = new Shop(this.client);
        this.customers = new Customers(shop::uri, load.patience(), answers, stopwatch);
    }

    String name() {
        return name;
    }

    @Override
    public Scoreboard answers() {
        return answers;
    }

    @Override
    public CallLog calls() {
        return calls;
    }

    /** How its shop asks. */
    StockClient client() {
        return client;
    }

    @Override
    public CompletableFuture<Void> send(Arrival arrival) {
        return customers.send(arrival);
    }

    @Override
    public void become(Condition condition) throws IOException {
        stock.become(condition);
    }

    @Override
    public void close() {
        shop.close();
        stock.close();
    }
}
