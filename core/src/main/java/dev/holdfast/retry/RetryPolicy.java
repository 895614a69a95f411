/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.retry;

import dev.holdfast.CallTimeoutException;
import dev.holdfast.Outcome;
import dev.holdfast.spi.Passage;
import dev.holdfast.spi.Policy;
import dev.holdfast.spi.Refusal;
import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.UnknownHostException;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Tries a call again that failed, timed out or was pushed back, after a wait.
 *
 * <p>The dependency's own retry-after wins over the backoff, and a wait that does not fit into the remaining time is not
 * begun: then the call ends with what it has. What was turned away locally is not tried again unless asked; nor is an
 * operation that is not idempotent, where it is not known whether the work was done; nor a call inside the retry of an outer
 * pipeline. Costs a successful call nothing.
 */
public final class RetryPolicy extends Policy {
    // The slot: how often this entry was tried again above, the last wait below.
    private static final int WAIT_BITS = 48;
    private static final long WAIT_MASK = (1L << WAIT_BITS) - 1;
    private static final int MOST_COUNTED = 0x7fff;

    private final RetrySettings settings;

    private RetryPolicy(RetrySettings settings) {
        super("retry", FAILURE);
        this.settings = settings;
    }

    /** With these settings. */
    public static RetryPolicy of(RetrySettings settings) {
        return new RetryPolicy(settings);
    }

    /** With the defaults, changed by this. */
    public static RetryPolicy of(Consumer<? super RetrySettings.Builder> configure) {
        return of(RetrySettings.of(configure));
    }

    /** With the defaults. */
    public static RetryPolicy ofDefaults() {
        return of(RetrySettings.builder().build());
    }

    /** How it tries again. */
    public RetrySettings settings() {
        return settings;
    }

    @Override
    public int settle(Passage passage) {
        Outcome outcome = passage.outcome();
        boolean rejected = outcome == Outcome.REJECTED;
        if (rejected ? !settings.retryRejections() : !isDependencysFault(outcome)) {
            return KEEP;
        }
        Refusal refusal = refusal(passage, rejected);
        if (refusal != null) {
            return settings.maxAttempts() == 1 ? KEEP : passage.refuseRetry(refusal);
        }
        int tries = (int) (passage.slot() >>> WAIT_BITS) + 1;
        long wait = passage.retryAfter();
        if (wait < 0) {
            wait = settings.backoffNanos(tries, passage.slot() & WAIT_MASK);
        }
        wait = Math.max(wait, passage.heldRetry());
        passage.slot((long) Math.min(tries, MOST_COUNTED) << WAIT_BITS | Math.min(wait, WAIT_MASK));
        return passage.retry(wait);
    }

    private static boolean isDependencysFault(Outcome outcome) {
        return outcome == Outcome.FAILURE || outcome == Outcome.PUSHBACK || outcome == Outcome.TIMEOUT;
    }

    private @Nullable Refusal refusal(Passage passage, boolean rejected) {
        // A rejected try is no attempt, and counts all the same: else it would be tried for ever.
        int tries = Math.max(passage.attempts(), (int) (passage.slot() >>> WAIT_BITS) + 1);
        if (tries >= settings.maxAttempts()) {
            return Refusal.EXHAUSTED;
        }
        if (passage.outerAttempt() > 1 && !settings.retryInsideRetries()) {
            return Refusal.NESTED;
        }
        if (!rejected && !passage.idempotent() && mayHaveBeenDone(passage)) {
            return Refusal.NOT_IDEMPOTENT;
        }
        return null;
    }

    /** A timeout or a broken connection leaves open whether the work was done; one that was never made does not. */
    private static boolean mayHaveBeenDone(Passage passage) {
        Throwable error = passage.error();
        if (passage.outcome() == Outcome.TIMEOUT
                || error instanceof CallTimeoutException
                || error instanceof TimeoutException) {
            return true;
        }
        return error instanceof IOException && !neverConnected(error) && !neverConnected(error.getCause());
    }

    private static boolean neverConnected(@Nullable Throwable error) {
        return error instanceof ConnectException
                || error instanceof UnknownHostException
                || error instanceof NoRouteToHostException;
    }
}
