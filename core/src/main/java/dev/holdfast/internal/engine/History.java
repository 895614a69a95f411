/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.Attempt;
import dev.holdfast.Outcome;
import dev.holdfast.Refusal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How the attempts of one call ended, the last {@link #MOST} of them. Made when an attempt fails, and kept with the call's
 * object. So a call that succeeds at first never makes one, and a failing call not every time.
 */
final class History {
    static final int MOST = 16;

    private final Outcome[] outcomes = new Outcome[MOST];
    private final long[] nanos = new long[MOST];
    private int count;
    private @Nullable Refusal refusal;
    private boolean begun;

    void clear() {
        // Read first: it is mostly 0, and a write into an old object costs more than a read.
        if (count != 0) {
            count = 0;
            refusal = null;
            begun = false;
        }
    }

    boolean isEmpty() {
        return count == 0;
    }

    /** Whether the dependency may have begun the work of one of the attempts, which may be older than the last of them. */
    boolean hasBegun() {
        return begun;
    }

    void add(int number, Outcome outcome, long tookNanos, boolean mayHaveBegun) {
        begun |= mayHaveBegun;
        count = number;
        outcomes[number % MOST] = outcome;
        nanos[number % MOST] = tookNanos;
        // There was another attempt, so an earlier refusal of an inner layer no longer matters.
        refusal = null;
    }

    void refused(Refusal why) {
        refusal = why;
    }

    List<Attempt.End> list() {
        List<Attempt.End> list = new ArrayList<>(Math.min(count, MOST));
        for (int number = Math.max(1, count - MOST + 1); number <= count; number++) {
            list.add(end(number));
        }
        return List.copyOf(list);
    }

    private Attempt.End end(int number) {
        Optional<Refusal> why = number == count ? Optional.ofNullable(refusal) : Optional.empty();
        long took = nanos[number % MOST];
        Optional<Duration> duration = took < 0 ? Optional.empty() : Optional.of(Duration.ofNanos(took));
        return new Attempt.End(number, outcomes[number % MOST], duration, why);
    }
}
