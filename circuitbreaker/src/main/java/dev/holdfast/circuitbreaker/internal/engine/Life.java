/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.engine;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * One life of a state. Example: a breaker that is closed, opens and closes again has three lives. A call belongs to the life
 * that admitted it; once that life is over, the call's result changes nothing.
 */
public final class Life {
    private static final long NOT_HELD = Long.MIN_VALUE;

    public final State state;
    /** Whether every call is allowed. */
    public final boolean admitsAll;
    /** The generation in the upper half; never 0. Tokens of probes add the probe in the lower half. */
    public final long token;
    /** How often the breaker has opened since it was last closed. */
    final int openings;

    public final Window window;
    final @Nullable Probes probes;
    /** If closed, unless the rules have none. */
    final @Nullable Streak streak;
    /** Whether this life ends by time, at {@link #endsAt}. */
    final boolean ends;

    final long endsAt;
    /** If open: the first call after this moment makes the breaker half-open. */
    final long openUntil;

    /** Why this life began, in words; empty for the first one. Written before other threads see this life. */
    String cause = "";
    /** The life before this one, until pipelines were told of this one. */
    @Nullable
    Life before;

    /** How many lives {@link #before} leads to. */
    int untold;
    /** Whether failures opened the breaker. Written like the cause. */
    boolean failed;

    /** The threshold events that METRICS_ONLY has reported already. */
    private final AtomicInteger told = new AtomicInteger();

    /** The latest moment of a pushback; {@link #NOT_HELD}: there was none. */
    private final AtomicLong heldUntil = new AtomicLong(NOT_HELD);

    private Life(Builder from) {
        state = from.state;
        admitsAll = state.admitsAll();
        token = (from.generation & 0xffff_ffffL) << 32;
        openings = from.openings;
        window = from.window;
        probes = from.probes;
        streak = from.streak;
        ends = from.ends;
        endsAt = from.endsAt;
        openUntil = from.openUntil;
    }

    /** The parts of a life. */
    static final class Builder {
        final State state;
        final long generation;
        final Window window;
        int openings;

        @Nullable
        Probes probes;

        @Nullable
        Streak streak;

        boolean ends;
        long endsAt;
        long openUntil;

        Builder(State state, long generation, Window window) {
            this.state = state;
            this.generation = generation;
            this.window = window;
        }

        Builder openings(int count) {
            openings = count;
            return this;
        }

        Builder probes(Probes given) {
            probes = given;
            return this;
        }

        Builder streak(@Nullable Streak given) {
            streak = given;
            return this;
        }

        Builder openUntil(long until) {
            openUntil = until;
            return this;
        }

        Builder endsAt(long at) {
            ends = true;
            endsAt = at;
            return this;
        }

        Life begin() {
            return new Life(this);
        }
    }

    /** Why this life began, in words. */
    public String cause() {
        return cause;
    }

    /** The lives from the one that pipelines know to this one, this one last. To be asked once. */
    public List<Life> since(Life known) {
        Deque<Life> lives = new ArrayDeque<>();
        for (Life at = this; at != null && at != known; at = at.before) {
            lives.addFirst(at);
        }
        before = null;
        untold = 0;
        return List.copyOf(lives);
    }

    /** Whether failures opened the breaker. */
    public boolean isOfFailures() {
        return failed;
    }

    /** Whether the token is of this life. */
    public boolean admitted(long admission) {
        return (admission & 0xffff_ffff_0000_0000L) == token;
    }

    boolean isOver(long now) {
        return ends && now - endsAt >= 0;
    }

    /** Those of these bits that have not been reported in this life yet. */
    int tellOnce(int bits) {
        return bits & ~told.getAndUpdate(before -> before | bits);
    }

    /** A pushback lasts until this moment; the latest one counts. */
    void hold(long until) {
        heldUntil.accumulateAndGet(until, (known, one) -> known == NOT_HELD || one - known > 0 ? one : known);
    }

    /** How long the latest pushback still lasts; 0 or less if it is over. */
    long heldFor(long now) {
        long until = heldUntil.get();
        return until == NOT_HELD ? 0 : until - now;
    }

    /** How long an open breaker stays open; -1 if it is not open or that time is over. */
    public long nanosLeft(long now) {
        if (state != State.OPEN) {
            return -1;
        }
        // The first call after the moment is allowed, not the one at the moment.
        long left = openUntil + 1 - now;
        return left > 0 ? left : -1;
    }
}
