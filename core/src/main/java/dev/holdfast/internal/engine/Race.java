/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.Outcome;
import dev.holdfast.spi.Completion;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One entry of a layer that hedges: the attempt of the call itself, which runs where it would run anyway, and those that are
 * started beside it when it takes long. The first answer wins. While the call's own attempt is open, whoever wins the one
 * claim on it decides whether its end or a hedge's answer comes first; so a late answer never replaces an earlier one.
 */
final class Race {
    final int layer;
    private final CallState call;
    final long delayNanos;
    /** What bounds the whole layer: the limits further in belong to each attempt. */
    private final boolean limited;

    private final long limitAt;
    /** Whose limit that is, as each attempt's own call does not know it. */
    final String limitOwnerName;

    final long limitNanos;

    final long reserve;

    // Written before waiting is, and so visible to the watchdog that sees it set.
    private long number;
    private int attempts;
    private long dueAt;
    private volatile boolean waiting;

    // Guarded by this.
    private final List<Hedge> hedges = new ArrayList<>(0);
    private boolean over;
    /** How many were started, those included that were turned away. */
    private int started;
    /** How many have a thread and have not landed; who waits for one can give nothing to wait for. */
    private int running;

    private @Nullable Hedge winner;
    private @Nullable Hedge last;
    private @Nullable Completion landing;

    /** When it was decided; for those whose work goes on after it. */
    private volatile long decidedAt;

    Race(CallState call, long delayNanos) {
        this.call = call;
        this.delayNanos = delayNanos;
        layer = call.cursor;
        limited = call.limited;
        limitAt = call.limitAt;
        limitOwnerName = call.limitOwnerName();
        limitNanos = call.limitNanos();
        reserve = call.reserve();
    }

    // ---- the call's own attempt

    /** Before the call's own attempt opens. */
    void arm(long newNumber) {
        number = newNumber;
        attempts = call.attempts;
        dueAt = call.attemptStart + delayNanos;
        waiting = true;
    }

    // ---- on the watchdog's thread

    /**
     * Starts another attempt if it is time for it and the policy wants one; in how many nanoseconds it may be time again, or
     * {@link Alarms#NEVER}.
     */
    long look(long now) {
        if (waiting && now - dueAt >= 0) {
            Hedge hedge = next(now);
            if (hedge == null) {
                return Alarms.NEVER;
            }
            hedge.start();
        }
        return waiting ? Math.max(0, dueAt - now) : Alarms.NEVER;
    }

    private synchronized @Nullable Hedge next(long now) {
        // Until end() gets the lock, the call's object cannot serve another call: what is read of it is this call's.
        if (!call.isUnderWay(number) || call.isLeaving()) {
            return null;
        }
        waiting = false;
        long wait = remainingNanos(now) > 0 ? call.engine.hooks.hedge(layer, started, now) : -1;
        if (wait < 0) {
            return null;
        }
        Hedge hedge = new Hedge(this, call, attempts + hedges.size());
        hedges.add(hedge);
        started++;
        if (wait != Long.MAX_VALUE) {
            dueAt = now + wait;
            waiting = true;
        }
        return hedge;
    }

    // ---- on the thread of a hedge

    /** Whether a hedge may begin; from then on it is waited for. */
    synchronized boolean begins(Hedge hedge) {
        if (over || winner != null || call.isLeaving()) {
            return false;
        }
        hedge.running = true;
        running++;
        return true;
    }

    /** What all attempts together have left. */
    long remainingNanos(long now) {
        return limited ? limitAt - now : Long.MAX_VALUE;
    }

    void landed(Hedge hedge) {
        Hedge lost;
        Completion told;
        synchronized (this) {
            lost = place(hedge);
            told = winner != null || running == 0 ? landing : null;
        }
        lose(lost);
        if (told != null) {
            told.complete();
        } else if (hedge == winner) {
            overtake();
        }
    }

