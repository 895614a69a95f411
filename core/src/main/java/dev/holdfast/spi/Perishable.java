/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spi;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A value that says itself how long a cache may use it, such as a response with a {@code Cache-Control} header.
 *
 * <pre>{@code
 * record Page(String text, Duration maxAge) implements Perishable {
 *     public Freshness freshness() {
 *         return Freshness.usual().fresh(maxAge).weight(text.length());
 *     }
 * }
 * }</pre>
 */
public interface Perishable {

    /**
     * For how long, and for whom, this value is good. Called once for each load, on the thread on which the load ends, before
     * anybody gets the value; must not block. If it throws, the load fails with that exception, and nothing is stored.
     */
    Freshness freshness();

    /**
     * The same, of a value that has taken this time to come; a cache asks this. For a value that grows old on its way, such as a
     * response of HTTP: it adds the time to its age. Default: {@link #freshness()}, as if it was made when it came.
     *
     * @param took how long the action of the attempt or hedge ran that has brought it, without waits and other attempts
     */
    default Freshness freshness(Duration took) {
        return freshness();
    }

    /**
     * Whether this value may have become wrong since it came, whatever its age: as when a write was sent, and its answer was lost.
     * Then a cache uses it only in place of an error or of an answer that is slow, and loads a new one; calls that wait for it load
     * once more, together. Asked whenever it would be used, on any thread; must be quick. Default: false.
     */
    default boolean isInDoubt() {
        return false;
    }

    /**
     * What a cache must know of one value. What is not said is as the cache's settings say. Immutable.
     *
     * <p>Times are from 0 to 365 days: less counts as 0, more as 365 days.
     *
     * @param fresh for how long the value is the answer without a call, counted from when it was made; null: not said
     * @param staleWhileRevalidate for how long after that it is the answer while it is refreshed; null: not said
     * @param staleIfError for how long after the fresh time it is the answer to a call that failed; null: not said
     * @param age how old it was when it arrived, as HTTP's {@code Age}; 0 if it was made for this call
     * @param weight how much of the cache's greatest weight it takes; -1: not said
     * @param kept whether it may be kept for later calls; a value that is not shared is not kept
     * @param shared whether calls that wait for the same key may get it, too
     * @param ofKey whether it says something about its key; if it does not, it is not shared, and an older value stays
     */
    record Freshness(
            @Nullable Duration fresh,
            @Nullable Duration staleWhileRevalidate,
            @Nullable Duration staleIfError,
            Duration age,
            long weight,
            boolean kept,
            boolean shared,
            boolean ofKey) {
        private static final Duration MOST = Duration.ofDays(365);
        private static final Freshness USUAL = new Freshness(null, null, null, Duration.ZERO, -1, true, true, true);

        /** Moves times outside of the bounds to them. */
        public Freshness {
            fresh = fresh == null ? null : bounded(fresh);
            staleWhileRevalidate = staleWhileRevalidate == null ? null : bounded(staleWhileRevalidate);
            staleIfError = staleIfError == null ? null : bounded(staleIfError);
            age = bounded(age);
            weight = Math.max(-1, weight);
            shared = shared && ofKey;
            kept = kept && shared;
        }

        /** Says nothing: all is as the cache's settings say. */
        public static Freshness usual() {
            return USUAL;
        }

        /** The same, with this time for which it is the answer without a call. */
        public Freshness fresh(Duration time) {
            return new Freshness(time, staleWhileRevalidate, staleIfError, age, weight, kept, shared, ofKey);
        }

        /** The same, with this time after the fresh one for which it is the answer while it is refreshed. */
        public Freshness staleWhileRevalidate(Duration time) {
            return new Freshness(fresh, time, staleIfError, age, weight, kept, shared, ofKey);
        }

        /** The same, with this time after the fresh one for which it is the answer to a call that failed or is slow. */
        public Freshness staleIfError(Duration time) {
            return new Freshness(fresh, staleWhileRevalidate, time, age, weight, kept, shared, ofKey);
        }

        /** The same, so old when it arrived. */
        public Freshness age(Duration time) {
            return new Freshness(fresh, staleWhileRevalidate, staleIfError, time, weight, kept, shared, ofKey);
        }

        /** The same, with this weight, in the unit of the cache's greatest weight; less than 0 counts as 0. */
        public Freshness weight(long units) {
            return new Freshness(
                    fresh, staleWhileRevalidate, staleIfError, age, Math.max(0, units), kept, shared, ofKey);
        }

        /** The same, not stored: it is the answer of this load alone, and an older value of its key goes. */
        public Freshness notKept() {
            return new Freshness(fresh, staleWhileRevalidate, staleIfError, age, weight, false, shared, ofKey);
        }

        /**
         * The same, for the call alone that has loaded it: it is not stored, and calls that wait for it load for themselves,
         * all at once. For what is private, or can be read once.
         */
        public Freshness notShared() {
            return new Freshness(fresh, staleWhileRevalidate, staleIfError, age, weight, false, false, ofKey);
        }

        /**
         * The same, not shared, and the value of something else than the key, such as the answer of a proxy that does not let the
         * request through: an older value of the key stays.
         */
        public Freshness ofAnother() {
            return new Freshness(fresh, staleWhileRevalidate, staleIfError, age, weight, false, false, false);
        }

        private static Duration bounded(Duration time) {
            return time.isNegative() ? Duration.ZERO : time.compareTo(MOST) > 0 ? MOST : time;
        }
    }
}
