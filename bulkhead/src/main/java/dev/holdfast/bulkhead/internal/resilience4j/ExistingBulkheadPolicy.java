/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.bulkhead.internal.resilience4j;

import dev.holdfast.Reason;
import dev.holdfast.internal.Checks;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadFullException;
import io.github.resilience4j.core.exception.AcquirePermissionCancelledException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;

/** Uses an existing resilience4j bulkhead. Has no queue, and does not change the bulkhead's settings. */
public final class ExistingBulkheadPolicy extends Policy {
    /** The slot value of a call that has a permission. */
    private static final long HELD = 1;

    private final Bulkhead bulkhead;
    private final long leaseNanos;
    private final LongAdder writtenOff = new LongAdder();

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
    public int enter(Passage passage) {
        // Asked each time: the config may change.
        if (!bulkhead.getBulkheadConfig().getMaxWaitDuration().isZero()) {
            return enterAfterItsWait(passage);
        }
        if (bulkhead.tryAcquirePermission()) {
            passage.slot(HELD);
            return PROCEED;
        }
        return rejectFull(passage, BulkheadFullException.createBulkheadFullException(bulkhead));
    }

    /** Blocks. */
    private int enterAfterItsWait(Passage passage) {
        try {
            bulkhead.acquirePermission();
        } catch (AcquirePermissionCancelledException interrupted) {
            String message = "call of '" + passage.pipeline() + "' was interrupted while it waited for resilience4j's '"
                    + bulkhead.getName() + "'";
            return passage.reject(Reason.INTERRUPTED, -1, message, interrupted);
        } catch (BulkheadFullException full) {
            return rejectFull(passage, full);
        }
        passage.slot(HELD);
        return passage.pause(0);
    }

    private int rejectFull(Passage passage, BulkheadFullException full) {
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
    public void meters(Meters meters) {
        Bulkhead.Metrics metrics = bulkhead.getMetrics();
        meters.gauge(
                "bulkhead.in.flight",
                "Permits that are out",
                () -> metrics.getMaxAllowedConcurrentCalls() - metrics.getAvailableConcurrentCalls());
        meters.gauge("bulkhead.limit", "Permits in all", metrics::getMaxAllowedConcurrentCalls);
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
