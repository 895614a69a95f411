/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import dev.holdfast.internal.Checks;
import dev.holdfast.internal.Stripes;
import dev.holdfast.spi.Completion;
import dev.holdfast.throttling.internal.engine.Gcra;
import dev.holdfast.valkey.SharedThrottleSettings.WhenStoreIsAway;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;

/**
 * The permits that this process holds ready, and what it knows of the store. Reads no clock and sets no timer: calls bring the
 * time with them. Safe for any number of threads.
 *
 * <p>The store is asked for a batch before the last one is used up. At most one question is under way. A question without an
 * answer in time means that the store is away; permits of a late answer are lost. While the store is away, it is asked again
 * after growing times.
 *
 * <p>The limit also holds when the store goes and comes. The share of this process begins empty when the store goes, because
 * the store may just have given its burst away. A store that comes back is emptied first, because it has got new permits
 * meanwhile, for time in which the shares let calls start. After that this process keeps to its share for {@link #grace}: the
 * others may not have noticed yet that the store is back, and still use theirs.
 */
final class SharedPermits {
    /** The place of a permit of the store. Never the end of a place of {@link Gcra}. */
    static final long PERMIT = 1;

    private static final int HELD = Stripes.STRIDE;
    private static final long FIRST_PROBE_NANOS = 50_000_000;
    /** The longest time between two questions to a store that is away. */
    static final long LAST_PROBE_NANOS = 1_000_000_000;
    /** How long a store that has no permits is left alone, at most, if it gets new ones earlier. */
    private static final long PAUSE_NANOS = 10_000_000;

    private enum Phase {
        SHARED,
        AWAY,
        /** The store is back, and others may not know it yet. */
        BACK
    }

    /** What observers are told. */
    record State(String name, String cause) {}

    /** What a call does now. */
    enum Kind {
        /** It starts after {@link Turn#nanos}. */
        START,
        /** It waits for {@link Turn#answer}, and asks again after {@link Turn#nanos} at the latest. */
        WAIT,
        /** It is rejected; {@link Turn#nanos} until there may be a permit. */
        REJECT
    }

    /**
     * What a call without a permit at hand does.
     *
     * @param place what to give back if the call does not start: {@link #PERMIT}, a place of the share, or {@link Gcra#NONE}
     */
    record Turn(Kind kind, long nanos, long place, @Nullable Gcra share, Completion answer) {}

    private final SharedThrottleSettings settings;
    private final PermitStore store;
    private final int batch;
    private final int low;
    private final long timeout;
    private final long pause;
    private final long perPermit;

    /** The permits at hand, on a cache line of their own. */
    private final AtomicLongArray held = Stripes.words(1);

    private final AtomicInteger waiting = new AtomicInteger();
    private final AtomicLong failures = new AtomicLong();
    private final AtomicLong questions = new AtomicLong();

    // Written under this object's lock.
    private volatile Phase phase = Phase.SHARED;
    private volatile State state = new State("shared", "");
    private volatile @Nullable Question question;
    private Completion answer = new Completion();
    private boolean paused;
    private long resumeAt;
    private long probeDistance;
    private long failedAt;
    private long awaySince;
    private long backSince;
    /** Permits of the store that calls may use only within the share. */
    private long spare;

    private @Nullable Gcra share;
    /** Whether the store has ever answered. */
    private boolean reached;

    SharedPermits(SharedThrottleSettings settings, PermitStore store) {
        this.settings = settings;
        this.store = store;
        batch = settings.batch();
        low = (batch + 1) / 2;
        timeout = settings.storeTimeout().toNanos();
        long per = settings.per().toNanos();
        perPermit = Math.max(1, per / settings.limit());
        // A quarter of the time in which the store fills up, so that it never overflows while calls want its permits.
        pause = Math.min(PAUSE_NANOS, perPermit * settings.burst() / 4);
    }

    /** Takes a permit that is at hand. Returns how many are left; -1 if there was none. */
    long take() {
        while (true) {
            long seen = held.get(HELD);
            if (seen <= 0) {
                return -1;
            }
            if (held.compareAndSet(HELD, seen, seen - 1)) {
                return seen - 1;
            }
        }
    }

