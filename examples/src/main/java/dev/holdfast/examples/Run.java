/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;

/** Plays one list of arrivals and one timeline of faults to all sides at the same time. */
final class Run {
    private final Timeline timeline;
    private final List<Arrival> arrivals;
    private final Stopwatch stopwatch;
    private final List<? extends Player> sides;

    Run(Timeline timeline, List<Arrival> arrivals, Stopwatch stopwatch, List<? extends Player> sides) {
        this.timeline = timeline;
        this.arrivals = arrivals;
        this.stopwatch = stopwatch;
        this.sides = sides;
    }

    /**
     * Starts the stopwatch, plays, and returns when the last customer has an answer.
     *
     * @param eachSecond told on the calling thread of each second that is over, from 1
     */
    void play(IntConsumer eachSecond) throws InterruptedException {
        ExecutorService threads = Executors.newCachedThreadPool();
        try {
            stopwatch.start();
            List<Future<Void>> parts = new ArrayList<>();
            parts.add(threads.submit(this::send));
            for (Player side : sides) {
                parts.add(threads.submit(faultsOf(side)));
            }
            tick(eachSecond);
            for (Future<Void> part : parts) {
                finish(part);
            }
        } finally {
            threads.shutdownNow();
        }
    }

    private Void send() throws InterruptedException {
        List<CompletableFuture<Void>> answers = new ArrayList<>();
        for (Arrival arrival : arrivals) {
            stopwatch.await(arrival.nanos());
            for (Player side : sides) {
                answers.add(side.send(arrival));
            }
        }
        CompletableFuture.allOf(answers.toArray(CompletableFuture<?>[]::new)).join();
        return null;
    }

    private Callable<Void> faultsOf(Player side) {
        return () -> {
            for (Phase phase : timeline.phases()) {
                stopwatch.await(phase.startNanos());
                side.become(phase.condition());
            }
            return null;
        };
    }

    private void tick(IntConsumer eachSecond) throws InterruptedException {
        long seconds = Duration.ofNanos(timeline.endNanos()).toSeconds();
        for (int second = 1; second <= seconds; second++) {
            stopwatch.await(TimeUnit.SECONDS.toNanos(second));
            eachSecond.accept(second);
        }
    }

    private static void finish(Future<Void> part) throws InterruptedException {
        try {
            part.get();
        } catch (ExecutionException e) {
            throw new IllegalStateException("the run broke off: " + e.getCause(), e.getCause());
        }
    }
}
