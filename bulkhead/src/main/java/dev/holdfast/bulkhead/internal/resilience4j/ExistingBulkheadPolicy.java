/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.resilience4j;

import dev.holdfast.Reason;
import dev.holdfast.internal.Checks;
import dev.holdfast.internal.Interrupts;
import dev.holdfast.internal.Refused;
import dev.holdfast.internal.SafeLog;
import dev.holdfast.spi.Completion;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadFullException;
import io.github.resilience4j.core.exception.AcquirePermissionCancelledException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;

/** Uses an existing resilience4j bulkhead. Has no queue, and does not change the bulkhead's settings. */
public final class ExistingBulkheadPolicy extends Policy {
    private static final SafeLog LOG = SafeLog.of(ExistingBulkheadPolicy.class.getName());

    /** The slot value of a call that has a permission. */
    private static final long HELD = 1;

    /** What a call waits for that has waited already. */
    private static final Completion COME = new Completion();

    static {
        COME.complete();
    }

    private final Bulkhead bulkhead;
    private final long leaseNanos;
    private final LongAdder writtenOff = new LongAdder();
    private final LongAdder rejected = new LongAdder();
    private final AtomicBoolean warned = new AtomicBoolean();

    /** Work that never ends is written off after the lease. */
    public ExistingBulkheadPolicy(Bulkhead existing, Duration lease) {
        super("bulkhead", ENTER | ENDED);
        bulkhead = Objects.requireNonNull(existing, "existing");
        leaseNanos = lease.toNanos();
    }

    @Override
    public Timing timing() {
        return Timing.NONE;
    }

    @Override
    @SuppressWarnings("CatchingThrowable")
    public int enter(Passage passage) {
        if (passage.object() instanceof BulkheadFullException full) {
            passage.object(null);
            return rejectFull(passage, full);
        }
        // Asked each time: the config may change.
        if (!bulkhead.getBulkheadConfig().getMaxWaitDuration().isZero()) {
            return enterAfterItsWait(passage);
        }
        boolean permitted;
        try {
            permitted = bulkhead.tryAcquirePermission();
        } catch (Throwable broken) {
            return rejectBroken(passage, broken);
        }
        if (permitted) {
            passage.slot(HELD);
            return PROCEED;
        }
        return rejectFull(passage, BulkheadFullException.createBulkheadFullException(bulkhead));
    }

    /**
     * A consumer of the bulkhead's events threw. The bulkhead has told of a permit that it has given, or of a full house: nobody
     * knows which. A consumer of ours does not either, because those before it are called first, and the first to throw ends the
     * round. One permit too few is better than calls beyond the limit, so none is given back.
     */
    private int rejectBroken(Passage passage, Throwable broken) {
        Interrupts.keep(broken);
        if (warned.compareAndSet(false, true)) {
            LOG.warn(
                    "bulkhead '" + bulkhead.getName()
                            + "' threw when it was asked for a permit; a consumer of its events"
                            + " must not throw: the permit may be lost; told once",
                    broken);
        }
        String message = "resilience4j's '" + bulkhead.getName() + "' threw when '" + passage.pipeline()
                + "' asked it for a permit: " + broken;
        return passage.reject(Reason.OTHER, -1, message, broken);
    }

    /** Blocks. */
    @SuppressWarnings("CatchingThrowable")
    private int enterAfterItsWait(Passage passage) {
        try {
            bulkhead.acquirePermission();
        } catch (AcquirePermissionCancelledException interrupted) {
            String message = "call of '" + passage.pipeline() + "' was interrupted while it waited for resilience4j's '"
                    + bulkhead.getName() + "'";
            return passage.reject(Reason.INTERRUPTED, -1, message, interrupted);
        } catch (BulkheadFullException full) {
            // Asked again after a look at the clock: if the time is over, that is the reason.
            passage.object(full);
            return passage.await(COME, 0);
        } catch (Throwable broken) {
            return rejectBroken(passage, broken);
        }
        passage.slot(HELD);
        return passage.pause(0);
    }

    private int rejectFull(Passage passage, BulkheadFullException full) {
        Refused.count(passage, rejected);
        int limit = bulkhead.getMetrics().getMaxAllowedConcurrentCalls();
        String message = "bulkhead of '" + passage.pipeline() + "' is full: all " + limit
                + " permits of resilience4j's '" + bulkhead.getName() + "' are out";
        return passage.reject(Reason.BULKHEAD_FULL, -1, message, full);
    }

    @Override
    public void abandon(Passage passage) {
        if (passage.slot() == HELD) {
            bulkhead.releasePermission();
        }
    }

    @Override
    public void ended(Passage passage) {
        if (passage.slot() != HELD) {
            return;
        }
        if (passage.started()) {
            bulkhead.onComplete();
        } else {
            // No action ran, so the bulkhead's listeners get no finished event.
            bulkhead.releasePermission();
        }
        if (passage.writtenOff()) {
            writtenOff.increment();
        }
    }

    @Override
    public long lease() {
        return leaseNanos;
    }

    @Override
    public boolean bindsOthers() {
        return true;
    }

    @Override
    public Object decidesWith() {
        return bulkhead;
    }

    @Override
    public void meters(Meters meters) {
        Bulkhead.Metrics metrics = bulkhead.getMetrics();
        meters.gauge(
                "bulkhead.in.flight",
                "Permits that are out",
                () -> metrics.getMaxAllowedConcurrentCalls() - metrics.getAvailableConcurrentCalls());
        meters.gauge("bulkhead.limit", "Permits in all", metrics::getMaxAllowedConcurrentCalls);
        meters.counter("bulkhead.rejected", "Calls that were turned away", rejected::sum);
        meters.counter("bulkhead.written.off", "Permits taken back from work that outlived its lease", writtenOff::sum);
    }

    @Override
    public List<String> warnings() {
        Duration wait = bulkhead.getBulkheadConfig().getMaxWaitDuration();
        if (wait.isZero()) {
            return List.of();
        }
        return List.of("resilience4j-blocking-wait: the bulkhead '" + bulkhead.getName() + "' has a maxWaitDuration of "
                + Checks.text(wait)
                + " and blocks the calling thread for so long, also that of an asynchronous call; set it to zero");
    }
}