    /** What it is worth beside the others; returns whose value is lost by that. */
    private @Nullable Hedge place(Hedge hedge) {
        if (hedge.running) {
            running--;
        }
        hedge.landed = true;
        if (!hedge.ran) {
            // It was turned away: there was no other attempt.
            hedges.remove(hedge);
        }
        if (!hedge.ran || over || winner != null) {
            return hedge;
        }
        if (isAnswer(hedge.outcome)) {
            winner = hedge;
            waiting = false;
            decidedAt = hedge.call.now();
            return null;
        }
        if (hedge.outcome == Outcome.PUSHBACK) {
            waiting = false;
        }
        if (landing == null || hedge.outcome == Outcome.INTERRUPTED) {
            // The call's own attempt still runs, and its failure, if it comes to that, will be the last; or somebody
            // wanted the hedge's thread back, which is no interrupt of the caller.
            return hedge;
        }
        Hedge before = last;
        last = hedge;
        return before;
    }

    /** The call's own attempt has lost, if it is still open. */
    private void overtake() {
        call.driver().overtake(call, number);
    }

    private static void lose(@Nullable Hedge hedge) {
        if (hedge != null) {
            hedge.call.loseValueFor(null);
        }
    }

    /** What a caller is given at once: a success, or a fault of its own, which no other attempt would mend. */
    private static boolean isAnswer(Outcome outcome) {
        return outcome == Outcome.SUCCESS || outcome == Outcome.IGNORED;
    }

    // ---- on the call's way up

    /** The call has its outcome, whatever the hedges come to: an answer, or it was given up from outside of this layer. */
    private boolean isSettled() {
        return isAnswer(call.outcome) || call.giveUpAt < layer;
    }

    /** What the call has to wait for since its own attempt has failed and others still run; null if there is nothing. */
    @Nullable
    Completion underWay() {
        if (isSettled()) {
            return null;
        }
        synchronized (this) {
            if (winner != null || running == 0) {
                return null;
            }
            Completion awaited = new Completion();
            landing = awaited;
            return awaited;
        }
    }

    /** Nobody is started any more, those who run are given up, and the call takes over what came of them; a decision. */
    int end() {
        Hedge chosen;
        List<Hedge> all;
        synchronized (this) {
            over = true;
            waiting = false;
            chosen = isSettled() ? null : winner != null ? winner : last;
            all = hedges.isEmpty() ? List.of() : new ArrayList<>(hedges);
        }
        return all.isEmpty() ? 0 : end(all, chosen);
    }

    private int end(List<Hedge> all, @Nullable Hedge chosen) {
        if (winner == null) {
            decidedAt = call.now();
        }
        for (Hedge hedge : all) {
            if (!hedge.landed) {
                hedge.giveUp();
            }
        }
        if (winner != chosen) {
            lose(winner);
        }
        if (last != chosen) {
            lose(last);
        }
        // After they were given up: from then on none starts its attempt that has not done so.
        all.forEach(this::adopt);
        return chosen == null ? 0 : take(chosen);
    }

    /** It was an attempt of this call, which the layers further out and the caller are to know. */
    private void adopt(Hedge hedge) {
        if (!hedge.started) {
            return;
        }
        History known = call.history;
        if (known == null || known.count() < call.attempts) {
            // A first attempt that succeeds is not remembered as long as it is the only one.
            call.rememberAttempt();
        }
        call.attempts++;
        if (hedge.landed) {
            call.remember(call.attempts, hedge.outcome, hedge.call.actionNanos);
        } else {
            call.remember(call.attempts, Outcome.CANCELLED, call.now() - hedge.startedAt);
        }
    }

    private int take(Hedge hedge) {
        int decision = call.share(hedge.outcome, hedge.value, hedge.error, hedge.call.source);
        call.common = hedge.call.common;
        call.retryAfter = hedge.call.retryAfter;
        // What bounds a hedge from outside is what bounds this layer.
        if (hedge.call.endedBy == CallLimits.CALLER) {
            call.endedByLimit();
        } else {
            call.endedBy = hedge.call.endedBy;
        }
        call.outlived = hedge.call.outlived;
        call.holdRetry(hedge.call.heldRetry);
        call.ageNanos = hedge.call.ageNanos;
        return decision;
    }

    /** Since when an attempt that lost has gone on for nobody. */
    long decidedAt() {
        return decidedAt;
    }
}
