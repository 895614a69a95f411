/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.Outcome;
import dev.holdfast.internal.ShortLock;
import dev.holdfast.spi.TimeSource;
import java.util.ArrayList;
import java.util.List;

/**
 * The leases of a blocking attempt that was struck while its action holds the thread of the call. The walk cannot go up
 * before the action returns. If a layer's lease is over before that, its entry ends here, on another thread, and the walk
 * leaves it out. Made by the strike alone: an attempt that ends in time knows nothing of it.
 */
@SuppressWarnings("UnsynchronizedOverridesSynchronized") // it has a lock of its own
final class Overstay extends Work {
    /**
     * No monitor: a virtual thread of Java 21 that waits while it has one keeps its carrier. The timer's thread would wait for the
     * locks of policies, whose next owner may need that carrier.
     */
    private final ShortLock lock = new ShortLock();

    private final List<TimeSource.Timer> timers = new ArrayList<>(1);
    private boolean cameBack;
    /** The layers whose entry has ended here and which the walk has not left, a bit for each. */
    private long writtenOff;

    /**
     * On the thread that has struck the attempt, before the strike lands: the call does not change meanwhile. Begins nothing if
     * no layer has a lease, or the attempt runs on a thread of its own. Throws nothing: the thread must still be interrupted.
     */
    static void begin(CallState call, int reason) {
        Engine engine = call.engine;
        if (engine.dedicated != null) {
            return;
        }
        for (long left = engine.plan.onEnd & engine.plan.entered(call); left != 0; left &= left - 1) {
            int layer = Long.numberOfTrailingZeros(left);
            try {
                long nanos = engine.hooks.lease(layer);
                if (nanos != Long.MAX_VALUE && !hasEnded(call, layer)) {
                    // First known to the call, which then takes it back whatever happens here.
                    Overstay overstay = call.overstay();
                    overstay.start(call.detached(layer), reason, nanos);
                }
            } catch (Throwable broken) {
                Log.warn("no timer for a lease", broken);
            }
        }
    }

    /** Whether an earlier attempt of this call has outlived the lease of this layer, which is still the same entry. */
    private static boolean hasEnded(CallState call, int layer) {
        List<Work> unfinished = call.unfinished;
        return unfinished != null && unfinished.stream().anyMatch(work -> work.hasEnded(layer));
    }

    private void start(CallState view, int reason, long nanos) {
        if (reason == CallWord.BY_LIMIT) {
            view.outcome = Outcome.TIMEOUT;
            view.endedBy = view.limitOwner;
        } else {
            view.outcome = Outcome.CANCELLED;
        }
        timers.add(view.time().schedule(nanos, () -> view.engine.hooks.leaseIsOver(() -> writeOff(view), view.cursor)));
    }

    /** Under the lock: the thread of the call does not go on before the entry has ended. */
    private void writeOff(CallState view) {
        lock.lock();
        try {
            if (!cameBack) {
                writtenOff |= 1L << view.cursor;
                view.writtenOff = true;
                view.readNow();
                view.actionNanos = view.now() - view.attemptStart;
                view.valueNanos = view.actionNanos;
                Carrier.within(view.context, () -> view.engine.walk.end(view));
            }
        } finally {
            lock.unlock();
        }
    }

    /** On the thread of the call: the action has returned. Returns whether a lease was over before. */
    boolean comesBack() {
        lock.lock();
        try {
            cameBack = true;
            timers.forEach(TimeSource.Timer::cancel);
            return writtenOff != 0;
        } finally {
            lock.unlock();
        }
    }

    @Override
    boolean hasEnded(int layer) {
        lock.lock();
        try {
            return (writtenOff >>> layer & 1) != 0;
        } finally {
            lock.unlock();
        }
    }

    @Override
    void left(int layer) {
        lock.lock();
        try {
            writtenOff &= ~(1L << layer);
        } finally {
            lock.unlock();
        }
    }

    @Override
    boolean isOver() {
        lock.lock();
        try {
            return writtenOff == 0;
        } finally {
            lock.unlock();
        }
    }

    @Override
    boolean attach(LateEnd end) {
        return false;
    }
}
