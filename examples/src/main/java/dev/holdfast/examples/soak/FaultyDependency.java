/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.soak;

import java.io.IOException;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** A dependency whose mood changes twice a second, in an order that is drawn from a seed. In any mood it does a little of all. */
final class FaultyDependency implements AutoCloseable {
    private static final long MOOD_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
    private static final int FAST_MILLIS = 2;
    private static final int SLOW_MILLIS = 120;
    private static final int HANG_MILLIS = 300;
    private static final double OUT_OF_CHARACTER = 0.05;
    /** How many of the asynchronous hangs never end at all. */
    private static final double FOR_EVER = 0.02;

    private final long seed;
    private final long startNanos = System.nanoTime();
    private final ScheduledExecutorService later = Executors.newSingleThreadScheduledExecutor(work -> {
        Thread thread = new Thread(work, "faulty-dependency");
        thread.setDaemon(true);
        return thread;
    });
    private volatile boolean healed;

    FaultyDependency(long seed) {
        this.seed = seed;
    }

    /** From now on all is well. */
    void heal() {
        healed = true;
    }

    String answer(int key) throws IOException {
        Mood mood = mood();
        long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis(mood));
        while (until - System.nanoTime() > 0) {
            LockSupport.parkNanos(until - System.nanoTime());
            if (mood == Mood.HANGING) {
                // Cleared, or the next park would not wait: this is how work ignores an interrupt.
                Thread.interrupted();
            } else if (Thread.currentThread().isInterrupted()) {
                throw new IOException("interrupted");
            }
        }
        if (mood == Mood.FAILING) {
            fail(key);
        }
        return "answer " + key;
    }

    CompletableFuture<String> answerLater(int key) {
        Mood mood = mood();
        CompletableFuture<String> answer = mood == Mood.HANGING ? new Stubborn() : new CompletableFuture<>();
        if (mood == Mood.HANGING && ThreadLocalRandom.current().nextDouble() < FOR_EVER) {
            return answer;
        }
        var unused = later.schedule(
                () -> mood == Mood.FAILING
                        ? answer.completeExceptionally(new IOException("failed"))
                        : answer.complete("answer " + key),
                millis(mood),
                TimeUnit.MILLISECONDS);
        return answer;
    }

    private static void fail(int key) throws IOException {
        if (key % 10 == 0) {
            throw new AssertionError("an error, as a bug would throw it");
        }
        throw new IOException("failed");
    }

    private static int millis(Mood mood) {
        int most = mood == Mood.SLOW ? SLOW_MILLIS : mood == Mood.HANGING ? HANG_MILLIS : FAST_MILLIS;
        return ThreadLocalRandom.current().nextInt(most + 1);
    }

    private Mood mood() {
        if (healed) {
            return Mood.WELL;
        }
        Mood[] moods = Mood.values();
        if (ThreadLocalRandom.current().nextDouble() < OUT_OF_CHARACTER) {
            return moods[ThreadLocalRandom.current().nextInt(moods.length)];
        }
        long turn = (System.nanoTime() - startNanos) / MOOD_NANOS;
        return moods[new Random(seed + turn * 7_919).nextInt(moods.length)];
    }

    @Override
    public void close() {
        later.shutdownNow();
    }

    /** Work that goes on although it was cancelled. */
    private static final class Stubborn extends CompletableFuture<String> {
        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            return false;
        }
    }
}
