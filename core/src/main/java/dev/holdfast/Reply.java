/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * An answer, and where it came from. Immutable.
 *
 * @param <T> the type of the answer
 */
public final class Reply<T extends @Nullable Object> {
    private final T value;
    private final Source source;
    private final long ageNanos;
    private final int attempts;
    private final long lastNanos;
    private final @Nullable List<AttemptEnd> failures;

    Reply(T value, CallState call) {
        this.value = value;
        this.source = call.source;
        this.ageNanos = call.ageNanos;
        this.attempts = call.attempts;
        this.lastNanos = call.actionNanos;
        this.failures = call.failures();
    }

    /** The answer. */
    public T value() {
        return value;
    }

    /** Where the answer came from. */
    public Source source() {
        return source;
    }

    /** How old the answer is; zero unless it came from a cache. */
    public Duration age() {
        return Duration.ofNanos(ageNanos);
    }

    /** How often the action was started for this call; 0 if the answer needed no attempt. */
    public int attempts() {
        return attempts;
    }

    /** How the attempts ended, in their order: at most the last 16; empty if the answer needed none. */
    public List<AttemptEnd> history() {
        if (failures != null) {
            return failures;
        }
        return attempts == 0
                ? List.of()
                : List.of(new AttemptEnd(attempts, Outcome.SUCCESS, Duration.ofNanos(lastNanos), Optional.empty()));
    }

    @Override
    public String toString() {
        return "Reply[" + source + ", age " + age() + ", attempts " + attempts + "]";
    }
}
