/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import java.time.Duration;
import java.util.Optional;

/**
 * One run of an action, as the action sees it. Safe for any number of threads, also after the attempt has ended. The pipeline
 * implements it; a test may implement it, too.
 */
public interface Attempt {
    /** The number of the attempt in its call; the first is 1. */
    int number();

    /**
     * The time that this attempt has left: at least a nanosecond, because clients refuse a timeout of zero; about 292 years without
     * a limit.
     */
    Duration remaining();

    /** As {@link #remaining}, in nanoseconds: 0 if the time is over; {@link Long#MAX_VALUE} without a limit. */
    long remainingNanos();

    /** Whether the attempt was given up, so that nobody waits for its answer. */
    boolean isCancelled();

    /**
     * Whether it runs for a cache in the background, and not for the call that has brought the action: the call may be over. Such an
     * attempt must not use what belongs to that call, such as a connection or what its caller can cancel.
     */
    default boolean isRefresh() {
        return false;
    }

    /**
     * Registers a hook that runs when the attempt is given up. Use it for work that neither an interrupt nor a cancelled future
     * stops: close a socket, cancel a statement.
     *
     * <p>If the action blocks, the hook runs on another thread. If the attempt was given up already, the hook runs at once, on
     * this thread. If the attempt ends by itself, the hook never runs.
     */
    void onCancel(Runnable hook);

    /**
     * How one attempt of a call ended, and why it was the last one.
     *
     * @param number from 1
     * @param outcome how it ended
     * @param duration how long the action ran, without waits; empty for a first attempt that nothing measured: no limit, no
     *     policy that asks ({@link dev.holdfast.spi.Policy#timing}), no observer, no {@link Reply}
     * @param refusal why there was no further attempt; empty if there was one, or if none was wanted (a success, an error that is
     *     not retried, no retry policy)
     */
    record End(int number, Outcome outcome, Optional<Duration> duration, Optional<Refusal> refusal) {
        @Override
        public String toString() {
            String why = refusal.map(reason -> ", no further one: " + reason).orElse("");
            String after =
                    duration.map(took -> " after " + took.toMillis() + " ms").orElse("");
            return "#" + number + " " + outcome + after + why;
        }
    }
}