    /** Whether, with so few left, it is time for the next batch. */
    boolean runsLow(long left) {
        return batch > 1 && left < low && question == null;
    }

    /** Asks for the next batch, if the store may have permits. */
    void askAhead(long now) {
        see(now);
        ask(now, 0);
    }

    /**
     * What a call does that found no permit at hand.
     *
     * @param longest how long it may wait
     * @param isNew whether it is not counted as waiting yet
     */
    Turn turn(long now, long longest, boolean isNew) {
        see(now);
        ask(now, isNew ? 1 : 0);
        return decide(now, longest);
    }

    /** What has become of the store in the time that has passed. */
    private void see(long now) {
        Completion told;
        synchronized (this) {
            if (phase == Phase.BACK && now - backSince >= grace()) {
                phase = Phase.SHARED;
                held.addAndGet(HELD, spare);
                trim();
                spare = 0;
                share = null;
            }
            Question unanswered = question;
            if (unanswered == null || now - unanswered.since < timeout) {
                return;
            }
            told = goAway(unanswered, "the store has not answered within " + Checks.text(settings.storeTimeout()));
        }
        told.complete();
    }

    /** Until all others that have calls have noticed, too, that the store is back. */
    private long grace() {
        return LAST_PROBE_NANOS + 2 * timeout;
    }

    private void ask(long now, int newcomers) {
        Question next;
        synchronized (this) {
            if (question != null || (paused && now - resumeAt < 0)) {
                return;
            }
            boolean probe = phase == Phase.AWAY;
            long room = batch == 1 ? 0 : batch - held.get(HELD) - spare;
            long wanted = Math.min(settings.burst(), room + waiting.get() + newcomers);
            if (!probe && wanted <= 0) {
                return;
            }
            next = new Question(now, probe, probe ? settings.burst() : wanted);
            question = next;
        }
        questions.incrementAndGet();
        try {
            store.take(next.most, next);
        } catch (RuntimeException thrown) {
            next.failed(thrown);
        }
    }

    private final class Question implements PermitStore.Answer {
        final long since;
        /** Whether it empties a store that was away. */
        final boolean probe;

        final long most;

        Question(long since, boolean probe, long most) {
            this.since = since;
            this.probe = probe;
            this.most = most;
        }

        @Override
        public void taken(long permits, long nanosUntilNext) {
            answered(this, permits, nanosUntilNext);
        }

        @Override
        public void failed(Throwable why) {
            Completion told;
            synchronized (SharedPermits.this) {
                if (question != this) {
                    return;
                }
                told = goAway(this, "the store failed: " + why);
            }
            told.complete();
        }
    }

    private void answered(Question answered, long permits, long nanosUntilNext) {
        Completion told;
        synchronized (this) {
            if (question != answered) {
                return; // too late: its calls have gone on without it
            }
            question = null;
            reached = true;
            // All times from when it was asked: it may have been answered at once, and the answer brings no time.
            paused = permits < answered.most;
            resumeAt = answered.since + Math.max(nanosUntilNext, pause);
            if (answered.probe) {
                comeBack(answered);
            } else if (phase == Phase.BACK) {
                spare += permits;
            } else {
                held.addAndGet(HELD, permits);
                trim();
            }
            told = nextAnswer();
        }
        told.complete();
    }

    private Completion goAway(Question failed, String cause) {
        question = null;
        failures.incrementAndGet();
        if (phase == Phase.SHARED) {
            share = null;
            probeDistance = FIRST_PROBE_NANOS;
            awaySince = failed.since;
        } else {
            probeDistance = Math.min(2 * probeDistance, LAST_PROBE_NANOS);
        }
        if (phase != Phase.AWAY) {
            phase = Phase.AWAY;
            state = new State("away", cause);
        }
        failedAt = failed.since;
        paused = true;
        resumeAt = failed.since + probeDistance;
        return nextAnswer();
    }

