/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import java.util.function.LongSupplier;

/**
 * The time of the server, which fills the buckets: nanoseconds since 1970. The wall clock of this process has no part in it. Between
 * two answers of the server it goes on by the process's monotonic clock. Safe for any number of threads.
 */
final class ServerTime {
    /** How long an answer is used, and how far the time of a bucket may be ahead without {@link #follow}. */
    static final long FRESH_NANOS = 1_000_000_000;

    private final LongSupplier nanos;
    private boolean fresh;
    private boolean known;
    private long readAt;
    /** What to add to {@link #nanos}. */
    private long offset;
    /** How far the buckets are ahead of the server. Else they would get nothing until its clock is as far. */
    private long ahead;

    ServerTime(LongSupplier nanos) {
        this.nanos = nanos;
    }

    long nanos() {
        return nanos.getAsLong();
    }

    /** Whether the server need not be asked. */
    synchronized boolean isFresh() {
        return fresh && nanos.getAsLong() - readAt < FRESH_NANOS;
    }

    /** The server is asked before the next use: it may be another one, or its clock may have changed. */
    synchronized void forget() {
        fresh = false;
    }

    /** What the server has answered: it read its clock after it was asked, and before now. */
    synchronized void read(long askedAt, long server) {
        readAt = nanos.getAsLong();
        long least = server - readAt;
        long most = server - askedAt;
        if (!known) {
            offset = least + (most - least) / 2;
        } else if (offset - least < 0) {
            // What was ahead was so because this was behind, or the server's clock has caught up.
            ahead -= Math.min(ahead, least - offset);
            offset = least;
        } else if (offset - most > 0) {
            offset = most;
        }
        known = true;
        fresh = true;
    }

    /** Goes on from this time of a bucket. All processes see it, and none gets a permit for the difference. */
    synchronized void follow(long bucket) {
        ahead += Math.max(0, bucket - sinceEpoch());
    }

    /** The time for the buckets. */
    synchronized long sinceEpoch() {
        return nanos.getAsLong() + offset + ahead;
    }
}
