/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

/** Sums over the calls of some time: their times, their costs, and how many ran. Not safe for several threads. */
final class Samples {
    private long startNanos;
    private long endNanos;
    private int count;
    private int dropped;
    private double time;
    private double sum;
    private double squares;
    private double inFlight;
    private int mostInFlight;

    /** Adds a call that ended, with its cost. */
    void add(long now, long nanos, double cost, int running, boolean drop) {
        if (count == 0) {
            startNanos = now;
        }
        endNanos = now;
        count++;
        dropped += drop ? 1 : 0;
        time += nanos;
        sum += cost;
        squares += cost * cost;
        inFlight += running;
        mostInFlight = Math.max(mostInFlight, running);
    }

    void addAll(Samples other) {
        if (count == 0) {
            startNanos = other.startNanos;
        }
        endNanos = other.endNanos;
        count += other.count;
        dropped += other.dropped;
        time += other.time;
        sum += other.sum;
        squares += other.squares;
        inFlight += other.inFlight;
        mostInFlight = Math.max(mostInFlight, other.mostInFlight);
    }

    void clear() {
        count = 0;
        dropped = 0;
        time = 0;
        sum = 0;
        squares = 0;
        inFlight = 0;
        mostInFlight = 0;
    }

    int count() {
        return count;
    }

    long endNanos() {
        return endNanos;
    }

    long lastedNanos() {
        return endNanos - startNanos;
    }

    int mostInFlight() {
        return mostInFlight;
    }

    double meanInFlight() {
        return inFlight / count;
    }

    double droppedShare() {
        return (double) dropped / count;
    }

    double meanNanos() {
        return time / count;
    }

    /** The mean cost of a call. */
    double mean() {
        return sum / count;
    }

    /** The standard error of the mean: how far off the mean may be. */
    double error() {
        double mean = mean();
        double variance = Math.max(0, squares / count - mean * mean);
        return count < 2 ? mean : Math.sqrt(variance / (count - 1));
    }
}
