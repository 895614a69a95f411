/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.Outcome;
import dev.holdfast.spi.Completion;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One entry of a layer that hedges: the call's own attempt, and those started beside it when it takes long. The first answer
 * wins. While the own attempt is open, a single claim on it decides whether its end or a hedge's answer comes first. So a late
 * answer never replaces an earlier one.
 */
final class Race {
    final int layer;
    private final CallState call;
    final long delayNanos;
    /** The limit of the whole layer. Inner limits belong to each attempt. */
    private final boolean limited;

    private final long limitAt;
    /** The owner of that limit. The hedges' own calls do not know it. */
    final String limitOwnerName;

    final long limitNanos;

    final long reserve;
    /** Of that limit, if the call's caller owns it. */
    final boolean inheritsLimit;

    /** What the answer of a hedge ends: the call's own attempt, or what an asynchronous call waits for between two of them. */
    private volatile long open;

    // Written before `waiting`, so the watchdog that sees it set sees these too.
    private long number;
    private int attempts;
    private long dueAt;
    private volatile boolean waiting;

    // Guarded by this.
    private final List<Hedge> hedges = new ArrayList<>(0);
    private boolean over;
    /** Hedges that were started, including those that were rejected. */
    private int started;
    /** Hedges that run now. One that still waits for a thread is not counted, so the call does not wait for it. */
    private int running;

    // The call writes `open` and then reads this, a hedge does the opposite. So at least one sees the other.
    private volatile @Nullable Hedge winner;
    private @Nullable Hedge last;
    private @Nullable Completion landing;

    /** When the race was decided. The overrun of losing attempts counts from then. */
    private volatile long decidedAt;

    /** Only by the call: its own attempt ran when a hedge answered. */
    private boolean overtaken;

    Race(CallState call, long delayNanos) {
        this.call = call;
        this.delayNanos = delayNanos;
        layer = call.cursor;
        limited = call.limited;
        limitAt = call.limitAt;
        limitOwnerName = call.limitedBy();
        limitNanos = call.limitNanos();
        reserve = call.reserve();
        inheritsLimit = call.inheritsLimit;
    }

    // ---- the call's own attempt

    /** Before the call's own attempt opens. */
    void arm(long newNumber) {
        opens(newNumber);
        number = newNumber;
        attempts = call.attempts;
        dueAt = call.attemptStart + delayNanos;
        waiting = winner == null;
    }

    /** Before something opens that the answer of a hedge ends. */
    void opens(long newNumber) {
        open = newNumber;
    }

    /** Whether a hedge has answered: then nothing more is done inside the layer. Ask it after {@link #opens}. */
    boolean isWon() {
        return winner != null;
    }

    void overtook() {
        overtaken = true;
    }

    // ---- on the watchdog's thread

    /**
     * Starts another attempt if it is due and the policy wants one. Returns after how many nanoseconds to look again, or
     * {@link Alarms#NEVER}.
     */
    long look(long now) {
        if (isDue(now)) {
            Hedge hedge = next(now);
            if (hedge == null) {
                return Alarms.NEVER;
            }
            hedge.start();
        }
        return waiting ? Math.max(0, dueAt - now) : Alarms.NEVER;
    }

    boolean isDue(long now) {
        return waiting && now - dueAt >= 0;
    }

    private synchronized @Nullable Hedge next(long now) {
        // Until end() gets this lock, the call object serves no other call: what is read of it is this call's.
        if (winner != null || !call.isUnderWay(number) || call.isLeaving()) {
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

    /** Whether a hedge may begin. If so, the call waits for it from now on. */
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
            // The call's own attempt, or the wait for the next one, has lost.
            call.driver().overtake(call, open);
        }
    }

