/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An answer, and where it came from. Immutable.
 *
 * @param <T> the type of the answer
 */
public final class Reply<T extends @Nullable Object> {
    private final T value;
    private final Source source;
    private final Duration age;
    private final int attempts;
    private final List<Attempt.End> history;

    /**
     * Makes a reply. The pipeline does this, and tests of code that takes a reply.
     *
     * @param attempts how often the action was started
     * @param history how the attempts ended; not copied
     */
    public Reply(T value, Source source, Duration age, int attempts, List<Attempt.End> history) {
        this.value = value;
        this.source = source;
        this.age = age;
        this.attempts = attempts;
        this.history = history;
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
        return age;
    }

    /** How often the action was started for this call; 0 if the answer needed no attempt. */
    public int attempts() {
        return attempts;
    }

    /** How the attempts ended, in their order: the last 16 at most; empty if the answer needed none. */
    public List<Attempt.End> history() {
        return history;
    }

    @Override
    public String toString() {
        return "Reply[" + source + ", age " + age() + ", attempts " + attempts + "]";
    }

    /** Where an answer came from. */
    public enum Source {
        /** The dependency, now: through this call, or through another call for the same key that this one joined. */
        LIVE,
        /** The cache; the value is younger than its fresh time. */
        FRESH,
        /** The cache; the value is older than its fresh time, and is refreshed in the background when that is possible. */
        STALE_REVALIDATING,
        /** The cache, because the call failed or was rejected. */
        STALE_ON_ERROR,
        /** The fallback. */
        FALLBACK
    }
}
