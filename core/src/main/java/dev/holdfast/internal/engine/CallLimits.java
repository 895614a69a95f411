/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.spi.TimeSource;

/** The limits of a call: its caller's, and those that layers set for inner layers. The nearest one holds. */
abstract class CallLimits extends CallMemory {
    /** A longer time is no limit: instants further apart could not be compared. */
    static final long LONGEST_LIMIT = Long.MAX_VALUE / 4;
    /** The owner of the call's own and of inherited limits. */
    static final int CALLER = -1;
    /** Healthy dependencies mostly answer within this. */
    private static final long LONG_NANOS = 1_000_000_000;

    /** The time of this stage of the call, if {@link #known}; see {@link #now()}. */
    private long now;

    private boolean known;
    /** When the call began; set where {@link #timed}, or where the caller sets a limit. */
    long startNanos;
    /**
     * Whether somebody will ask how long the attempt took: a policy, an observer, the caller's reply, or a limit. A look at the
     * clock costs as much as many a policy.
     */
    boolean timed;

    boolean limited;
    long limitAt;
    /** The layer whose limit is the nearest, or {@link #CALLER}. */
    int limitOwner;

    private boolean callerLimited;
    private long callerLimitAt;
    /** Whether the caller's limit is that of its surroundings, and not of the call itself. Set if there is one. */
    boolean inheritsLimit;
    /** By how much this call ends before the limit of its caller; see {@link Plan#reserve}. */
    private long reserve;

    /** Two for each layer: when its limit strikes, and how long that is. */
    private long[] limits;

    /** A bit for each layer that has set a limit. */
    private long scopes;

    CallLimits(int layers) {
        super(layers);
        limits = new long[2 * layers];
    }

    @Override
    void makeRoom(int layers) {
        if (limits.length < 2 * layers) {
            limits = new long[2 * layers];
        }
        super.makeRoom(layers);
    }

    void forgetScopes() {
        scopes = 0;
    }

    abstract TimeSource time();

    /** A new stage begins at this moment: the pass, or what follows a wait or an attempt. */
    void readNow() {
        now = time().nanos();
        known = true;
    }

    /** Forgets the time. The next {@link #now()} reads the clock. */
    void askLater() {
        known = false;
    }

    void sameStage(CallLimits other) {
        now = other.now;
        known = other.known;
    }

    /** Before the first attempt. */
    void startsTimed() {
        timed = true;
        startNanos = now();
    }

    void limitCaller(long remaining, long kept, boolean inherited) {
        reserve = kept;
        callerLimited = remaining != Long.MAX_VALUE;
        if (callerLimited) {
            callerLimitAt = now() + remaining;
            inheritsLimit = inherited;
            startsTimed();
        }
        limited = callerLimited;
        limitAt = callerLimitAt;
        limitOwner = CALLER;
    }

    @Override
    public void limit(long nanos) {
        if (nanos > LONGEST_LIMIT) {
            return;
        }
        if (!timed) {
            startsTimed();
        }
        scopes |= 1L << cursor;
        limits[2 * cursor] = now() + Math.max(nanos, -LONGEST_LIMIT);
        limits[2 * cursor + 1] = nanos;
        nearer(cursor);
    }

    /** Whether the limit is over that came with the call or was inherited. */
    boolean isCallersTimeOver() {
        return callerLimited && callerLimitAt - now() <= 0;
    }

    /** Layers from this one inward have been left: their limits no longer hold. */
    void leaveScopes(int layer) {
        if (scopes >>> layer != 0) {
            scopes &= (1L << layer) - 1;
            limited = callerLimited;
            limitAt = callerLimitAt;
            limitOwner = CALLER;
            for (long left = scopes; left != 0; left &= left - 1) {
                nearer(Long.numberOfTrailingZeros(left));
            }
        }
    }

    private void nearer(int layer) {
        if (!limited || limits[2 * layer] - limitAt < 0) {
            limited = true;
            limitAt = limits[2 * layer];
            limitOwner = layer;
        }
    }

    /** By how much this limit comes before the outer call's. The outer call has this time left when it strikes. */
    long reserve() {
        return limitOwner == CALLER ? reserve : 0;
    }

    /** From which duration an attempt that this limit ended counts as long, if no answer times are known. */
    long longFor(int owner) {
        return owner == CALLER ? LONG_NANOS : Math.min(LONG_NANOS, limits[2 * owner + 1] / 2);
    }

    @Override
    public long now() {
        if (!known) {
            readNow();
        }
        return now;
    }

    @Override
    public double random() {
        return time().random();
    }

    boolean isTimeOverAt(long instant) {
        return limited && limitAt - instant <= 0;
    }

    @Override
    public long remaining() {
        return limited ? limitAt - now() : Long.MAX_VALUE;
    }
}
