/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import dev.holdfast.internal.Stripes;
import dev.holdfast.throttling.internal.engine.Gcra;
import dev.holdfast.valkey.TurnQueue.Grant;
import org.jspecify.annotations.Nullable;

/** The share of this process while the store is away, and as it comes back. Guarded by the lock of the permits. */
final class LocalShare {
    private final SharedThrottleSettings settings;
    /** For so many processes. */
    private int replicas;

    /** Null while the store decides. */
    private @Nullable Gcra line;
    /** Whether another throttle has taken this one's place, and sets the limit. */
    private boolean handedOver;

    LocalShare(SharedThrottleSettings settings) {
        this.settings = settings;
        replicas = settings.replicas();
    }

    /** Returns whether the number of processes has changed. */
    boolean follows(long now) {
        int processes = settings.replicas();
        if (processes == replicas) {
            return false;
        }
        replicas = processes;
        Gcra own = line;
        if (own != null && !handedOver) {
            line = with(own, now);
        }
        return true;
    }

    /**
     * Begins, if it has not.
     *
     * @param empty the store may just have given its burst away
     */
    void begin(boolean empty, long now) {
        if (line == null) {
            Gcra own = new Gcra(settings.limit(), per(), burst());
            if (empty) {
                own.startWith(0, now);
            }
            line = own;
        }
    }

    void end() {
        line = null;
    }

    /** Reserves no place of later: when its time comes, the store may be back, and have got a permit for the same time. */
    @Nullable
    Grant take(long now) {
        Gcra own = line;
        if (own == null) {
            return null;
        }
        long place = own.reserve(now, 0, Stripes.current());
        while (place == Gcra.MOVED) { // the throttle that took this one's place has changed its share
            own = own.successor();
            place = own.reserve(now, 0, Stripes.current());
        }
        return place == Gcra.NONE ? null : new Grant(place, own, null);
    }

    /** Nanoseconds until the last of so many calls could start; 0 if the share is not in use. */
    long untilFree(long now, int calls) {
        Gcra own = line;
        return own == null ? 0 : own.untilFree(now, calls);
    }

    /** Both have one share from now on, with the limit of the next one. */
    void handOver(LocalShare next, long now) {
        handedOver = true;
        Gcra own = line;
        if (own != null) {
            line = next.with(own, now);
        }
    }

    @Nullable
    Gcra line() {
        return line;
    }

    void takeOver(@Nullable Gcra previous) {
        handedOver = false; // it may be the one before, and is put back
        line = previous;
    }

    private Gcra with(Gcra own, long now) {
        return own.with(settings.limit(), per(), burst(), now);
    }

    private long per() {
        return settings.per().toNanos() * replicas;
    }

    private int burst() {
        return Math.max(1, settings.burst() / replicas);
    }
}
