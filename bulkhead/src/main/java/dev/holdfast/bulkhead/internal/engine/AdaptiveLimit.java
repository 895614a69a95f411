/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.engine;

import java.util.function.DoubleSupplier;

/**
 * A limit that changes with what becomes of attempts. Admits no call itself, and has no clock. Safe for any number of
 * threads. Times are in nanoseconds; that of an attempt is 0 where it was not measured.
 */
public interface AdaptiveLimit {
    /** The limit now; 0 during a pause. */
    int limit();

    /** The limit that was decided last: without the permits that are only held back for the moment. */
    int decided();

    /** Whether it need not be told that an attempt of this time was served. */
    boolean isIndifferentTo(long nanos);

    /** The dependency served an attempt. */
    void served(long now, long nanos, int inFlight);

    /** An attempt ended in a timeout or a pushback. */
    void dropped(long now, long nanos, int inFlight, DoubleSupplier random);

    /** A limit of its caller ended an attempt. Returns whether it counts as {@link #dropped}. */
    default boolean cutShort(long now, long nanos) {
        return false;
    }

    /** An attempt failed. */
    void failed(long now, long nanos, int inFlight, DoubleSupplier random);

    /** Whether a pushback after this time counts as {@link #refused}, and not as {@link #dropped}. */
    default boolean isRefusedAtOnce(long nanos) {
        return false;
    }

    /** An attempt was refused at once: it has been in no queue. */
    default void refused(long now, long nanos, int inFlight, DoubleSupplier random) {
        failed(now, nanos, inFlight, random);
    }

    /** As {@link #dropped} or {@link #failed}, of an attempt that repeats one. */
    default void lostAgain(long now, long nanos, int inFlight, boolean dropped, DoubleSupplier random) {
        if (dropped) {
            dropped(now, nanos, inFlight, random);
        } else {
            failed(now, nanos, inFlight, random);
        }
    }

    /** A call finds no permit. */
    void wanted();

    /** How long the limit stays 0; 0 if it is not 0, or not any more. */
    long pauseNanos(long now);

    /** Changes the maximum. */
    void ceiling(int most);
}
