/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.throttling.internal.resilience4j;

import dev.holdfast.Reason;
import dev.holdfast.internal.Checks;
import dev.holdfast.internal.Interrupts;
import dev.holdfast.internal.Refused;
import dev.holdfast.internal.SafeLog;
import dev.holdfast.spi.Meters;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RequestNotPermitted;
import io.github.resilience4j.ratelimiter.internal.SemaphoreBasedRateLimiter;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** Uses an existing resilience4j rate limiter, by reservation. Does not change the limiter's settings. */
public final class ExistingRateLimiterPolicy extends Policy {
    private static final SafeLog LOG = SafeLog.of(ExistingRateLimiterPolicy.class.getName());

    private final RateLimiter limiter;
    private final AtomicBoolean warned = new AtomicBoolean();
    private final LongAdder rejected = new LongAdder();
    private final LongAdder waited = new LongAdder();

    /** Refuses a limiter without reservations. */
    public ExistingRateLimiterPolicy(RateLimiter existing) {
        super("throttle", hearsFor(Objects.requireNonNull(existing, "existing")));
        limiter = existing;
    }

    /** Only a limiter that drains its permissions after certain outcomes needs the outcomes. */
    private static int hearsFor(RateLimiter limiter) {
        if (limiter instanceof SemaphoreBasedRateLimiter) {
            throw new IllegalArgumentException(
                    "rate limiter '" + limiter.getName() + "' knows no reservations; use an AtomicRateLimiter");
        }
        boolean drains = limiter.getRateLimiterConfig().getDrainPermissionsOnResult() != null;
        return drains ? ENTER | SUCCESS | FAILURE : ENTER;
    }

    @Override
    public Timing timing() {
        return Timing.NONE;
    }

    @Override
    @SuppressWarnings("CatchingThrowable")
    public int enter(Passage passage) {
        if (!passage.mayWait() && limiter.getMetrics().getAvailablePermissions() < passage.weight()) {
            return passage.pause(1); // which ends a hedge; a reservation for later could not be given back
        }
        long wait;
        try {
            wait = limiter.reservePermission(passage.weight());
        } catch (Throwable broken) {
            // A consumer of its events. Whether it has given a permission, nobody knows: so this call has none.
            Refused.count(passage, rejected);
            warn("was asked for a permission", broken);
            String message = "resilience4j's '" + limiter.getName() + "' threw when '" + passage.pipeline()
                    + "' asked it for a permission: " + broken;
            return passage.reject(Reason.OTHER, -1, message, broken);
        }
        if (wait == 0) {
            return PROCEED;
        }
        if (wait < 0) {
            return turnAway(passage, -1, "within its timeout", RequestNotPermitted.createRequestNotPermitted(limiter));
        }
        if (wait >= passage.remaining()) {
            return turnAway(passage, wait, "before " + Checks.time(wait), null);
        }
        waited.increment();
        return passage.pause(wait);
    }

    private int turnAway(Passage passage, long retryAfter, String when, @Nullable Throwable cause) {
        Refused.count(passage, rejected);
        String message = "throttle of '" + passage.pipeline() + "' has no permission of resilience4j's '"
                + limiter.getName() + "' " + when;
        return passage.reject(Reason.THROTTLED, retryAfter, message, cause);
    }

    @Override
    public int settle(Passage passage) {
        if (passage.started()) {
            told(passage);
        }
        return KEEP;
    }

    /** The predicate that drains the limiter, and consumers of its events, may throw, but the call must end with its own outcome. */
    @SuppressWarnings("CatchingThrowable")
    private void told(Passage passage) {
        try {
            Throwable error = passage.error();
            if (error != null) {
                limiter.onError(error);
            } else {
                limiter.onResult(passage.value());
            }
        } catch (Throwable e) {
            warn("was told of a result", e);
        }
    }

    private void warn(String when, Throwable broken) {
        Interrupts.keep(broken);
        if (warned.compareAndSet(false, true)) {
            LOG.warn("rate limiter '" + limiter.getName() + "' threw when it " + when + "; told once", broken);
        }
    }

    @Override
    public boolean bindsOthers() {
        return true;
    }

    @Override
    public void meters(Meters meters) {
        RateLimiter.Metrics metrics = limiter.getMetrics();
        meters.gauge("throttle.available", "Calls that could start at once now", metrics::getAvailablePermissions);
        meters.counter("throttle.rejected", "Calls that were turned away", rejected::sum);
        meters.counter("throttle.waited", "Calls that were held back", waited::sum);
    }
}
