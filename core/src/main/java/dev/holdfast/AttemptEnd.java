/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import java.time.Duration;
import java.util.Optional;

/**
 * How one attempt of a call ended, and why it was the last one.
 *
 * @param number from 1
 * @param outcome how it ended
 * @param duration how long the action ran, without waits
 * @param refusal why there was no further attempt; empty if there was one, or if none was wanted (a success, an error that is
 *     not retried, no retry policy)
 */
public record AttemptEnd(int number, Outcome outcome, Duration duration, Optional<Refusal> refusal) {
    @Override
    public String toString() {
        String why = refusal.map(reason -> ", no further one: " + reason).orElse("");
        return "#" + number + " " + outcome + " after " + duration.toMillis() + " ms" + why;
    }
}
