/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.circuitbreaker.internal.engine;

import dev.holdfast.internal.ChangesAlone;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The state machine of the breaker. Has no clock, no thread and no listener. The caller passes the time, in nanoseconds of
 * any origin, which may go back a little. A state that ends by time ends at the next look.
 *
 * <p>Each admission has a token: the generation that admitted it, and the number of the probe. A result with the token of an
 * earlier generation changes nothing. A result without a token counts in the state that it finds, as in resilience4j.
 *
 * <p>Safe for any number of threads. The life is read once for each decision and swapped by one compare-and-set. The thread
 * that wins the swap reports it. A healthy call allocates nothing and takes no lock.
 */
public final class Engine {
    /** No token: not admitted. */
    public static final long REFUSED = 0;

    /** Beside {@link Window#FAILED}: its call has made an attempt before. It counts, and says nothing new of an outage. */
    public static final int REPEATED = 4;

    private static final int MOST_UNTOLD = 16;
    private static final String WAITED = "its wait is over";
    private static final long MILLISECOND = 1_000_000;
    private static final long FARTHEST = Long.MAX_VALUE / 4;

    private final Rules rules;
    private final Witness witness;
    private final AtomicReference<Life> life;

    /** Calls that were rejected, in all lives. */
    private LongAdder notPermitted = new LongAdder();

    /** Uses these rules, and reports to the witness. */
    public Engine(Rules rules, Witness witness, long now) {
        this.rules = rules;
        this.witness = witness;
        life = new AtomicReference<>(first(now));
    }

    /**
     * Begins with the first life, at this moment, if nothing has happened since the engine had the life that is given. Returns the
     * one with which it has begun, else the one that is given.
     */
    public Life start(Life made, long now) {
        Life first = first(now);
        return life.compareAndSet(made, first) ? first : made;
    }

    private Life first(long now) {
        Life first = initial(new Life.Builder(State.CLOSED, 0, rules.window()).begin(), now);
        first.window.begins(notPermitted);
        return first;
    }

    private Life initial(Life before, long now) {
        return switch (rules.initialState()) {
            case OPEN -> open(before, 1, rules.openNanos(1), now);
            case HALF_OPEN -> halfOpen(before, 1, now);
            case FORCED_OPEN -> forgetful(before, State.FORCED_OPEN, 1);
            case CLOSED, DISABLED, METRICS_ONLY -> next(before, rules.initialState(), now);
        };
    }

    /** The life after the last call. */
    public Life life() {
        return life.get();
    }

    /**
     * The life at this moment. A life whose time is over is replaced by the next one first, and so is a life in which calls
     * have hung for too long.
     */
    public Life life(long now) {
        Life at = life.get();
        if (!at.window.isCalm()) {
            decide(at, at.window.lookAgain(now), now);
            at = life.get();
        }
        return at.isOver(now) ? end(at, now) : at;
    }

    /** The state at the time of this clock, which is read only if the state may end by time. */
    public State state(LongSupplier clock) {
        Life at = life.get();
        return at.ends || !at.window.isCalm() ? life(clock.getAsLong()).state : at.state;
    }

    private Life end(Life at, long now) {
        if (at.state == State.OPEN) {
            swap(at, halfOpen(at, at.openings, now), WAITED);
        } else {
            Life next = rules.halfOpen().next() == State.CLOSED ? closed(at) : reopened(at, now);
            swap(at, next, "half-open for too long without a verdict");
        }
        return life.get();
    }

    /** How many calls were rejected so far. */
    public long notPermitted() {
        return notPermitted.sum();
    }

    /** How many probes this life has, or the next half-open life. */
    public int probes(Life at) {
        return at.probes == null ? rules.probes(at.openings) : at.probes.permits();
    }

    /** A token, or {@link #REFUSED}. */
    public long acquire(long now) {
        return counted(acquire(now, Probes.TRACKED));
    }

