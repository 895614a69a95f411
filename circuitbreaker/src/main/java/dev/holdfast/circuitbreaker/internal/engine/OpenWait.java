/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.engine;

import dev.holdfast.internal.Checks;
import dev.holdfast.internal.SafeLog;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * How long the breaker stays open. If the user gave a function, it is asked but not trusted: whatever it does, there is a
 * wait. Safe for any number of threads.
 */
public final class OpenWait {
    private static final SafeLog LOG = SafeLog.of(OpenWait.class.getName());
    private static final long SHORTEST = 1;
    private static final long LONGEST = Duration.ofDays(1).toMillis();

    private final Duration first;
    private final double multiplier;
    private final Duration most;
    private final @Nullable Function<? super Integer, Long> function;
    private final AtomicBoolean warned = new AtomicBoolean();

    /** The function may be null; if there is one, it is used instead of the others. */
    public OpenWait(
            Duration first, double multiplier, Duration most, @Nullable Function<? super Integer, Long> function) {
        this.first = first;
        this.multiplier = multiplier;
        this.most = most;
        this.function = function;
    }

    /** The wait of the n-th opening in a row; the first is 1. */
    public long millis(int opening) {
        Long asked = function == null ? null : asked(function, opening);
        return asked == null ? grown(opening) : Math.max(SHORTEST, Math.min(asked, LONGEST));
    }

    /** The answer of the function; null if it gives none. */
    @SuppressWarnings("CatchingThrowable") // the call that opens the breaker must end with its own error
    private @Nullable Long asked(Function<? super Integer, Long> of, int opening) {
        Throwable thrown = null;
        try {
            Long millis = of.apply(opening);
            if (millis != null) {
                return millis;
            }
        } catch (Throwable e) {
            thrown = e;
        }
        if (warned.compareAndSet(false, true)) {
            LOG.warn(
                    "waitIntervalFunctionInOpenState " + (thrown == null ? "returned null" : "threw") + " for opening "
                            + opening + "; the wait is " + Checks.text(Duration.ofMillis(grown(opening)))
                            + ", by the other options; told once",
                    thrown);
        }
        return null;
    }

    private long grown(int opening) {
        long start = first.toMillis();
        if (multiplier == 1) {
            return start;
        }
        // A value beyond the range of long becomes the largest long, and then the maximum.
        long grown = (long) (start * Math.pow(multiplier, opening - 1));
        return Math.max(start, Math.min(grown, most.toMillis()));
    }
}
