/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import java.time.Duration;
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

    Reply(T value, Source source, long ageNanos, int attempts) {
        this.value = value;
        this.source = source;
        this.ageNanos = ageNanos;
        this.attempts = attempts;
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

    @Override
    public String toString() {
        return "Reply[" + source + ", age " + age() + ", attempts " + attempts + "]";
    }
}
