/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.valkey;

import dev.holdfast.internal.Checks;
import dev.holdfast.internal.ShortLock;
import dev.holdfast.internal.Stripes;
import dev.holdfast.spi.Completion;
import dev.holdfast.throttling.internal.engine.Gcra;
import dev.holdfast.valkey.SharedThrottleSettings.WhenStoreIsAway;
import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;

/**
 * The permits that this process holds ready, and what it knows of the store. Reads no clock: calls bring the time with them.
 * Safe for any number of threads.
 *
 * <p>The store is asked for a batch before the last one is used up. At most one question is under way. A question without an
 * answer in time means that the store is away. It stays open, since a late answer shows that the store is back; its permits are
 * lost. It is asked again if no answer comes at all. After a question that failed, the store is asked again after growing times.
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
    private static final long LAST_PROBE_NANOS = 1_000_000_000;
    /** How long a store that has no permits is left alone, at most, if it gets new ones earlier. */
    private static final long PAUSE_NANOS = 10_000_000;
    /**
     * So many times in the store's time, the thread that receives the answers looks whether one has come. A process that gets no
     * processor does not look, and so does not take the store for away: a pause of any length counts as one look.
     */
    private static final int LOOKS = 10;
    /** A question without an answer is asked again after so long: a store has failed by then, unless what should say so has thrown. */
    private static final long LOST_NANOS = 10_000_000_000L;

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
        /** It starts. */
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

    /** No monitor: a virtual thread of Java 21 that waits while it has one keeps its carrier. */
    private final ShortLock lock = new ShortLock();

    private final SharedThrottleSettings settings;
    private final PermitStore store;
    // They follow the number of processes. Written under the lock; a call that reads old ones asks a little
    // early or late.
    private int batch;
    private int low;
    /** For so many processes. */
    private int replicas;

    private final long timeout;
    private final long pause;
    private final long perPermit;

    /** The permits at hand, at most a batch, on a cache line of their own. Added to under the lock. */
    private final AtomicLongArray held = Stripes.words(1);

    // Written under the lock.
    private volatile Phase phase = Phase.SHARED;
    private volatile State state = new State("shared", "");
    private volatile @Nullable Question question;
    private Completion answer = new Completion();
    /** Permits beside those at hand: for waiting calls, and while the phase is BACK all that the store has given. */
    private long spare;
    /** When the first of {@link #spare} were asked for. */
    private long spareSince;

    private int waiting;
    private boolean paused;
    private long resumeAt;
    private long probeDistance;
    private long failedAt;
    private long awaySince;
    /** The first look after the store came back. */
    private @Nullable Long backSince;

    private @Nullable Gcra share;
    /** Whether another throttle has taken this one's place, and sets the limit of {@link #share}. */
    private boolean handedOver;
    /** Whether the store has ever been there, and may have given its burst away. */
    private boolean reached;

    private long questions;
    private long failures;

    SharedPermits(SharedThrottleSettings settings, PermitStore store) {
        this.settings = settings;
        this.store = store;
        replicas = settings.replicas();
        batch = settings.batch();
        low = (batch + 1) / 2;
        timeout = settings.storeTimeout().toNanos();
        perPermit = Math.max(1, settings.per().toNanos() / settings.limit());
        // A quarter of the time in which the store fills up, so that it never overflows while calls want its permits.
        pause = Math.min(PAUSE_NANOS, perPermit * settings.burst() / 4);
    }

    /** Takes a permit that is at hand. Returns how many are left; -1 if there was none. */
    long take() {
        while (true) {
            long seen = held.get(HELD);
            if (seen == 0 || held.compareAndSet(HELD, seen, seen - 1)) {
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
        ask(now, 0);
    }

    /**
     * What a call does that found no permit at hand.
     *
     * @param longest how long it may wait
     * @param isNew whether it is not counted as waiting yet; then it is, if it has to wait
     */
    Turn turn(long now, long longest, boolean isNew) {
        ask(now, isNew ? 1 : 0);
        return decide(now, longest, isNew);
    }

    private void ask(long now, int newcomers) {
        Question next = due(now, newcomers);
        if (next != null) {
            next.ask();
        }
    }

    private @Nullable Question due(long now, int newcomers) {
        lock.lock();
        try {
            look(now);
            Question open = question;
            if (open != null) {
                if (open.silent()) {
                    failedAt = now; // it is being asked, and does not answer
                }
                return null;
            }
            if (paused && now - resumeAt < 0) {
                return null;
            }
            boolean probe = phase == Phase.AWAY;
            long room = Math.max(0, batch - held.get(HELD));
            // Calls that the share holds back leave the store's permits to the others.
            long wanted = phase == Phase.BACK ? room : waiting + newcomers + (batch == 1 ? 0 : room);
            long most = probe ? settings.burst() : Math.min(settings.burst(), wanted - spare);
            if (most <= 0) {
                return null;
            }
            questions++;
            question = new Question(now, probe, most);
            return question;
        } finally {
            lock.unlock();
        }
    }

    /** What has changed with the time that has passed. */
    private void look(long now) {
        int processes = settings.replicas();
        if (processes != replicas) {
            replicas = processes;
            batch = settings.batch();
            low = (batch + 1) / 2;
            Gcra own = share;
            if (own != null && !handedOver) {
                share = own.with(settings.limit(), perOfShare(), burstOfShare(), now);
            }
        }
        if (now - spareSince >= timeout) {
            keepSpare(0); // The process may have stood still: what the waiting calls did not take is not of this time.
        }
        if (phase != Phase.BACK) {
            return;
        }
        Long since = backSince;
        if (since == null) {
            backSince = now;
        } else if (now - since >= grace()) {
            phase = Phase.SHARED;
            share = null;
            fill();
        }
    }

    /** Until all others that have calls have noticed, too, that the store is back. */
    private long grace() {
        return LAST_PROBE_NANOS + 2 * timeout;
    }

    private final class Question implements PermitStore.Answer, Runnable {
        final long since;
        /** Whether it empties a store that was away. */
        final boolean probe;

        final long most;
        int looks;

        Question(long since, boolean probe, long most) {
            this.since = since;
            this.probe = probe;
            this.most = most;
        }

        void ask() {
            try {
                // First: whatever the store throws, somebody looks after this question.
                lookLater();
                store.take(most, this);
            } catch (Throwable thrown) {
                failed(thrown);
            }
        }

        private void lookLater() {
            if (question == this) {
                store.later(silent() ? LOST_NANOS : timeout / LOOKS, this);
            }
        }

        boolean silent() {
            return looks >= LOOKS;
        }

        @Override
        public void run() {
            looks++;
            if (looks > LOOKS) {
                if (question == this) {
                    ask();
                }
                return;
            }
            try {
                if (silent()) {
                    change(() ->
                            goAway(this, "the store has not answered within " + Checks.text(settings.storeTimeout())));
                }
                lookLater();
            } catch (Throwable thrown) {
                failed(thrown);
            }
        }

        @Override
        public void taken(long permits, long nanosUntilNext) {
            change(() -> answered(this, permits, nanosUntilNext));
        }

        @Override
        public void failed(Throwable why) {
            change(() -> failedBecause(this, why));
        }

        private void change(Runnable change) {
            Completion told;
            lock.lock();
            try {
                if (question != this) {
                    return;
                }
                change.run();
                told = answer;
                answer = new Completion();
            } finally {
                lock.unlock();
            }
            told.complete();
        }
    }

    private void answered(Question answered, long permits, long nanosUntilNext) {
        question = null;
        reached = true;
        probeDistance = 0;
        // All times from when it was asked: it may have been answered at once, and the answer brings no time.
        paused = permits < answered.most && !answered.silent();
        resumeAt = answered.since + Math.max(nanosUntilNext, pause);
        if (answered.probe) {
            // Only shares have to be kept to any longer.
            phase = settings.whenStoreIsAway() == WhenStoreIsAway.LOCAL_SHARE ? Phase.BACK : Phase.SHARED;
            backSince = null;
            String after = Checks.time(answered.since - awaySince);
            state = new State("shared", "the store answers again after " + after);
        } else if (phase != Phase.AWAY) {
            spareSince = spare == 0 ? answered.since : spareSince;
            spare += permits;
            if (phase == Phase.SHARED) {
                fill();
            }
        }
    }

    private void failedBecause(Question failed, Throwable why) {
        question = null;
        probeDistance = Math.min(Math.max(FIRST_PROBE_NANOS, 2 * probeDistance), LAST_PROBE_NANOS);
        paused = true;
        resumeAt = failed.since + probeDistance;
        if (!failed.silent()) {
            goAway(failed, "the store failed: " + why);
        }
    }

    private void goAway(Question failed, String cause) {
        failures++;
        failedAt = failed.since;
        reached |= failed.silent();
        if (phase == Phase.AWAY) {
            return;
        }
        awaySince = failed.since;
        phase = Phase.AWAY;
        state = new State("away", cause);
    }

    private Turn decide(long now, long longest, boolean isNew) {
        lock.lock();
        try {
            if (take() >= 0) {
                return new Turn(Kind.START, 0, PERMIT, null, answer);
            }
            Turn turn = switch (phase) {
                case SHARED -> shared(now, longest);
                case BACK -> spare == 0 ? awaitAnswer(now, longest) : withinShare(now, longest);
                case AWAY -> mayBeBack(now) ? awaitAnswer(now, longest) : without(now, longest);
            };
            if (isNew && turn.kind == Kind.WAIT) {
                waiting++;
            }
            return turn;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Whether the store may have been back for so long that the others use all of the limit: no call has asked it when it was time
     * to.
     */
    private boolean mayBeBack(long now) {
        Question asked = question;
        return asked != null && !asked.silent() && now - failedAt > grace();
    }

    private Turn shared(long now, long longest) {
        if (spare == 0) {
            return awaitAnswer(now, longest);
        }
        spare--;
        return new Turn(Kind.START, 0, PERMIT, null, answer);
    }

    private Turn awaitAnswer(long now, long longest) {
        if (question == null) {
            return waitOrReject(Math.max(1, resumeAt - now), longest);
        }
        return longest > 0 ? waitOrReject(longest, longest) : waitOrReject(perPermit, 0);
    }

    private Turn waitOrReject(long nanos, long longest) {
        return new Turn(nanos <= longest ? Kind.WAIT : Kind.REJECT, nanos, Gcra.NONE, null, answer);
    }

    private Turn without(long now, long longest) {
        return switch (settings.whenStoreIsAway()) {
            case LOCAL_SHARE -> withinShare(now, longest);
            case OPEN -> new Turn(Kind.START, 0, Gcra.NONE, null, answer);
            case CLOSED -> new Turn(Kind.REJECT, Math.max(1, resumeAt - now), Gcra.NONE, null, answer);
        };
    }

    /** Reserves no place of later: when its time comes, the store may be back, and have got a permit for the same time. */
    private Turn withinShare(long now, long longest) {
        Gcra own = share(now);
        long place = own.reserve(now, 0, Stripes.current());
        while (place == Gcra.MOVED) { // the throttle that took this one's place has changed its share
            own = own.successor();
            place = own.reserve(now, 0, Stripes.current());
        }
        if (place == Gcra.NONE) {
            return waitOrReject(Math.max(1, own.untilFree(now)), longest);
        }
        if (phase == Phase.BACK) {
            spare--;
        }
        return new Turn(Kind.START, 0, place, own, answer);
    }

    private Gcra share(long now) {
        Gcra own = share;
        if (own == null) {
            own = new Gcra(settings.limit(), perOfShare(), burstOfShare());
            if (reached) {
                own.startWith(0, now);
            }
            share = own;
        }
        return own;
    }

    private long perOfShare() {
        return settings.per().toNanos() * replicas;
    }

    private int burstOfShare() {
        return Math.max(1, settings.burst() / replicas);
    }

    /** A call waits no longer. If it goes without a permit, what was fetched for it is not kept. */
    void stopsWaiting() {
        lock.lock();
        try {
            waiting--;
            keepSpare(waiting);
        } finally {
            lock.unlock();
        }
    }

    /** Takes a permit back that was not used. */
    void giveBack() {
        lock.lock();
        try {
            if (held.get(HELD) < batch) {
                held.incrementAndGet(HELD);
            }
        } finally {
            lock.unlock();
        }
    }

    /** This process holds at most a batch, beside what so many waiting calls are about to take. */
    private void keepSpare(int forWaiting) {
        spare = Math.min(spare, phase == Phase.BACK ? batch : forWaiting);
    }

    /** Puts permits at hand. */
    private void fill() {
        long moved = Math.max(0, Math.min(spare, batch - held.get(HELD)));
        held.addAndGet(HELD, moved);
        spare -= moved;
    }

    /** What a throttle knows of the store when another one takes its place. */
    private record Past(
            boolean reached,
            Phase phase,
            State state,
            @Nullable Gcra share,
            long awaySince,
            @Nullable Long backSince,
            long failedAt,
            long probeDistance,
            long resumeAt) {}

    /**
     * Goes on for another throttle. If each one began anew, each reload in an outage would bring the burst of a share, and one as the
     * store comes back the whole limit beside the shares of the others.
     */
    void takeOver(SharedPermits previous, long now) {
        Past past = previous.handOver(this, now);
        lock.lock();
        try {
            handedOver = false; // it may be the one before, and is put back
            reached |= past.reached;
            phase = past.phase;
            state = past.state;
            share = phase == Phase.SHARED ? null : past.share;
            awaySince = past.awaySince;
            backSince = past.backSince;
            failedAt = past.failedAt;
            probeDistance = past.probeDistance;
            paused = phase == Phase.AWAY;
            resumeAt = past.resumeAt;
        } finally {
            lock.unlock();
        }
    }

    /** Both have one share from now on, with the limit of the next one. */
    private Past handOver(SharedPermits next, long now) {
        lock.lock();
        try {
            handedOver = true;
            Gcra own = share;
            if (own != null) {
                share = own.with(next.settings.limit(), next.perOfShare(), next.burstOfShare(), now);
            }
            long again = paused ? resumeAt : now;
            return new Past(reached, phase, state, share, awaySince, backSince, failedAt, probeDistance, again);
        } finally {
            lock.unlock();
        }
    }

    State state() {
        return state;
    }

    boolean away() {
        return phase == Phase.AWAY;
    }

    /** Whether the store has been looked for, and has not answered yet. A stale number of looks changes a message only. */
    boolean late() {
        Question asked = question;
        return asked != null && asked.looks > 0;
    }

    /** The permits at hand. */
    long held() {
        return held.get(HELD);
    }

    int waiting() {
        lock.lock();
        try {
            return waiting;
        } finally {
            lock.unlock();
        }
    }

    /** Nanoseconds until a call could start by the share of this process; 0 if the share is not in use. */
    long untilShareIsFree(long now) {
        lock.lock();
        try {
            Gcra own = share;
            return own == null ? 0 : own.untilFree(now);
        } finally {
            lock.unlock();
        }
    }

    /** How often the store was asked. */
    long questions() {
        lock.lock();
        try {
            return questions;
        } finally {
            lock.unlock();
        }
    }

    /** How often the store did not answer, or not in time. */
    long failures() {
        lock.lock();
        try {
            return failures;
        } finally {
            lock.unlock();
        }
    }
}
