/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

import dev.holdfast.Outcome;
import dev.holdfast.spi.Perishable;
import dev.holdfast.spi.Perishable.Freshness;
import org.jspecify.annotations.Nullable;

/**
 * A good value, or an ignored answer, with its time, its windows, and the backoff of its refreshes. Equal only to itself; safe
 * for any number of threads.
 */
final class Entry {
    private final Object value;
    private final Outcome outcome;
    /** What the value has said, for other settings. */
    private final Freshness said;

    private final Windows windows;
    /** When it was made: before it was stored, if it was not new then. */
    private final long madeNanos;

    private volatile Backoff backoff;

    /** The time without a further refresh. */
    private record Backoff(int failures, long nanos, long from) {}

    private Entry(Object value, Outcome outcome, Freshness said, Windows windows, long madeNanos, Backoff backoff) {
        this.value = value;
        this.outcome = outcome;
        this.said = said;
        this.windows = windows;
        this.madeNanos = madeNanos;
        this.backoff = backoff;
    }

    /** An entry that comes now. */
    static Entry of(Object value, Outcome outcome, Freshness said, Windows windows, long now) {
        return new Entry(value, outcome, said, windows, now - said.age().toNanos(), new Backoff(0, 0, now));
    }

    /** The same, as other settings see it. */
    Entry with(Freshness otherSaid, Windows others) {
        return new Entry(value, outcome, otherSaid, others, madeNanos, backoff);
    }

    Object value() {
        return value;
    }

    /** Success, or ignored. */
    Outcome outcome() {
        return outcome;
    }

    Freshness said() {
        return said;
    }

    /** 0 if nobody has said it. */
    long weight() {
        return Math.max(0, said.weight());
    }

    /** Not negative, although another thread may have stored it after this one read the clock. */
    long age(long now) {
        return Math.max(0, now - madeNanos);
    }

    boolean isYoungerThan(Entry other) {
        return madeNanos - other.madeNanos > 0;
    }

    // ---- its uses

    boolean isFresh(long now) {
        return age(now) < windows.fresh() && !isInDoubt();
    }

    /** Whether it is so near to the end of its fresh time that it is refreshed. */
    boolean isRefreshedAhead(long now) {
        return age(now) >= windows.refresh();
    }

    boolean isWorthRevalidating(long now) {
        return age(now) < windows.revalidate() && !isInDoubt();
    }

    private boolean isInDoubt() {
        return isInDoubt(value);
    }

    /** Whether a value says that it may have become wrong since it came. */
    static boolean isInDoubt(@Nullable Object value) {
        return value instanceof Perishable perishable && perishable.isInDoubt();
    }

    boolean isUsableOnError(long now) {
        return age(now) < windows.error();
    }

    /** Whether it is good for anything. */
    boolean isGood(long now) {
        return age(now) < windows.kept();
    }

    /** For how long it will be good; negative if it is not. */
    long untilUseless(long now) {
        return windows.kept() - age(now);
    }

    // ---- its refreshes

    boolean mayBeRefreshed(long now) {
        Backoff known = backoff;
        return now - known.from >= known.nanos;
    }

    /**
     * One more refresh has failed. Refreshes run one at a time.
     *
     * @param first the backoff after the first failure; doubles with each one up to {@code most}
     * @param least the wait that the dependency or a policy asked for; negative if none
     */
    void refreshFailed(long now, long first, long most, long least) {
        int failures = backoff.failures;
        long doubled = failures >= Long.numberOfLeadingZeros(first) - 1 ? most : first << failures;
        backoff = new Backoff(Math.min(failures + 1, Long.SIZE), Math.max(Math.min(doubled, most), least), now);
    }

    /** One more refresh was rejected before it reached the dependency: this says nothing of the dependency, and counts for nothing. */
    void refreshRejected(long now, long first, long least) {
        backoff = new Backoff(backoff.failures, Math.max(first, least), now);
    }
}
