/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * What was asked and what became of it, second by second. A call counts in the second in which it was made, whenever it
 * ends; an attempt in the second in which it was made.
 */
final class Ledger {
    private final int[] calls;
    private final int[] live;
    private final int[] stale;
    private final int[] attempts;

    Ledger(int seconds) {
        calls = new int[seconds];
        live = new int[seconds];
        stale = new int[seconds];
        attempts = new int[seconds];
    }

    /** The calls made after this are not part of it. */
    int seconds() {
        return calls.length;
    }

    void ended(double madeAt, Answer answer) {
        calls[(int) madeAt]++;
        if (answer == Answer.LIVE) {
            live[(int) madeAt]++;
        } else if (answer == Answer.STALE) {
            stale[(int) madeAt]++;
        }
    }

    /** The same attempt, but counted each time. */
    <T> Supplier<CompletableFuture<T>> counting(World world, Supplier<CompletableFuture<T>> attempt) {
        return () -> {
            // The last calls may be tried again after the end.
            attempts[Math.min((int) world.now(), attempts.length - 1)]++;
            return attempt.get();
        };
    }

    int calls(int from, int to) {
        return sum(calls, from, to);
    }

    int live(int from, int to) {
        return sum(live, from, to);
    }

    int stale(int from, int to) {
        return sum(stale, from, to);
    }

    int attempts(int from, int to) {
        return sum(attempts, from, to);
    }

    /** The share of the calls made in these seconds that got a live answer: independent of how many chance made. */
    double goodput(int from, int to) {
        return (double) live(from, to) / Math.max(1, calls(from, to));
    }

    /** Attempts for each call, over the whole run. */
    double amplification() {
        return (double) attempts(0, seconds()) / Math.max(1, calls(0, seconds()));
    }

    private static int sum(int[] counts, int from, int to) {
        return Arrays.stream(counts, from, to).sum();
    }
}
