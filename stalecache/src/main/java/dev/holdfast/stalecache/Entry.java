/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.stalecache;

/** A good value, when it came, and what became of the tries to get a newer one. Immutable; equal only to itself. */
final class Entry {
    private final Object value;
    private final long storedNanos;
    private final int failedRefreshes;
    private final long backoffNanos;
    private final long backoffFrom;

    private Entry(Object value, long storedNanos, int failedRefreshes, long backoffNanos, long backoffFrom) {
        this.value = value;
        this.storedNanos = storedNanos;
        this.failedRefreshes = failedRefreshes;
        this.backoffNanos = backoffNanos;
        this.backoffFrom = backoffFrom;
    }

    static Entry of(Object value, long now) {
        return new Entry(value, now, 0, 0, now);
    }

    Object value() {
        return value;
    }

    /** Not negative, although another thread may have stored it after this one read the clock. */
    long age(long now) {
        return Math.max(0, now - storedNanos);
    }

    boolean mayBeRefreshed(long now) {
        return now - backoffFrom >= backoffNanos;
    }

    /**
     * The same value after one more refresh that failed.
     *
     * @param first the backoff after the first failure; doubles with each one up to {@code most}
     * @param least what the dependency or a policy asked for; -1 if nothing
     */
    Entry refreshFailed(long now, long first, long most, long least) {
        long doubled = failedRefreshes >= Long.numberOfLeadingZeros(first) - 1 ? most : first << failedRefreshes;
        long backoff = Math.max(Math.min(doubled, most), least);
        return new Entry(value, storedNanos, Math.min(failedRefreshes + 1, Long.SIZE), backoff, now);
    }
}