    /** Decides: winner, last failure or nothing. Returns the hedge whose value must be discarded. */
    private @Nullable Hedge place(Hedge hedge) {
        if (hedge.running) {
            running--;
        }
        hedge.landed = true;
        if (!hedge.ran) {
            // It was rejected: there was no other attempt.
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
            // The call's own attempt still runs, and its failure would be the last one. Or the hedge was interrupted,
            // which is no interrupt of the caller.
            return hedge;
        }
        Hedge before = last;
        last = hedge;
        return before;
    }

    private static void lose(@Nullable Hedge hedge) {
        if (hedge != null) {
            hedge.call.loseValueFor(null);
            hedge.letGo();
        }
    }

    /** Whether the caller gets it at once: a success, or an error that no other attempt would mend. */
    private static boolean isAnswer(Outcome outcome) {
        return outcome == Outcome.SUCCESS || outcome == Outcome.IGNORED;
    }

    // ---- on the call's way up

    /** Whether the hedges no longer matter: the call has an answer, or was given up from outside this layer. */
    private boolean isSettled() {
        return isAnswer(call.outcome) || call.giveUpAt < layer;
    }

    /** Completes when a hedge answers or none runs any more; null if the call has nothing to wait for. */
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

    /** Ends the race: starts no more, gives up the running ones, copies the chosen outcome. Returns a decision. */
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
        // After they were given up: now no hedge can start its attempt any more.
        all.forEach(this::adopt);
        if (chosen != null) {
            return take(chosen);
        }
        Hedge struck = hasFailed() ? struck(all) : null;
        if (struck != null) {
            // Its end is the last failure, whether the limit was seen first there or by the call that waited.
            call.engine.endings.timedOutBeside(call, call.now() - struck.startedAt);
        }
        return 0;
    }

    private boolean hasFailed() {
        return !isAnswer(call.outcome) && call.outcome != Outcome.CANCELLED && call.outcome != Outcome.INTERRUPTED;
    }

    /** The last attempt that the limit of the layer has ended, beside the call's own one; null if there is none. */
    private @Nullable Hedge struck(List<Hedge> all) {
        Hedge struck = null;
        if (remainingNanos(call.now()) <= 0) {
            for (Hedge hedge : all) {
                // The outer limit of a hedge is the limit of this layer.
                if (hedge.started && (!hedge.landed || hedge.call.endedBy == CallLimits.CALLER)) {
                    struck = hedge;
                }
            }
        }
        return struck;
    }

    /** Counts the hedge as an attempt of this call, for outer layers and the caller. */
    private void adopt(Hedge hedge) {
        if (!hedge.started) {
            return;
        }
        call.rememberFirstSuccess();
        call.attempts++;
        if (hedge.landed) {
            call.remember(call.attempts, hedge.outcome, hedge.call.actionNanos, hedge.mayHaveBegun);
        } else {
            // It was given up for the answer of another attempt, or it ran into the limit of the layer.
            Outcome outcome = remainingNanos(call.now()) <= 0 ? Outcome.TIMEOUT : Outcome.CANCELLED;
            call.remember(call.attempts, outcome, call.now() - hedge.startedAt, true);
        }
    }

    private int take(Hedge hedge) {
        int decision = call.share(hedge.outcome, hedge.value, hedge.error, hedge.call.source);
        call.common = hedge.call.common;
        call.failedHere = hedge.call.failedHere;
        call.retryAfter = hedge.call.retryAfter;
        if (!overtaken) {
            // The call's own attempt failed before, and its time says nothing of the hedge. One that was overtaken
            // keeps its own.
            call.actionNanos = hedge.call.actionNanos;
        }
        // The outer limit of a hedge is the limit of this layer.
        if (hedge.call.endedBy == CallLimits.CALLER) {
            call.engine.endings.endedByLimit(call);
        } else {
            call.endedBy = hedge.call.endedBy;
            call.outlived = hedge.call.outlived;
        }
        call.holdRetry(hedge.call.heldRetry);
        call.ageNanos = hedge.call.ageNanos;
        call.valueNanos = hedge.call.valueNanos;
        hedge.letGo();
        return decision;
    }

    long decidedAt() {
        return decidedAt;
    }
}
