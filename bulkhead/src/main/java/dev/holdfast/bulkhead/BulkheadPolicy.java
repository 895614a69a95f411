/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead;

import dev.holdfast.Reason;
import dev.holdfast.bulkhead.Permits.Ticket;
import dev.holdfast.spi.Checks;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import io.github.resilience4j.bulkhead.Bulkhead;
import java.time.Duration;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;

/**
 * Limits how many calls run at once, so that one slow dependency cannot take every thread.
 *
 * <p>A call that finds no free permit joins a bounded queue, first come, first served, for at most {@code maxWait}; a
 * permit that comes back is handed to the first in it. Blocking and asynchronous calls wait in the same queue, the latter
 * without a thread. A call is turned away with {@link Reason#BULKHEAD_FULL} if the queue is full, if it has waited for too
 * long, or if it has no time left to wait.
 *
 * <p>The permit follows the work: it comes back exactly once, when the work of the attempt is really over, which after a
 * timeout may be later than the outcome. Work that never ends is written off after {@code lease}. Safe for any number of
 * threads; one instance for one dependency. Allocates nothing unless a call waits.
 */
public final class BulkheadPolicy extends Policy {
    static final String NAME = "bulkhead";

    /** In the slot of a call that has a permit. */
    private static final long HELD = 1;

    private final BulkheadSettings settings;
    private final Permits permits;
    private final long maxWaitNanos;
    private final long leaseNanos;
    private final LongAdder writtenOff = new LongAdder();

    private BulkheadPolicy(BulkheadSettings settings) {
        super(NAME, ENTER | ENDED);
        this.settings = settings;
        permits = new Permits(settings.maxConcurrentCalls(), settings.maxWaitingCalls());
        maxWaitNanos = settings.maxWait().toNanos();
        leaseNanos = settings.lease().toNanos();
    }

    /**
     * A bulkhead whose settings differ from the defaults in what the function sets.
     *
     * @throws dev.holdfast.spi.InvalidSettingsException if a value is out of range
     */
    public static BulkheadPolicy of(Consumer<? super BulkheadSettings.Builder> changes) {
        return of(BulkheadSettings.of(changes));
    }

    /** A bulkhead with these settings. */
    public static BulkheadPolicy of(BulkheadSettings settings) {
        return new BulkheadPolicy(settings);
    }

    /** A bulkhead of 25 permits, before which 100 calls may wait for 100 ms each. */
    public static BulkheadPolicy ofDefaults() {
        return of(BulkheadSettings.builder().build());
    }

    /**
     * An existing bulkhead of resilience4j, which stays shared with whatever else uses it.
     *
     * <p>It has no queue: a call that finds it full is turned away at once, with resilience4j's {@code
     * BulkheadFullException} as the cause. It should have a {@code maxWaitDuration} of zero, since any other blocks the
     * calling thread, also that of an asynchronous call; the pipeline warns of it. The lease is the default one.
     */
    public static Policy of(Bulkhead existing) {
        return new ExistingBulkheadPolicy(existing);
    }

    @Override
    public int enter(Passage passage) {
        if (passage.object() instanceof Ticket ticket) {
            return afterWaiting(passage, ticket);
        }
        if (permits.tryAcquire()) {
            passage.slot(HELD);
            return PROCEED;
        }
        long wait = Math.min(maxWaitNanos, passage.remaining());
        Ticket ticket = wait > 0 ? permits.join() : null;
        if (ticket == null) {
            return passage.reject(Reason.BULKHEAD_FULL, -1, fullMessage(passage));
        }
        if (ticket.granted()) {
            passage.slot(HELD);
            return PROCEED;
        }
        passage.object(ticket);
        return passage.await(ticket, wait);
    }

    /** The ticket decides, not the time: one that was granted in the last moment holds a permit. */
    private int afterWaiting(Passage passage, Ticket ticket) {
        passage.object(null);
        if (ticket.granted() || !permits.withdraw(ticket)) {
            passage.slot(HELD);
            return PROCEED;
        }
        return passage.reject(Reason.BULKHEAD_FULL, -1, lateMessage(passage));
    }

    @Override
    public void abandon(Passage passage) {
        if (passage.object() instanceof Ticket ticket) {
            passage.object(null);
            if (!permits.withdraw(ticket)) {
                permits.release();
            }
        }
    }

    @Override
    public void ended(Passage passage) {
        if (passage.slot() == HELD) {
            passage.slot(0);
            if (passage.writtenOff()) {
                writtenOff.increment();
            }
            permits.release();
        }
    }

    @Override
    public long lease() {
        return leaseNanos;
    }

    @Override
    public void meters(Meters meters) {
        meters.gauge("bulkhead.in.flight", "Permits that are out", this::inFlight);
        meters.gauge("bulkhead.waiting", "Calls that wait for a permit", this::waiting);
        meters.gauge("bulkhead.limit", "Permits in all", permits::limit);
        meters.counter("bulkhead.written.off", "Permits taken back from work that outlived its lease", writtenOff::sum);
    }

    /** The settings that this bulkhead was made with. */
    public BulkheadSettings settings() {
        return settings;
    }

    /** How many permits are out just now. */
    public int inFlight() {
        return permits.inFlight();
    }

    /** How many calls wait for a permit just now. */
    public int waiting() {
        return permits.waiting();
    }

    /** How many permits were taken back from work that outlived its lease. */
    public long writtenOff() {
        return writtenOff.sum();
    }

    private String fullMessage(Passage passage) {
        return "bulkhead of '" + passage.pipeline() + "' is full: " + counts();
    }

    private String lateMessage(Passage passage) {
        long remaining = passage.remaining();
        Duration waited = settings.maxWait();
        String within = remaining <= 0 ? "the time of the call" : Checks.text(waited);
        return "bulkhead of '" + passage.pipeline() + "' is full: no permit came back within " + within + ", "
                + counts();
    }

    private String counts() {
        return permits.inFlight() + " of " + permits.limit() + " permits are out, " + permits.waiting() + " of "
                + permits.queueLimit() + " wait";
    }
}
