/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spi;

import dev.holdfast.Outcome;
import dev.holdfast.Reason;
import dev.holdfast.Refusal;
import dev.holdfast.Reply.Source;
import dev.holdfast.spi.CallContext.Scope;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The one hook for metrics, logs and traces. The pipeline tells it what happened to its calls.
 *
 * <p>Called on the path of the call, by many threads at once, so it must not block. An observer that throws is logged once,
 * and breaks no call. Arguments are primitives and shared objects, so that a notification allocates nothing. The user names
 * the operations, and there are few of them; {@code operation} is null for a call without one.
 */
public interface CallObserver {

    /** A pipeline was built with this observer. */
    default void opened(Observed pipeline) {}

    /**
     * The observer of this pipeline's calls; asked once, after {@link #opened}. Default: this observer. An observer with
     * state for each pipeline returns that part of itself, so that it need not look it up with every call.
     */
    default CallObserver forPipeline(Observed pipeline) {
        return this;
    }

    /**
     * Whether it wants to be told of every call and attempt ({@link #callSettled}, {@link #backgroundSettled}, {@link
     * #attemptSettled}); asked once for each pipeline. If no observer does, the pipeline need not measure its attempts.
     * Default: true. An observer of rare events says false.
     */
    default boolean hearsCalls() {
        return true;
    }

    /**
     * What follows the calls of the pipeline of this name from their beginning, for traces; null, the default: nothing does.
     * Asked once, before {@link #opened}. A pipeline without a tracer does nothing for traces.
     */
    default @Nullable Tracer tracer(String pipeline) {
        return null;
    }

    /** A pipeline has other policies or histograms from now on. Calls that have begun end with the policies before. */
    default void replaced(Observed pipeline) {}

    /**
     * A configuration was read again.
     *
     * @param configuration which one: the same object each time, until {@link #configurationClosed}. Of files it is the {@code
     *     Holdfast}
     * @param applied false if it was refused, and the last good one stays
     * @param message the pipelines that it changed and those that it has no longer, or what is wrong with it
     */
    default void configurationRead(Object configuration, boolean applied, String message) {}

    /** A configuration is closed, and so are its pipelines. May come twice. */
    default void configurationClosed(Object configuration) {}

    /** A pipeline was closed. The observer ends what it made in {@link #opened}. */
    default void closed(Observed pipeline) {}

    /**
     * A pipeline for each key has no instances any more, and will have none. The observer ends what it made for it. Nothing tells of
     * its beginning but the first instance that is {@link #opened}. May come twice, also if there was none.
     */
    default void keysClosed(Keys keys) {}

    /**
     * A call has ended, and its outcome is about to be delivered. The future of an asynchronous call that its caller cancels or
     * completes has ended before.
     *
     * @param source where the answer came from; {@link Source#LIVE} if there is none
     * @param attempts how often the action was started, or was about to be when its attempt was given up
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

    /**
     * A policy rejected a call, before or between its attempts. The call may still get an answer from another policy. Not called for
     * a hedge that was rejected before it began, which is no try of its own.
     */
    default void rejected(String pipeline, @Nullable String operation, String policy, Reason reason) {}

    /** There will be another attempt after this wait. */
    default void retryScheduled(String pipeline, @Nullable String operation, int attempts, long waitNanos) {}

    /** There will be no further attempt although the last one failed. */
    default void retryRefused(String pipeline, @Nullable String operation, int attempts, Refusal why) {}

    /**
     * A hedge begins: another attempt beside a slow one. Called on the thread of the hedge. A policy further in may still
     * reject it. If it runs, {@link #attemptSettled} is called at its end.
     *
     * @param attempt its number
     */
    default void hedged(String pipeline, @Nullable String operation, int attempt) {}

    /**
     * The state of a policy changed, such as {@code closed} to {@code open}. A policy that the pipeline loses, or that goes into
     * shadow, is told as {@code closed}.
     *
     * <p>Of one pipeline, these calls come in the order of the changes, one after the other, on the threads that see changes. No lock
     * is held: the observer may change a state itself, and hears of that afterwards. While it waits, up to 1,000 changes wait for it.
     *
     * @param cause why, with the numbers that it rests on
     */
    default void stateChanged(String pipeline, String policy, String from, String to, String cause) {}

    /** A policy changed its own limit of calls: a bulkhead that adapts. */
    default void limitChanged(String pipeline, String policy, int from, int to) {}

    /**
     * Work has ended that went on after a limit or a cancellation had decided its outcome.
     *
     * @param nanos for how long it went on
     */
    default void overrun(String pipeline, @Nullable String operation, long nanos) {}

    /** A policy that held a permit for work that never ended has given up this work. */
    default void writtenOff(String pipeline, @Nullable String operation, String policy) {}

