/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

/** The attempts that have ended since the last judgement of {@link LossLimit}. Not for several threads at once. */
final class Period {
    private boolean first = true;
    private boolean begun;
    private long beganAt;
    private long endedAt;
    private int inTime;
    private int late;
    private int lost;
    private int refused;
    private int timed;
    private long timedNanos;
    private int mostInFlight;

    /**
     * An attempt has ended. A period begins with its first one, and the time that this one took is part of it, as far as it is not
     * part of the period before: a process with few calls needs no second one to see how a whole attempt went.
     */
    void ended(long now, long nanos, int inFlight) {
        if (!begun) {
            begun = true;
            beganAt = now - (first ? nanos : Math.min(nanos, now - endedAt));
        }
        mostInFlight = Math.max(mostInFlight, inFlight);
    }

    void countInTime() {
        inTime++;
    }

    void countLate() {
        late++;
    }

    void countLost(int more, boolean wereRefused) {
        lost += more;
        refused += wereRefused ? more : 0;
    }

    /** An attempt was served within this time. */
    void time(long nanos) {
        timed++;
        timedNanos += nanos;
    }

    void end(long now) {
        first = false;
        begun = false;
        endedAt = now;
        inTime = 0;
        late = 0;
        lost = 0;
        refused = 0;
        timed = 0;
        timedNanos = 0;
        mostInFlight = 0;
    }

    long age(long now) {
        return now - beganAt;
    }

    int inTime() {
        return inTime;
    }

    int late() {
        return late;
    }

    int served() {
        return inTime + late;
    }

    int lost() {
        return lost;
    }

    /** Whether most of the lost ones were refused at once. */
    boolean isRefused() {
        return 2 * refused > lost;
    }

    int bad() {
        return late + lost;
    }

    int all() {
        return inTime + late + lost;
    }

    int mostInFlight() {
        return mostInFlight;
    }

    int timed() {
        return timed;
    }

    long meanNanos() {
        return timedNanos / timed;
    }
}