    private void comeBack(Question answered) {
        // Only shares have to be kept to any longer.
        phase = settings.whenStoreIsAway() == WhenStoreIsAway.LOCAL_SHARE ? Phase.BACK : Phase.SHARED;
        backSince = answered.since;
        state = new State("shared", "the store answers again after " + Checks.inMillis(backSince - awaySince));
    }

    private Completion nextAnswer() {
        Completion told = answer;
        answer = new Completion();
        return told;
    }

    private synchronized Turn decide(long now, long longest) {
        if (take() >= 0) {
            return new Turn(Kind.START, 0, PERMIT, null, answer);
        }
        return switch (phase) {
            case SHARED -> awaitAnswer(now, longest);
            case BACK -> spare == 0 ? awaitAnswer(now, longest) : withinShare(now, longest);
            // If no call has asked for long, the store may have been back for long, and the others use all of the
            // limit.
            case AWAY ->
                question != null && now - failedAt > 2 * grace() ? awaitAnswer(now, longest) : without(now, longest);
        };
    }

    private Turn awaitAnswer(long now, long longest) {
        Question asked = question;
        long wait = Math.max(1, asked == null ? resumeAt - now : timeout - (now - asked.since));
        if (asked == null ? wait > longest : longest <= 0) {
            return new Turn(Kind.REJECT, asked == null ? wait : perPermit, Gcra.NONE, null, answer);
        }
        return new Turn(Kind.WAIT, Math.min(wait, longest), Gcra.NONE, null, answer);
    }

    private Turn without(long now, long longest) {
        return switch (settings.whenStoreIsAway()) {
            case LOCAL_SHARE -> withinShare(now, longest);
            case OPEN -> new Turn(Kind.START, 0, Gcra.NONE, null, answer);
            case CLOSED -> new Turn(Kind.REJECT, Math.max(1, resumeAt - now), Gcra.NONE, null, answer);
        };
    }

    private Turn withinShare(long now, long longest) {
        Gcra own = share(now);
        long place = own.reserve(now, longest, Stripes.current());
        if (place == Gcra.NONE) {
            return new Turn(Kind.REJECT, own.untilFree(now), Gcra.NONE, null, answer);
        }
        if (phase == Phase.BACK) {
            spare--;
        }
        return new Turn(Kind.START, own.waitNanos(place, now), place, own, answer);
    }

    private Gcra share(long now) {
        Gcra own = share;
        if (own == null) {
            long per = settings.per().toNanos() * settings.replicas();
            own = new Gcra(settings.limit(), per, Math.max(1, settings.burst() / settings.replicas()));
            if (reached) {
                own.startWith(0, now);
            }
            share = own;
        }
        return own;
    }

    /** A call that has no permit begins to wait. */
    void startsWaiting() {
        waiting.incrementAndGet();
    }

    /** A call waits no longer. If it goes without a permit, what was fetched for it is not kept. */
    void stopsWaiting() {
        waiting.decrementAndGet();
        trim();
    }

    /** Takes a permit back that was not used. */
    void giveBack() {
        held.incrementAndGet(HELD);
        trim();
    }

    /** This process holds at most a batch, beside what its waiting calls are about to take. */
    private void trim() {
        while (true) {
            long seen = held.get(HELD);
            long most = (long) batch + Math.max(0, waiting.get());
            if (seen <= most || held.compareAndSet(HELD, seen, most)) {
                return;
            }
        }
    }

    /** For a throttle that takes this one's place. */
    synchronized void takeOver(SharedPermits previous) {
        reached = previous.wasReached();
    }

    private synchronized boolean wasReached() {
        return reached;
    }

    State state() {
        return state;
    }

    boolean away() {
        return phase == Phase.AWAY;
    }

    /** The permits at hand. */
    long held() {
        return Math.max(0, held.get(HELD));
    }

    int waiting() {
        return waiting.get();
    }

    /** Nanoseconds until a call could start by the share of this process; 0 if the share is not in use. */
    synchronized long untilShareIsFree(long now) {
        Gcra own = share;
        return own == null ? 0 : own.untilFree(now);
    }

    /** How often the store was asked. */
    long questions() {
        return questions.get();
    }

    /** How often the store did not answer, or not in time. */
    long failures() {
        return failures.get();
    }
}