    /** The same for a hedge, which is no try: a refusal is not counted. */
    public long acquireForHedge(long now) {
        return acquire(now, Probes.TRACKED);
    }

    private long counted(long token) {
        if (token == REFUSED) {
            notPermitted.increment();
        }
        return token;
    }

    /** The same for a thread that will not return the token. */
    public boolean acquireUntracked(long now, long thread) {
        return counted(acquire(now, thread)) != REFUSED;
    }

    private long acquire(long now, long thread) {
        Life at = life(now);
        while (at.state == State.OPEN && now - at.openUntil > 0) {
            swap(at, halfOpen(at, at.openings, now), WAITED);
            at = life.get();
        }
        if (at.admitsAll) {
            return at.token;
        }
        // Tests for null because of the compiler; only a half-open life has probes.
        int probe = at.probes == null ? 0 : at.probes.take(now, thread);
        if (probe == 0) {
            return REFUSED;
        }
        return at.token | (probe & 0xffff_ffffL);
    }

    /** Whether the token is of a probe of the present life. */
    public boolean isProbe(long admission, long now) {
        Life at = life(now);
        return at.probes != null && at.admitted(admission);
    }

    /** An admitted call has ended; its kind is one of {@link Window}. */
    public void record(long admission, int kind, long now) {
        Life at = life(now);
        if (at.admitted(admission)) {
            int judged = recorded(at, kind, now);
            // The result is counted first: a permit that is used up without a result would never come back.
            used(at, admission);
            decide(at, judged, now);
        }
    }

    /** A call that was reported as {@link #overdue} has ended. */
    public void recordOverdue(long admission, int kind, long now) {
        Life at = life(now);
        if (at.admitted(admission)) {
            int judged = at.window.recordOverdue(kind & ~REPEATED, now) | lasting(at, kind, now);
            used(at, admission);
            decide(at, judged, now);
        }
    }

    private static int recorded(Life at, int kind, long now) {
        // Half-open, a good result may decide, too. If two end at once, the last must judge both, under the lock.
        int counted = kind & ~REPEATED;
        return at.probes == null
                ? at.window.record(counted, now) | lasting(at, kind, now)
                : at.window.recordLocked(counted, now);
    }

    private static int lasting(Life at, int kind, long now) {
        if (at.streak == null) {
            return 0;
        }
        if ((kind & Window.FAILED) == 0) {
            at.streak.succeeded();
            return 0;
        }
        // A few calls that fail, and their retries, may be all there is between two bursts of other calls.
        return (kind & REPEATED) == 0 && at.streak.failed(now) ? Thresholds.LASTING : 0;
    }

    private static void used(Life at, long admission) {
        if (at.probes != null) {
            at.probes.used((int) admission);
        }
    }

    /** An admitted call still runs, and is slow already. Once for each admission. */
    public void overdue(long admission, long now) {
        Life at = life(now);
        if (at.admitted(admission)) {
            decide(at, at.window.overdue(now), now);
        }
    }

    /** An admitted call does not count. */
    public void release(long admission, boolean wasOverdue, long now) {
        Life at = life(now);
        if (!at.admitted(admission)) {
            return;
        }
        if (wasOverdue) {
            at.window.releaseOverdue();
        }
        if (at.probes != null) {
            at.probes.release((int) admission);
        }
    }

    /** A pushback that lasts this long: if this life opens, it stays open until then. */
    public void hold(long admission, long nanos, long now) {
        Life at = life(now);
        if (at.admitted(admission)) {
            at.hold(now + nanos);
        }
    }

    /** A thread reports a call without a token. */
    public void recordUntracked(int kind, long now, long thread) {
        Life at;
        int judged;
        do {
            at = life(now);
            judged = recorded(at, kind, now);
            if (at.probes != null) {
                at.probes.usedUntracked(thread);
            }
            // If another thread changed the state first, count the result again in the new state.
        } while (!decide(at, judged, now));
    }

