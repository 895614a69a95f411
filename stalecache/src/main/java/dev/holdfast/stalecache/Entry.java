/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

/** A good value, its time, and the backoff of its refreshes. Equal only to itself; safe for any number of threads. */
final class Entry {
    private final Object value;
    private final long storedNanos;
    private volatile Backoff backoff;

    /** The time without a further refresh. */
    private record Backoff(int failures, long nanos, long from) {}

    private Entry(Object value, long storedNanos) {
        this.value = value;
        this.storedNanos = storedNanos;
        backoff = new Backoff(0, 0, storedNanos);
    }

    static Entry of(Object value, long now) {
        return new Entry(value, now);
    }

    Object value() {
        return value;
    }

    /** Not negative, although another thread may have stored it after this one read the clock. */
    long age(long now) {
        return Math.max(0, now - storedNanos);
    }

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
}
