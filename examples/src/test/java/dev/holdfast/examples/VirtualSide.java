/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import dev.holdfast.time.VirtualTime;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/** As {@link Side}, in virtual time: a {@link Shop} whose threads ask a {@link VirtualStock}, and its customers. */
final class VirtualSide implements Books {
    /** How the shop asks; on one of its threads. */
    interface Client {
        StockClient.Answer ask(String sku) throws Exception;
    }

    private final VirtualTime time;
    private final Duration patience;
    private final CallLog calls;
    private final Scoreboard answers = new Scoreboard();
    private final VirtualStock stock;
    private final Client client;
    private final Deque<Runnable> queue = new ArrayDeque<>();
    private long started;
    private int busy;

    VirtualSide(VirtualTime time, Load load, Function<VirtualStock, Client> client) {
        this(time, load, Stock.WORKERS, client);
    }

    /** With so many workers of its stock service. */
    VirtualSide(VirtualTime time, Load load, int workers, Function<VirtualStock, Client> client) {
        this.time = time;
        this.patience = load.patience();
        this.calls = new CallLog(this::nanos);
        this.stock = new VirtualStock(time, calls, load.seed(), workers);
        this.client = client.apply(stock);
    }

    private long nanos() {
        return time.nanos() - started;
    }

    /** The faults and the requests of a run that starts now. */
    void plan(Timeline timeline, Iterable<Arrival> arrivals) {
        answers.clear();
        calls.clear();
        started = time.nanos();
        for (Phase phase : timeline.phases()) {
            time.schedule(phase.startNanos(), () -> stock.become(phase.condition()));
        }
        for (Arrival arrival : arrivals) {
            time.schedule(arrival.nanos(), () -> send(arrival));
        }
    }

    private void send(Arrival arrival) {
        boolean[] over = new boolean[1];
        time.schedule(patience.toNanos(), () -> score(arrival, Scoreboard.Kind.ERROR, over));
        Runnable work = () -> score(arrival, serve(arrival.sku()), over);
        if (busy < Shop.THREADS) {
            busy++;
            var unused = time.spawn(() -> work(work));
        } else if (queue.size() < Shop.QUEUE) {
            queue.add(work);
        } else {
            score(arrival, Scoreboard.Kind.ERROR, over);
        }
    }

    private Object work(Runnable first) {
        for (Runnable work = first; work != null; work = queue.poll()) {
            work.run();
        }
        busy--;
        return "idle";
    }

    private Scoreboard.Kind serve(String sku) {
        try {
            StockClient.Answer answer = client.ask(sku);
            if (!answer.article().equals(Stock.article(sku))) {
                return Scoreboard.Kind.ERROR;
            }
            return answer.source().equals("LIVE") ? Scoreboard.Kind.LIVE : Scoreboard.Kind.STALE;
        } catch (Exception e) {
            return Scoreboard.Kind.ERROR;
        }
    }

    private void score(Arrival arrival, Scoreboard.Kind kind, boolean[] over) {
        if (!over[0]) {
            over[0] = true;
            answers.add(arrival.nanos(), nanos(), kind);
        }
    }

    @Override
    public Scoreboard answers() {
        return answers;
    }

    @Override
    public CallLog calls() {
        return calls;
    }

    /** As {@link BareClient}. */
    static Client bare(VirtualTime time, VirtualStock stock) {
        return sku -> {
            IOException last = new IOException("not tried");
            for (int attempt = 0; attempt < 3; attempt++) {
                try {
                    HttpResponse<String> response = await(time, stock.get(sku), BareClient.TIMEOUT.toNanos());
                    if (response.statusCode() == 200) {
                        return new StockClient.Answer(response.body(), "LIVE");
                    }
                    last = new IOException("stock answered " + response.statusCode());
                } catch (IOException e) {
                    last = e;
                }
            }
            throw last;
        };
    }

    /** Waits for an answer as a blocking client does, for so long at most. */
    static HttpResponse<String> await(VirtualTime time, CompletableFuture<HttpResponse<String>> answer, long mostNanos)
            throws IOException, InterruptedException {
        Thread waiting = Thread.currentThread();
        var unused = answer.whenComplete((response, error) -> time.unpark(waiting));
        long start = time.nanos();
        while (!answer.isDone()) {
            long left = mostNanos == Long.MAX_VALUE ? mostNanos : mostNanos - (time.nanos() - start);
            if (left <= 0) {
                throw new IOException("timed out");
            }
            time.park(answer, left);
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
        }
        if (answer.isCompletedExceptionally()) {
            throw new IOException("the connection is cut");
        }
        return answer.join();
    }
}