    /** A thread gives a permission back without a token. */
    public void releaseUntracked(long now, long thread) {
        Life at = life(now);
        if (at.probes != null) {
            at.probes.releaseUntracked(now, thread);
        }
    }

    /** Returns false if this decided something, but another change of the state came first. */
    private boolean decide(Life at, int judged, long now) {
        switch (at.state) {
            case CLOSED -> {
                if (Thresholds.exceeded(judged)) {
                    return open(at, judged, now);
                }
            }
            case HALF_OPEN -> {
                if (Thresholds.exceeded(judged)) {
                    return swap(
                            at,
                            afterFailures(at, judged, now),
                            at.window.totals(now).says(judged, at.window.thresholds, "probes"));
                } else if (judged == Thresholds.BELOW) {
                    return swap(at, closed(at), at.window.totals(now).saysBelow());
                }
            }
            case METRICS_ONLY -> {
                int news = Thresholds.exceeded(judged) ? at.tellOnce(judged) : 0;
                if (news != 0) {
                    witness.exceeded(news, at.window.totals(now));
                }
            }
            // A result that is reported while open is shown, but decides nothing.
            case OPEN, FORCED_OPEN, DISABLED -> {}
        }
        return true;
    }

    private boolean open(Life at, int judged, long now) {
        Totals totals = at.window.totals(now);
        Life next = afterFailures(at, judged, now);
        // Whatever else it is, if a threshold has been reached: that is what resilience4j's events tell, too.
        int reached = judged & (Thresholds.FAILING | Thresholds.SLOW);
        String cause = reached == 0 && at.streak != null
                ? at.streak.says()
                : totals.says(judged, at.window.thresholds, "calls");
        if (!publish(at, next, cause)) {
            return false;
        }
        if (reached != 0) {
            witness.exceeded(reached, totals);
        }
        witness.changed(at.state, State.OPEN);
        return true;
    }

    /**
     * Before the first call: begins in the state of another engine, and stays open as long as that one would have. The rejected
     * calls count on. No change of state is told.
     *
     * @param then the time of the other engine
     */
    public void takeOver(Engine other, long then, long now) {
        Life at = other.life(then);
        Life first = life.get();
        if (at.state == State.OPEN) {
            life.set(open(first, at.openings, Math.max(0, at.openUntil - then), now));
        } else if (at.state == State.HALF_OPEN) {
            life.set(halfOpen(first, at.openings, now));
        } else if (at.state != first.state) {
            life.set(next(first, at.state, now));
        }
        notPermitted = other.notPermitted;
        life.get().window.begins(notPermitted);
    }

    /**
     * Before the first call, after {@link #takeOver}: goes on in the initial state if the other engine has another initial state. This
     * change is told.
     */
    public void follow(Engine other, long now) {
        Life at = life.get();
        if (rules.initialState() != other.rules.initialState() && rules.initialState() != at.state) {
            swap(at, initial(at, now), ChangesAlone.BY_OPTION);
        }
    }

    /** Changes the state manually. Returns null, or the present state if it does not allow the change. */
    public @Nullable State moveTo(State state, long now) {
        return byHand(state, at -> next(at, state, now), now);
    }

    /** Opens the breaker manually for this time. Returns the same. */
    public @Nullable State openFor(long nanos, long now) {
        return byHand(State.OPEN, at -> open(at, at.openings, nanos, now), now);
    }

    private @Nullable State byHand(State state, UnaryOperator<Life> next, long now) {
        Life at;
        do {
            at = life(now);
            if (!at.state.allows(state)) {
                return at.state;
            }
        } while (!swap(at, next.apply(at), ChangesAlone.BY_HAND));
        return null;
    }

