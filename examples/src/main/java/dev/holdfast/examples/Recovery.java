/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** How long after the end of a fault the customers have live answers again. */
final class Recovery {
    private static final double SHARE = 0.95;
    private static final long WINDOW = TimeUnit.SECONDS.toNanos(1);
    private static final long LAST = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long STEP = TimeUnit.MILLISECONDS.toNanos(50);

    private Recovery() {}

    /**
     * The time from the end of the fault to the first second with at least 95 % live answers, if it is no flash in the
     * pan: from there to the end of the phase they are as many. What was sent in the last 100 ms does not count, for it
     * meets the next fault.
     *
     * @param health the phase that follows the fault
     * @return empty if there is no such second
     */
    static Optional<Long> nanos(Scoreboard answers, Phase health) {
        long end = health.endNanos() - LAST;
        for (long from = health.startNanos(); from + WINDOW <= end; from += STEP) {
            if (isWell(answers, from, from + WINDOW) && isWell(answers, from, end)) {
                return Optional.of(from - health.startNanos());
            }
        }
        return Optional.empty();
    }

    private static boolean isWell(Scoreboard answers, long from, long to) {
        return answers.sentBetween(from, to).liveShare() >= SHARE;
    }
}
