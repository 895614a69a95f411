/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import java.util.Arrays;

/**
 * What was asked and what became of it, second by second. A call counts in the second in which it was made, whenever it
 * ends; an attempt in the second in which it was made.
 */
final class Ledger {
    private final int[] calls;
    private final int[] live;
    private final int[] stale;
    private final int[] hits;
    private final int[] attempts;
    /** Attempts after the end, of calls that were made before it. */
    private int late;

    Ledger(int seconds) {
        calls = new int[seconds];
        live = new int[seconds];
        stale = new int[seconds];
        hits = new int[seconds];
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

    /** Nobody had to be asked. */
    void hit(double madeAt) {
        hits[(int) madeAt]++;
        ended(madeAt, Answer.LIVE);
    }

    /** The same attempt, but counted each time. */
    Service counting(World world, Service attempt) {
        return until -> {
            int second = (int) world.now();
            if (second < attempts.length) {
                attempts[second]++;
            } else {
                late++;
            }
            return attempt.ask(until);
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

    /** Attempts for each call for which somebody had to be asked, over the whole run. */
    double amplification() {
        int asked = calls(0, seconds()) - sum(hits, 0, seconds());
        return (double) (attempts(0, seconds()) + late) / Math.max(1, asked);
    }

    private static int sum(int[] counts, int from, int to) {
        return Arrays.stream(counts, from, to).sum();
    }
}
