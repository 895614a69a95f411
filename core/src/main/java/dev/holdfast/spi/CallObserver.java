/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spi;

import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.Refusal;
import dev.holdfast.Reply.Source;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The one hook for metrics, logs and traces: told by the pipeline what happened to its calls.
 *
 * <p>Called on the call's own path, by many threads at once: an implementation must not block. One that throws is logged
 * once and breaks no call. Arguments are primitives and shared objects, so that telling costs no allocation. Operations
 * are named by the user and few; {@code operation} is null for a call that belongs to none.
 */
public interface CallObserver {

    /** A pipeline was built with this observer. */
    default void opened(Observed pipeline) {}

    /**
     * Who is told of the calls of this pipeline; asked once, after {@link #opened}. For an observer that keeps something for
     * each pipeline, and would else look it up with every call. By default this one.
     */
    default CallObserver forPipeline(Observed pipeline) {
        return this;
    }

    /** A pipeline was closed; whatever was made in {@link #opened} ends here. */
    default void closed(Observed pipeline) {}

    /**
     * A call has ended, and its outcome is about to be delivered.
     *
     * @param source where the answer came from; {@link Source#LIVE} if there is none
     * @param attempts how often the action was started
     * @param nanos from the start of the call to the last clock read, usually the end of the last attempt
     */
    default void callSettled(
            String pipeline, @Nullable String operation, Outcome outcome, Source source, int attempts, long nanos) {}

    /** A call of the pipeline itself (the refresh of a cached value) has ended. */
    default void backgroundSettled(String pipeline, @Nullable String operation, Outcome outcome, long nanos) {}

    /**
     * An attempt has ended.
     *
     * @param attempt from 1
     * @param nanos how long the action ran, waits not included
     */
    default void attemptSettled(
            String pipeline, @Nullable String operation, int attempt, Outcome outcome, long nanos) {}

    /** A policy turned a call away, before or between its attempts. The call may still get an answer from another policy. */
    default void rejected(String pipeline, @Nullable String operation, String policy, Reason reason) {}

    /** There will be another attempt after this wait. */
    default void retryScheduled(String pipeline, @Nullable String operation, int attempts, long waitNanos) {}

    /** There will be no further attempt although the last one failed. */
    default void retryRefused(String pipeline, @Nullable String operation, int attempts, Refusal why) {}

    /**
     * Another attempt begins beside one that takes long; on its own thread. It may be turned away by a policy further in: if
     * it runs, its end is told to {@link #attemptSettled}.
     *
     * @param attempt its number
     */
    default void hedged(String pipeline, @Nullable String operation, int attempt) {}

    /** The state of a policy changed, such as {@code closed} to {@code open}. */
    default void stateChanged(String pipeline, String policy, String from, String to) {}

    /**
     * Work went on after its outcome had been decided by a limit or a cancellation, and has ended now.
     *
     * @param nanos for how long it went on
     */
    default void overrun(String pipeline, @Nullable String operation, long nanos) {}

    /** Work that never ended was given up by a policy that held a permit for it. */
    default void writtenOff(String pipeline, @Nullable String operation, String policy) {}

    /** A pipeline, as a {@link CallObserver} knows it. Safe for any number of threads. */
    interface Observed {
        /** Its name. */
        String name();

        /** The policies, the first outermost. */
        List<Policy> policies();

        /** Asks every policy for its gauges and totals. The second policy of a kind has {@code .2} behind its names, and so on. */
        void meters(Meters meters);
    }
}