    /**
     * Follows the calls of one pipeline, each from its beginning to its end. Called on the path of the call, by many threads at
     * once, so it must not block. A tracer that throws is logged once, and breaks no call.
     */
    @FunctionalInterface
    interface Tracer {
        /** A call begins, on the thread of its caller. Returns what follows it; null: nothing does. */
        @Nullable
        CallTrace begins(@Nullable String operation);
    }

    /**
     * Follows one call. Its methods are called one after the other, each on the thread on which the call goes on. Only hedges
     * have threads of their own: {@link #attempt} and {@link #rejected} are called for them at any time, also when the call has
     * ended.
     */
    interface CallTrace {
        /** Makes the call current on this thread until the scope is closed there: while a fallback's function runs. */
        Scope open();

        /**
         * An attempt begins: its action is about to run, or the attempt is given up before that. It is not current before
         * {@link AttemptTrace#open}, on the thread of the action. Returns what follows it; null: nothing does.
         *
         * @param number from 1
         * @param hedge whether it runs beside the call's own attempt, which is the last one that was no hedge
         */
        @Nullable
        AttemptTrace attempt(int number, boolean hedge);

        /** A policy rejected the call, before or between its attempts. */
        void rejected(String policy, Reason reason);

        /**
         * A call begins that the pipeline makes itself because of this one, such as the refresh of a cached value. It may end
         * later than this one. Returns what follows it; null: nothing does.
         */
        @Nullable
        CallTrace background();

        /**
         * The call has ended, and its outcome is about to be delivered.
         *
         * @param source where the answer came from; {@link Source#LIVE} if there is none
         * @param ageNanos how old the answer is; 0 unless it comes from memory
         * @param attempts how often the action was started, or was about to be when its attempt was given up
         */
        void ended(Outcome outcome, Source source, long ageNanos, int attempts, @Nullable Throwable error);
    }

    /** Follows one attempt. Its methods may be called on several threads, but not at the same time. */
    interface AttemptTrace {
        /** Makes the attempt current on this thread, while its action runs there. The scope is closed on the same thread. */
        Scope open();

        /**
         * The attempt has ended: its action has returned, and its stage has completed, or was given up. No scope is open any
         * more.
         *
         * @param left whether the work goes on, or has gone on, although the attempt was given up
         */
        void ended(Outcome outcome, boolean left, @Nullable Throwable error);
    }

    /** A pipeline, as a {@link CallObserver} knows it. Safe for any number of threads. */
    interface Observed {
        /** Its name. */
        String name();

        /** The policies, the first outermost. */
        List<Policy> policies();

        /** Asks every policy for its gauges and totals. Names of the second policy of a kind end with {@code .2}, and so on. */
        void meters(Meters meters);

        /** Asks for gauges of the pipeline itself. */
        default void ownMeters(Meters meters) {}

        /** What it is an instance of, for one key; it may go, and come back as another one. Null: of nothing. */
        default @Nullable Keys keys() {
            return null;
        }

        /** What an observer shows of the latencies of calls and attempts beside their sum. Default: nothing. */
        default Optional<Histograms> histograms() {
            return Optional.empty();
        }
    }

    /** A pipeline that has an instance for each key. Safe for any number of threads. */
    interface Keys {
        /** Its name; that of an instance is {@code name/key}. */
        String name();

        /** How many instances there are now, without the one that further keys share. */
        int size();

        /** The most instances. */
        int max();
    }

    /**
     * What to show of latencies. Immutable; the pipeline's builder has checked the values.
     *
     * @param percentiles from 0 to 1; computed in this process
     * @param slo the bounds of buckets of their own
     * @param percentileHistogram whether there are many buckets, from which a backend computes percentiles
     * @param minimumExpectedValue where those buckets begin
     * @param maximumExpectedValue where they end
     */
    record Histograms(
            List<Double> percentiles,
            List<Duration> slo,
            boolean percentileHistogram,
            Duration minimumExpectedValue,
            Duration maximumExpectedValue) {
        /** Copies the lists. */
        public Histograms {
            percentiles = List.copyOf(percentiles);
            slo = List.copyOf(slo);
        }

        // By hand: the JDK's own for records of Java 17 remembers the last one in the whole process, and so its class
        // loader.
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Histograms shown
                    && shown.percentiles.equals(percentiles)
                    && shown.slo.equals(slo)
                    && shown.percentileHistogram == percentileHistogram
                    && shown.minimumExpectedValue.equals(minimumExpectedValue)
                    && shown.maximumExpectedValue.equals(maximumExpectedValue);
        }

        @Override
        public int hashCode() {
            return Objects.hash(percentiles, slo, percentileHistogram, minimumExpectedValue, maximumExpectedValue);
        }
    }
}