    /** Opens the breaker after one result, but only if it is closed: a state that was chosen manually meanwhile stays. */
    public void openIfClosed(OptionalLong nanos, long now) {
        Life at = life(now);
        while (at.state == State.CLOSED) {
            long wait = nanos.isPresent() ? nanos.getAsLong() : rules.openNanos(at.openings + 1);
            int openings = nanos.isPresent() ? at.openings : at.openings + 1;
            if (swap(at, open(at, openings, wait, now), "one result opens it: transitionOnResult")) {
                return;
            }
            at = life(now);
        }
    }

    /** Closes the breaker and counts from zero. */
    public void reset(long now) {
        State unused = byHand(State.CLOSED, this::closed, now);
        witness.reset();
    }

    private boolean swap(Life at, Life next, String cause) {
        boolean won = publish(at, next, cause);
        if (won) {
            witness.changed(at.state, next.state);
        }
        return won;
    }

    private boolean publish(Life at, Life next, String cause) {
        boolean sameWindow = at.window == next.window;
        if (!sameWindow) {
            next.window.begins(notPermitted);
        }
        next.cause = cause;
        // Changes by hand are many where no call looks: only the last ones are told then.
        if (at.untold < MOST_UNTOLD) {
            next.before = at;
            next.untold = at.untold + 1;
        }
        boolean won = life.compareAndSet(at, next);
        if (won && !sameWindow) {
            at.window.isOver();
        }
        return won;
    }

    private Life next(Life at, State state, long now) {
        return switch (state) {
            case CLOSED -> closed(at);
            case METRICS_ONLY -> builder(at, State.METRICS_ONLY, rules.window()).begin();
            case DISABLED -> forgetful(at, State.DISABLED, 0);
            case FORCED_OPEN -> forgetful(at, State.FORCED_OPEN, at.openings + 1);
            case HALF_OPEN -> halfOpen(at, at.openings, now);
            case OPEN -> open(at, at.openings + 1, rules.openNanos(at.openings + 1), now);
        };
    }

    private Life closed(Life at) {
        return builder(at, State.CLOSED, rules.window()).streak(rules.streak()).begin();
    }

    private Life forgetful(Life at, State state, int openings) {
        return builder(at, state, new NoWindow(rules.thresholds()))
                .openings(openings)
                .begin();
    }

    private Life halfOpen(Life at, int openings, long now) {
        int permits = rules.probes(openings);
        Window results = Window.ofProbes(permits, rules.thresholdsOfProbes(permits));
        Life.Builder builder = builder(at, State.HALF_OPEN, results)
                .openings(openings)
                .probes(new Probes(permits, rules.halfOpen().leaseNanos()));
        long longest = rules.halfOpen().longestNanos();
        return (longest > 0 ? builder.endsAt(now + longest) : builder).begin();
    }

    private Life afterFailures(Life at, int judged, long now) {
        Life next = reopened(at, now);
        next.failed = (judged & (Thresholds.FAILING | Thresholds.LASTING)) != 0;
        return next;
    }

    /** Opens after results: for the usual wait, or for as long as the dependency asked if that is longer. */
    private Life reopened(Life at, long now) {
        int openings = at.openings + 1;
        return open(at, openings, Math.max(rules.openNanos(openings), at.heldFor(now)), now);
    }

    private Life open(Life at, int openings, long nanos, long now) {
        long wait = Math.min(nanos, FARTHEST);
        Life.Builder builder =
                builder(at, State.OPEN, at.window).openings(openings).openUntil(now + wait);
        // Whole milliseconds, like resilience4j's timer.
        return (rules.automatic() ? builder.endsAt(now + Math.floorDiv(wait, MILLISECOND) * MILLISECOND) : builder)
                .begin();
    }

    private static Life.Builder builder(Life at, State state, Window window) {
        return new Life.Builder(state, generationAfter(at), window);
    }

    /** Never 0: with 0, the token of a call that is no probe would look like {@link #REFUSED}. */
    static long generationAfter(Life at) {
        long generation = (at.token >>> 32) + 1;
        return generation > 0xffff_ffffL ? 1 : generation;
    }
}
