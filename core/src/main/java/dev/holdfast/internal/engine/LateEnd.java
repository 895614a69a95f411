/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.spi.TimeSource;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The end of a layer's entry, put off while work goes on although its outcome is decided. Made only in this rare case. It keeps
 * what the layer remembered of the entry, so that the late end finds its permit.
 */
final class LateEnd implements Runnable {
    /** Work that goes on for longer than this after its outcome was decided is an overrun. */
    static final long GRACE_NANOS = 10_000_000;

    private final CallState view;
    private final AtomicInteger outstanding = new AtomicInteger(1);
    private final AtomicBoolean told = new AtomicBoolean();
    /** Made beforehand: when the work ends, there may be no memory for it. */
    private final Runnable leaving;

    private volatile TimeSource.@Nullable Timer lease;

    private LateEnd(CallState view) {
        this.view = view;
        leaving = new Leaving(view);
    }

    /**
     * Puts off the end of the current layer until all work inside its entry is over. Returns false if it is over already, and
     * the layer is to be told. If its lease was over before, it has been told.
     */
    static boolean defer(CallState call, List<Work> unfinished) {
        LateEnd end;
        try {
            if (hasEnded(call, unfinished)) {
                return true;
            }
            end = attached(call, unfinished);
        } catch (Throwable noMemory) {
            // What the layer holds comes back before the work has ended, which is better than never.
            Log.warn("the end of work that goes on could not be waited for", noMemory);
            return false;
        }
        if (end.outstanding.get() == 1) {
            return false;
        }
        try {
            end.startLease(call);
        } finally {
            end.workEnded();
        }
        return true;
    }

    private static boolean hasEnded(CallState call, List<Work> unfinished) {
        for (Work work : unfinished) {
            if (work.hasEnded(call.cursor)) {
                work.left(call.cursor);
                return true;
            }
        }
        return false;
    }

    /** If this throws, the end that it made never comes: it waits for one more than will be told. */
    private static LateEnd attached(CallState call, List<Work> unfinished) {
        LateEnd end = new LateEnd(call.detached(call.cursor));
        for (Work work : unfinished) {
            if (work.reaches(call.cursor)) {
                end.outstanding.incrementAndGet();
                if (!work.attach(end)) {
                    end.outstanding.decrementAndGet();
                }
            }
        }
        return end;
    }

    /** A retry of this layer enters the inner layers anew. Work that still runs belongs to their earlier entries. */
    static void detach(List<Work> unfinished, int layer) {
        unfinished.removeIf(Work::isOver);
        for (Work work : unfinished) {
            work.reachOnly(layer);
        }
    }

    private void startLease(CallState call) {
        long nanos = call.engine.hooks.lease(call.cursor);
        if (nanos != Long.MAX_VALUE) {
            try {
                lease = call.time().schedule(nanos, this);
            } catch (Throwable noTimer) {
                // Without a lease: the work's end must still find what it is to give back.
                Log.warn("no timer for a lease", noTimer);
            }
        }
    }

    /** The lease is over. */
    @Override
    public void run() {
        view.engine.hooks.leaseIsOver(this::leaseIsOver, view.cursor);
    }

    private void leaseIsOver() {
        tell(true);
    }

    void workEnded() {
        if (outstanding.decrementAndGet() == 0) {
            TimeSource.Timer timer = lease;
            if (timer != null) {
                timer.cancel();
            }
            tell(false);
        }
    }

    private void tell(boolean writtenOff) {
        if (told.compareAndSet(false, true)) {
            view.writtenOff = writtenOff;
            view.readNow();
            Carrier.within(view.context, leaving);
        }
    }

    /** No lambda: linking one takes more of the stack than there may be. */
    record Leaving(CallState view) implements Runnable {
        @Override
        public void run() {
            view.engine.walk.end(view);
        }
    }
}
